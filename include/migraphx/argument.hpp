// SPDX-License-Identifier: MIT
// A tensor (or a tuple of tensors) at run time: a shape and the memory it describes.
#ifndef MIGRAPHX_ARGUMENT_HPP
#define MIGRAPHX_ARGUMENT_HPP

#include <functional>
#include <memory>
#include <migraphx/raw_data.hpp>
#include <migraphx/shape.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace migraphx {

class value;

/// Owning or referring tensor. Copies share the memory; `copy()` duplicates it.
struct argument : raw_data<argument> {
    argument() = default;

    /// Owns fresh memory, zero-filled and 64-byte aligned. Throws when the size cannot be had.
    explicit argument(const shape& s);

    /// Refers to the caller's memory of at least `s.bytes()` bytes; the caller keeps it alive.
    template <class T>
    argument(shape s, T* d) : m_shape(std::move(s)), m_data(std::shared_ptr<char>{}, to_bytes(d)) {}
    argument(shape s, std::nullptr_t) : m_shape(std::move(s)) {}

    /// Shares the memory of `d`.
    template <class T>
    argument(shape s, std::shared_ptr<T> d) : m_shape(std::move(s)) {
        char* p = to_bytes(d.get());
        m_data = std::shared_ptr<char>(std::move(d), p);
    }

    /// `d()` returns the pointer; the function object is kept, and so is what it captured.
    template <class F, class R = decltype(std::declval<F&>()()),
              std::enable_if_t<std::is_pointer<R>::value, int> = 0>
    argument(shape s, F d) : m_shape(std::move(s)) {
        auto owner = std::make_shared<F>(std::move(d));
        char* p = to_bytes((*owner)());
        m_data = std::shared_ptr<char>(std::move(owner), p);
    }

    /// Tuple of the given arguments.
    argument(const std::vector<argument>& args);

    /// Fresh 64-byte aligned memory whose content is unspecified.
    static argument uninitialized(const shape& s);

    const shape& get_shape() const { return m_shape; }
    char* data() const { return m_data.get(); }
    bool empty() const { return m_data == nullptr and m_subs.empty(); }

    /// Same memory seen through another shape, starting `byte_offset` bytes further on.
    argument reshape(const shape& s) const;
    argument view(const shape& s, std::size_t byte_offset) const;
    /// Duplicate with own memory in the same layout.
    argument copy() const;
    /// Refers to the same memory and shares its ownership.
    argument share() const { return *this; }

    std::vector<argument> get_sub_objects() const { return m_subs; }
    /// One element (logical index) as an argument of shape {1} on the same memory.
    argument element(std::size_t i) const;
    /// New argument with the elements converted to `t` by the rules of the `convert` operator.
    argument convert(shape::type_t t) const;

    template <class Iterator>
    void fill(Iterator first, Iterator last) {
        visit([&](auto view) {
            auto it = view.begin();
            for (auto i = first; i != last; ++i, ++it)
                *it = static_cast<std::decay_t<decltype(*it)>>(*i);
        });
    }

    /// Owner handle; keeps the memory alive. Null when the memory is the caller's.
    const std::shared_ptr<char>& handle() const { return m_data; }

    friend bool operator==(const argument& x, const argument& y);

private:
    template <class T>
    static char* to_bytes(T* p) {
        return reinterpret_cast<char*>(const_cast<std::remove_cv_t<T>*>(p));
    }

    shape m_shape;
    std::shared_ptr<char> m_data = nullptr;
    std::vector<argument> m_subs;
};

/// A tensor of strings (UTF-8 or any bytes) with these elements in logical order. Their characters
/// lie behind the elements in one block of memory, which copies and views share.
argument string_argument(const shape& s, const std::vector<std::string_view>& values);
/// The elements of a tensor of strings in logical order; valid as long as the argument's memory.
std::vector<std::string_view> strings_of(const argument& a);
/// `a`, or where it is or contains a tensor of strings, one with characters of its own: for results
/// whose elements were moved out of other tensors.
argument with_own_strings(const argument& a);

using parameter_map = std::unordered_map<std::string, argument>;

/// Leaves of nested tuples in order.
std::vector<argument> flatten(const std::vector<argument>& args);
std::vector<shape> to_shapes(const std::vector<argument>& args);

/// MessagePack file with the shape and the data of one argument.
void save_argument(const argument& a, const std::string& filename);
argument load_argument(const std::string& filename);

value argument_to_value(const argument& x);
// A template: a list of arguments must not be saved as an argument.
template <class T, std::enable_if_t<std::is_same<T, argument>::value, int> = 0>
void migraphx_to_value(value& v, const T& x) {
    v = argument_to_value(x);
}
void migraphx_from_value(const value& v, argument& a);

} // namespace migraphx
#endif
