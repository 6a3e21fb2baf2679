// SPDX-License-Identifier: MIT
// value: the JSON-like type of attributes and files. null, int64, uint64, float (double), string,
// bool, binary, array, or object. Every value may carry a key; an object is an ordered list of
// keyed values with unique keys. Strings, binaries and keys are immutable and shared between
// copies.
#ifndef MIGRAPHX_GUARD_VALUE_HPP
#define MIGRAPHX_GUARD_VALUE_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <limits>
#include <memory>
#include <migraphx/errors.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace migraphx {

class value;

namespace value_detail {

template <class T, class = void>
struct is_range : std::false_type {};
template <class T>
struct is_range<T, std::void_t<decltype(std::begin(std::declval<const T&>())),
                               decltype(std::end(std::declval<const T&>()))>> : std::true_type {};

// half, bf16 and the 8-bit floats.
template <class T>
constexpr bool is_small_float =
    std::is_class<T>{} and std::numeric_limits<T>::is_specialized and
    not std::numeric_limits<T>::is_integer and std::is_convertible<T, float>{};

template <class T>
constexpr bool is_scalar = std::is_arithmetic<T>{} or std::is_enum<T>{} or is_small_float<T>;

template <class T>
constexpr bool is_text =
    std::is_convertible<T, std::string>{} or std::is_convertible<T, std::string_view>{};

template <class T>
struct literal_to_string {
    using type = T;
};
template <>
struct literal_to_string<const char*> {
    using type = std::string;
};
template <>
struct literal_to_string<char*> {
    using type = std::string;
};
template <std::size_t N>
struct literal_to_string<char[N]> {
    using type = std::string;
};

} // namespace value_detail

template <class T>
using literal_to_string = typename value_detail::literal_to_string<T>::type;

class value {
public:
    enum type_t {
        int64_type,
        uint64_type,
        float_type,
        string_type,
        bool_type,
        binary_type,
        object_type,
        array_type,
        null_type
    };

    // Bytes. Copies share the memory until one of them is written through a non-const member.
    class binary {
    public:
        using value_type = std::uint8_t;
        using iterator = std::uint8_t*;
        using const_iterator = const std::uint8_t*;
        using reference = std::uint8_t&;
        using const_reference = const std::uint8_t&;

        binary() = default;
        // n zero bytes.
        explicit binary(std::size_t n);
        binary(const void* bytes, std::size_t n);
        // Refers to memory that `owner` keeps alive, without copying it.
        binary(std::shared_ptr<const void> owner, const void* bytes, std::size_t n);
        template <class Container,
                  std::enable_if_t<sizeof(*std::declval<const Container&>().begin()) == 1 and
                                       not std::is_base_of<binary, Container>{},
                                   int> = 0>
        binary(const Container& c) : binary(c.size()) {
            auto* out = data();
            for (const auto& x : c)
                *out++ = static_cast<std::uint8_t>(x);
        }

        std::size_t size() const { return count; }
        bool empty() const { return count == 0; }
        const std::uint8_t* data() const { return bytes; }
        const std::uint8_t* begin() const { return bytes; }
        const std::uint8_t* end() const { return bytes + count; }
        const std::uint8_t& operator[](std::size_t i) const { return bytes[i]; }
        const std::uint8_t& front() const { return bytes[0]; }
        const std::uint8_t& back() const { return bytes[count - 1]; }
        std::uint8_t* data() { return make_unique(); }
        std::uint8_t* begin() { return make_unique(); }
        std::uint8_t* end() { return make_unique() + count; }
        std::uint8_t& operator[](std::size_t i) { return make_unique()[i]; }
        void resize(std::size_t n);
        void push_back(std::uint8_t x);
        // What keeps the memory alive.
        const std::shared_ptr<const void>& owner() const { return memory; }

        friend bool operator==(const binary& x, const binary& y) { return compare(x, y) == 0; }
        friend bool operator!=(const binary& x, const binary& y) { return compare(x, y) != 0; }
        friend bool operator<(const binary& x, const binary& y) { return compare(x, y) < 0; }
        static int compare(const binary& x, const binary& y);

    private:
        std::uint8_t* make_unique();
        std::shared_ptr<const void> memory;
        const std::uint8_t* bytes = nullptr;
        std::size_t count = 0;
        bool owned = false;
    };

    using array = std::vector<value>;
    using object = std::unordered_map<std::string, value>;
    using value_type = value;
    using iterator = value*;
    using const_iterator = const value*;
    using reference = value&;
    using const_reference = const value&;
    using pointer = value*;
    using const_pointer = const value*;

    value() noexcept : kind(null_type), flags(0), key(nullptr) { data_.u = 0; }
    value(std::nullptr_t) noexcept : value() {}
    value(const value& rhs);
    value(value&& rhs) noexcept : kind(rhs.kind), flags(rhs.flags), key(rhs.key), data_(rhs.data_) {
        rhs.kind = null_type;
        rhs.flags = 0;
        rhs.key = nullptr;
    }
    ~value() {
        if (kind >= string_type and kind != bool_type and kind != null_type)
            release();
        if (key != nullptr)
            release_key();
    }

    // {text, x} is x with the key `text`; a list of keyed values is an object; others are arrays.
    value(const std::initializer_list<value>& i);
    value(const array& v, bool array_on_empty = true);
    value(array&& v, bool array_on_empty = true);
    value(const object& m);
    value(const char* s);
    value(std::string_view s);
    value(const std::string& s) : value(std::string_view(s)) {}
    value(binary b);

    // Numbers and enums. Signed become int64, unsigned uint64, floating double.
    template <class T, std::enable_if_t<value_detail::is_scalar<T>, int> = 0>
    value(T x) noexcept : value() {
        assign_scalar(x);
    }

    // Ranges of anything that converts to value. Pairs with text first become an object.
    template <class T, std::enable_if_t<
                           value_detail::is_range<T>{} and not value_detail::is_text<T> and
                               not std::is_base_of<binary, T>{} and not std::is_base_of<value, T>{},
                           int> = 0>
    value(const T& range) : value(from_range(range), true) {}

    template <class T, class U>
    value(const std::pair<T, U>& p) : value(from_pair(p)) {}

    // Keyed values.
    value(const std::string& pkey, const value& rhs);
    value(const std::string& pkey, value&& rhs);
    value(const std::string& pkey, const std::initializer_list<value>& i);
    value(const std::string& pkey, const array& v, bool array_on_empty = true);
    value(const std::string& pkey, const object& m);
    value(const std::string& pkey, std::nullptr_t);
    value(const std::string& pkey, const char* s);
    template <class T, std::enable_if_t<std::is_convertible<const T&, value>{} and
                                            not std::is_base_of<value, T>{},
                                        int> = 0>
    value(const std::string& pkey, const T& x) : value(pkey, value(x)) {}

    // Assigning to an item of an object keeps the item's key; so does assigning a plain number,
    // text or range to any value.
    value& operator=(const value& rhs);
    value& operator=(value&& rhs) noexcept;
    value& operator=(const std::initializer_list<value>& i);
    value& operator=(std::nullptr_t);
    template <class T, std::enable_if_t<std::is_convertible<const T&, value>{} and
                                            not std::is_base_of<value, T>{},
                                        int> = 0>
    value& operator=(const T& rhs) {
        return assign_content(value(rhs));
    }

    type_t get_type() const noexcept { return static_cast<type_t>(kind); }
    bool is_null() const noexcept { return kind == null_type; }
    bool is_int64() const noexcept { return kind == int64_type; }
    bool is_uint64() const noexcept { return kind == uint64_type; }
    bool is_float() const noexcept { return kind == float_type; }
    bool is_string() const noexcept { return kind == string_type; }
    bool is_bool() const noexcept { return kind == bool_type; }
    bool is_binary() const noexcept { return kind == binary_type; }
    bool is_array() const noexcept { return kind == array_type; }
    bool is_object() const noexcept { return kind == object_type; }

    // The content; throws when the value is of another kind. Integers that fit both kinds serve as
    // either.
    const std::int64_t& get_int64() const { return expect_int(int64_type).data_.i; }
    const std::uint64_t& get_uint64() const { return expect_int(uint64_type).data_.u; }
    const double& get_float() const { return expect(float_type).data_.d; }
    const bool& get_bool() const { return expect(bool_type).data_.b; }
    const std::string& get_string() const;
    const binary& get_binary() const;
    const array& get_array() const;
    const array& get_object() const;

    // The content, or null when the value is of another kind.
    const std::int64_t* if_int64() const { return is_int64() ? &data_.i : nullptr; }
    const std::uint64_t* if_uint64() const { return is_uint64() ? &data_.u : nullptr; }
    const double* if_float() const { return is_float() ? &data_.d : nullptr; }
    const bool* if_bool() const { return is_bool() ? &data_.b : nullptr; }
    const std::string* if_string() const { return is_string() ? &get_string() : nullptr; }
    const binary* if_binary() const { return is_binary() ? &get_binary() : nullptr; }
    const array* if_array() const { return is_array() ? &get_array() : nullptr; }
    const array* if_object() const { return is_object() ? &get_object() : nullptr; }

    // Lookup by key, in objects.
    value* find(const std::string& pkey);
    const value* find(const std::string& pkey) const;
    bool contains(const std::string& pkey) const;
    value& at(const std::string& pkey);
    const value& at(const std::string& pkey) const;
    // Adds a null item when there is none.
    value& operator[](const std::string& pkey);
    value& operator[](const char* pkey) { return (*this)[std::string(pkey)]; }

    // Items of arrays and objects; other kinds have none.
    std::size_t size() const noexcept;
    bool empty() const noexcept { return size() == 0; }
    value* data() noexcept;
    const value* data() const noexcept;
    value* begin() noexcept { return data(); }
    const value* begin() const noexcept { return data(); }
    value* end() noexcept { return data() + size(); }
    const value* end() const noexcept { return data() + size(); }
    value& front() { return at(std::size_t{0}); }
    const value& front() const { return at(std::size_t{0}); }
    value& back() { return at(size() - 1); }
    const value& back() const { return at(size() - 1); }
    value& at(std::size_t i);
    const value& at(std::size_t i) const;
    template <class I, std::enable_if_t<std::is_integral<I>{}, int> = 0>
    value& operator[](I i) {
        return at(static_cast<std::size_t>(i));
    }
    template <class I, std::enable_if_t<std::is_integral<I>{}, int> = 0>
    const value& operator[](I i) const {
        return at(static_cast<std::size_t>(i));
    }

    // A keyed value goes into an object (false and the present item when the key is taken), one
    // without into an array; null becomes what is needed.
    std::pair<value*, bool> insert(const value& v) { return insert(value(v)); }
    std::pair<value*, bool> insert(value&& v);
    value* insert(const value* pos, const value& v);
    template <class... Ts>
    std::pair<value*, bool> emplace(Ts&&... xs) {
        return insert(value(std::forward<Ts>(xs)...));
    }
    template <class... Ts>
    value* emplace(const value* pos, Ts&&... xs) {
        return insert(pos, value(std::forward<Ts>(xs)...));
    }
    void push_back(const value& v) { insert(v); }
    void push_back(value&& v) { insert(std::move(v)); }
    void push_front(const value& v) { insert(begin(), v); }
    void reserve(std::size_t n);
    void resize(std::size_t n);
    void resize(std::size_t n, const value& v);
    void clear();

    const std::string& get_key() const noexcept;
    value without_key() const;
    value with_key(const std::string& pkey) const;

    // Calls v with the content: nullptr, int64_t, uint64_t, double, string, bool, binary or vector
    // of values; visit wraps it in a pair with the key when there is one.
    template <class Visitor>
    void visit_value(Visitor v) const {
        switch (get_type()) {
        case int64_type:
            v(get_int64());
            return;
        case uint64_type:
            v(get_uint64());
            return;
        case float_type:
            v(get_float());
            return;
        case string_type:
            v(get_string());
            return;
        case bool_type:
            v(get_bool());
            return;
        case binary_type:
            v(get_binary());
            return;
        case object_type:
            v(get_object());
            return;
        case array_type:
            v(get_array());
            return;
        case null_type:
            break;
        }
        const std::nullptr_t null{};
        v(null);
    }
    template <class Visitor>
    void visit(Visitor v) const {
        if (key == nullptr)
            return visit_value(v);
        visit_value([&](const auto& x) { v(std::make_pair(get_key(), std::cref(x))); });
    }

    // Conversion between kinds: any number to any other, text to and from numbers, bool as 0 and 1.
    // Throws when the text is no number, or the number does not fit (uint64 to int64 wraps).
    template <class To>
    literal_to_string<To> to() const {
        using type = std::remove_cv_t<literal_to_string<To>>;
        if constexpr (std::is_same<type, value>{})
            return *this;
        else if constexpr (std::is_same<type, bool>{})
            return as_bool();
        else if constexpr (std::is_enum<type>{})
            return static_cast<type>(to<std::underlying_type_t<type>>());
        else if constexpr (std::is_floating_point<type>{} or value_detail::is_small_float<type>)
            return static_cast<type>(as_double());
        else if constexpr (std::is_integral<type>{} and std::is_unsigned<type>{})
            return static_cast<type>(as_unsigned(std::numeric_limits<type>::max()));
        else if constexpr (std::is_integral<type>{})
            return static_cast<type>(
                as_signed(std::numeric_limits<type>::min(), std::numeric_limits<type>::max()));
        else if constexpr (std::is_same<type, binary>{})
            return get_binary();
        else if constexpr (value_detail::is_range<type>{} and not value_detail::is_text<type>)
            return to_container<type>();
        else
            return type(as_string());
    }

    template <class To>
    std::vector<To> to_vector() const {
        std::vector<To> result;
        result.reserve(size());
        check_list();
        for (const auto& x : *this)
            result.push_back(x.template to<To>());
        return result;
    }

    // The default when the value is null (get: or the key is absent).
    template <class To>
    literal_to_string<To> value_or(const To& default_value) const {
        if (is_null())
            return default_value;
        return to<literal_to_string<To>>();
    }
    template <class To>
    literal_to_string<To> get(const std::string& pkey, const To& default_value) const {
        const auto* x = find(pkey);
        if (x == end())
            return default_value;
        return x->template to<literal_to_string<To>>();
    }
    template <class To>
    std::vector<To> get(const std::string& pkey, const std::vector<To>& default_value) const {
        const auto* x = find(pkey);
        if (x == end())
            return default_value;
        return x->template to_vector<To>();
    }
    template <class To>
    std::vector<literal_to_string<To>> get(const std::string& pkey,
                                           const std::initializer_list<To>& default_value) const {
        const auto* x = find(pkey);
        if (x == end())
            return {default_value.begin(), default_value.end()};
        return x->template to_vector<literal_to_string<To>>();
    }

    // Total order: by key, kind, content. Numbers compare by value whatever their kind; objects are
    // equal when they have the same items in any order.
    static int compare(const value& x, const value& y);
    friend bool operator==(const value& x, const value& y) { return compare(x, y) == 0; }
    friend bool operator!=(const value& x, const value& y) { return compare(x, y) != 0; }
    friend bool operator<(const value& x, const value& y) { return compare(x, y) < 0; }
    friend bool operator<=(const value& x, const value& y) { return compare(x, y) <= 0; }
    friend bool operator>(const value& x, const value& y) { return compare(x, y) > 0; }
    friend bool operator>=(const value& x, const value& y) { return compare(x, y) >= 0; }
    std::size_t hash() const;

    // {1, 2} for arrays, {key: 1} for objects, text without quotes.
    friend std::ostream& operator<<(std::ostream& os, const value& v);
    void debug_print(bool show_type = false) const;

private:
    struct shared_string;
    struct object_data;
    enum flag : unsigned char {
        in_object = 1, // an item of an object: assignment keeps the key
        is_pair = 2    // made from the braced list {text, x}
    };

    template <class T>
    void assign_scalar(T x) noexcept {
        if constexpr (std::is_enum<T>{}) {
            assign_scalar(static_cast<std::underlying_type_t<T>>(x));
        } else if constexpr (std::is_same<T, bool>{}) {
            kind = bool_type;
            data_.b = x;
        } else if constexpr (std::is_integral<T>{} and std::is_unsigned<T>{}) {
            kind = uint64_type;
            data_.u = x;
        } else if constexpr (std::is_integral<T>{}) {
            kind = int64_type;
            data_.i = x;
        } else {
            kind = float_type;
            data_.d = static_cast<double>(x);
        }
    }

    template <class T>
    static array from_range(const T& range) {
        using item = std::remove_cv_t<std::remove_reference_t<
            typename std::iterator_traits<decltype(std::begin(range))>::value_type>>;
        array result;
        for (auto&& x : range) {
            if constexpr (std::is_scalar<item>{})
                result.emplace_back(static_cast<item>(x));
            else
                result.emplace_back(x);
        }
        return result;
    }

    template <class T, class U>
    static value from_pair(const std::pair<T, U>& p) {
        if constexpr (value_detail::is_text<T>) {
            return value(std::string(p.first), value(p.second));
        } else {
            array items;
            items.emplace_back(p.first);
            items.emplace_back(p.second);
            return value(std::move(items));
        }
    }

    template <class Container>
    Container to_container() const {
        using item = std::remove_cv_t<typename Container::value_type>;
        check_list();
        Container result{};
        for (const auto& x : *this)
            result.insert(result.end(), x.template to<item>());
        return result;
    }

    const value& expect(type_t t) const {
        if (kind != t)
            wrong_kind(t);
        return *this;
    }
    const value& expect_int(type_t t) const {
        if (kind == (t == int64_type ? uint64_type : int64_type) and data_.i >= 0)
            return *this;
        return expect(t);
    }
    [[noreturn]] void wrong_kind(type_t expected) const;
    void check_list() const;
    bool as_bool() const;
    double as_double() const;
    std::int64_t as_signed(std::int64_t low, std::int64_t high) const;
    std::uint64_t as_unsigned(std::uint64_t high) const;
    std::string as_string() const;

    void release() noexcept;
    void release_key() noexcept;
    void set_key(std::string_view k);
    void take_content(value& rhs) noexcept;
    value& assign_content(value&& rhs);
    void set_items(array&& v, bool array_on_empty);
    object_data& make_object();

    union content {
        std::int64_t i;
        std::uint64_t u;
        double d;
        bool b;
        shared_string* s;
        binary* bin;
        array* a;
        object_data* o;
    };

    unsigned char kind;
    unsigned char flags;
    shared_string* key;
    content data_;
};

const char* to_string(value::type_t t);

} // namespace migraphx

namespace std {
template <>
struct hash<migraphx::value> // NOLINT
{
    size_t operator()(const migraphx::value& v) const { return v.hash(); }
};
} // namespace std
#endif
