// SPDX-License-Identifier: MIT
// An operator with its attribute values, without its operands.
#ifndef MIGRAPHX_OPERATION_HPP
#define MIGRAPHX_OPERATION_HPP

#include <iosfwd>
#include <memory>
#include <migraphx/op_info.hpp>
#include <migraphx/reflect.hpp>
#include <migraphx/serialize.hpp>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace migraphx {

struct operation;

namespace detail {
template <class T>
const op_info& user_op_info();

// A registered operator's plain attribute struct (`op::convolution` …) names its operator here.
template <class T, class = void>
struct is_registered_struct : std::false_type {};
template <class T>
struct is_registered_struct<T, std::void_t<typename T::registered_operator>> : std::true_type {};
} // namespace detail

/// Value type: a reference to the operator's record and shared, immutable attributes.
/// Any user's struct with `name()` and `compute_shape(inputs)` converts to it; `compute`,
/// `reflect`, `output_alias`, `finalize`, `attributes` are used when present.
struct operation {
    operation() = default;

    template <class T, class D = std::decay_t<T>,
              class = std::enable_if_t<not std::is_same<D, operation>::value>,
              class = decltype(std::declval<const D&>().name())>
    operation(T&& x) {
        if constexpr (detail::is_registered_struct<D>::value)
            *this = from_registered(x.name(), migraphx::to_value(static_cast<const D&>(x)));
        else {
            m_info = &detail::user_op_info<D>();
            m_self = std::make_shared<D>(std::forward<T>(x));
        }
    }

    /// From a record and its attribute object (null: the defaults).
    operation(const op_info& info, std::shared_ptr<const void> self = nullptr);

    /// "" for an empty operation.
    std::string name() const;
    bool empty() const { return m_info == nullptr; }
    const op_info& info() const { return *m_info; }
    const void* self() const { return m_self.get(); }

    /// Attribute values by name, an object in the order of the fields.
    value to_value() const;
    /// Overrides the attributes given; throws for one that the operator does not have.
    void from_value(const value& v);
    /// One attribute; throws when the operator has none of that name.
    value attribute(const std::string& key) const;
    template <class T>
    T get(const std::string& key) const {
        return attribute(key).template to<T>();
    }
    template <class T>
    std::vector<T> get_vector(const std::string& key) const {
        return attribute(key).template to_vector<T>();
    }
    bool has_attribute(const std::string& key) const;

    /// Properties that passes ask for (`pointwise`, `reduce`, `normalize_axes` …).
    value attributes() const;

    /// Output shape; the operator's name and the input shapes are added to errors.
    shape compute_shape(const std::vector<shape>& input) const;
    shape compute_shape(const std::vector<shape>& input,
                        const std::vector<module_ref>& module_args) const;

    argument compute(const shape& output, const std::vector<argument>& input) const;
    argument compute(context& ctx, const shape& output, const std::vector<argument>& input) const;
    argument
    compute(const shape& output, const std::vector<argument>& input,
            const std::vector<module_ref>& module_args,
            std::function<std::vector<argument>(module_ref&,
                                                const std::unordered_map<std::string, argument>&)>
                run) const;
    argument compute(context* ctx, const shape& output, const std::vector<argument>& input,
                     const std::vector<module_ref>& module_args, const module_runner& run) const;

    std::vector<std::size_t> output_alias(const std::vector<shape>& input) const;
    void finalize(context& ctx, const shape& output, const std::vector<shape>& input);
    value compile(context& ctx, const shape& output, const std::vector<shape>& input);
    bool is_context_free() const;
    /// Has attributes that depend on the rank or lengths of input 0.
    bool need_normalization() const;
    /// Attributes in canonical form (non-negative axes …) for these inputs.
    operation normalized(const std::vector<shape>& input) const;

    friend bool operator==(const operation& x, const operation& y);
    friend bool operator!=(const operation& x, const operation& y) { return not(x == y); }
    /// `name[attr=value,attr={1, 2}]`
    friend std::ostream& operator<<(std::ostream& os, const operation& op);

private:
    static operation from_registered(const std::string& name, const value& attributes);

    const op_info* m_info = nullptr;
    std::shared_ptr<const void> m_self;
};

template <class ValueType>
const ValueType* any_cast(const operation* x) {
    return (x != nullptr and not x->empty() and x->info().type != nullptr and
            *x->info().type == typeid(ValueType))
               ? static_cast<const ValueType*>(x->self())
               : nullptr;
}

/// The attributes as the struct they came from; throws std::bad_cast for another operator.
template <class ValueType>
const ValueType& any_cast(const operation& x) {
    const auto* p = any_cast<ValueType>(&x);
    if (p == nullptr)
        throw std::bad_cast();
    return *p;
}
template <class ValueType>
ValueType& any_cast(operation& x) {
    return const_cast<ValueType&>(any_cast<ValueType>(static_cast<const operation&>(x)));
}
template <class ValueType>
ValueType* any_cast(operation* x) {
    return const_cast<ValueType*>(any_cast<ValueType>(static_cast<const operation*>(x)));
}

bool has_finalize(const operation& op);
bool is_context_free(const operation& op);
bool need_normalization(const operation& op);

/// Saved as {"name": …, "operator": {…}}.
value operation_to_value(const operation& op);
// A template: what converts to an operation must not be saved as one.
template <class T, std::enable_if_t<std::is_same<T, operation>::value, int> = 0>
void migraphx_to_value(value& v, const T& op) {
    v = operation_to_value(op);
}
void migraphx_from_value(const value& v, operation& op);

namespace detail {

template <class T>
struct op_traits {
    template <class U>
    static auto has_compute_ctx(int)
        -> decltype(std::declval<const U&>().compute(std::declval<context&>(),
                                                     std::declval<const shape&>(),
                                                     std::declval<const std::vector<argument>&>()),
                    std::true_type{});
    template <class U>
    static std::false_type has_compute_ctx(...);

    template <class U>
    static auto has_compute(int)
        -> decltype(std::declval<const U&>().compute(std::declval<const shape&>(),
                                                     std::declval<const std::vector<argument>&>()),
                    std::true_type{});
    template <class U>
    static std::false_type has_compute(...);

    template <class U>
    static auto has_compute_mod(int)
        -> decltype(std::declval<const U&>().compute(std::declval<const shape&>(),
                                                     std::declval<const std::vector<argument>&>(),
                                                     std::declval<const std::vector<module_ref>&>(),
                                                     std::declval<module_runner>()),
                    std::true_type{});
    template <class U>
    static std::false_type has_compute_mod(...);

    template <class U>
    static auto has_shape(int) -> decltype(
        std::declval<const U&>().compute_shape(std::declval<const std::vector<shape>&>()),
        std::true_type{});
    template <class U>
    static std::false_type has_shape(...);

    template <class U>
    static auto has_shape_mod(int) -> decltype(
        std::declval<const U&>().compute_shape(std::declval<const std::vector<shape>&>(),
                                               std::declval<const std::vector<module_ref>&>()),
        std::true_type{});
    template <class U>
    static std::false_type has_shape_mod(...);

    template <class U>
    static auto has_alias(int) -> decltype(
        std::declval<const U&>().output_alias(std::declval<const std::vector<shape>&>()),
        std::true_type{});
    template <class U>
    static std::false_type has_alias(...);

    template <class U>
    static auto has_finalize(int)
        -> decltype(std::declval<U&>().finalize(std::declval<context&>(),
                                                std::declval<const shape&>(),
                                                std::declval<const std::vector<shape>&>()),
                    std::true_type{});
    template <class U>
    static std::false_type has_finalize(...);

    template <class U>
    static auto has_attributes(int)
        -> decltype(std::declval<const U&>().attributes(), std::true_type{});
    template <class U>
    static std::false_type has_attributes(...);
};

// Calls g with field number `nth` of an object, which is a Member.
template <class Member>
struct nth_field {
    std::size_t nth;

    template <class Object, class G>
    void operator()(Object& object, G g) const {
        std::size_t i = 0;
        reflect_each(object, [&](auto& m, const auto&...) {
            if constexpr (std::is_same<std::decay_t<decltype(m)>, Member>::value)
                if (i == nth)
                    g(m);
            i++;
        });
    }
};

template <class T, class Member>
field_info reflected_field(const char* name, nth_field<Member> field) {
    field_info f;
    f.name = name;
    f.get = [field](const void* self) {
        value result;
        field(*static_cast<const T*>(self),
              [&](const Member& m) { result = migraphx::to_value(m); });
        return result;
    };
    f.set = [field](void* self, const value& v) {
        field(*static_cast<T*>(self), [&](Member& m) { migraphx::from_value(v, m); });
    };
    return f;
}

template <class T>
std::vector<field_info> reflected_fields() {
    std::vector<field_info> fields;
    if constexpr (is_reflectable<T>::value) {
        T probe = T();
        reflect_each(probe, [&](auto& member, const char* name, const auto&...) {
            using member_type = std::decay_t<decltype(member)>;
            fields.push_back(reflected_field<T>(name, nth_field<member_type>{fields.size()}));
        });
    }
    return fields;
}

template <class T>
op_info make_user_op_info() {
    using traits = op_traits<T>;
    op_info info;
    info.type = &typeid(T);
    info.clone = [](const void* p) -> std::shared_ptr<void> {
        return std::make_shared<T>(*static_cast<const T*>(p));
    };
    if constexpr (std::is_default_constructible<T>::value) {
        info.fields = reflected_fields<T>();
        info.create = []() -> std::shared_ptr<void> { return std::make_shared<T>(); };
        info.name = T{}.name();
    }
    info.display_name = [](const void* p) -> std::string {
        return static_cast<const T*>(p)->name();
    };
    info.infer = [](const void* p, const std::vector<shape>& in,
                    const std::vector<module_ref>& mods) -> shape {
        const auto& self = *static_cast<const T*>(p);
        (void)self;
        (void)mods;
        if constexpr (decltype(traits::template has_shape_mod<T>(0))::value) {
            if constexpr (decltype(traits::template has_shape<T>(0))::value)
                if (mods.empty())
                    return self.compute_shape(in);
            return self.compute_shape(in, mods);
        } else if constexpr (decltype(traits::template has_shape<T>(0))::value)
            return self.compute_shape(in);
        else
            MIGRAPHX_THROW(self.name() + ": an operator with compute_shape was expected, got none");
    };
    constexpr bool with_ctx = decltype(traits::template has_compute_ctx<T>(0))::value;
    constexpr bool plain = decltype(traits::template has_compute<T>(0))::value;
    constexpr bool with_mod = decltype(traits::template has_compute_mod<T>(0))::value;
    if constexpr (with_ctx or plain or with_mod)
        info.compute = [](const void* p, context* ctx, const shape& output,
                          const std::vector<argument>& in, const std::vector<module_ref>& mods,
                          const module_runner& run) -> argument {
            const auto& self = *static_cast<const T*>(p);
            (void)mods;
            (void)run;
            (void)ctx;
            if constexpr (decltype(traits::template has_compute_mod<T>(0))::value)
                return self.compute(output, in, mods, run);
            else if constexpr (decltype(traits::template has_compute<T>(0))::value)
                return self.compute(output, in);
            else {
                context none;
                return self.compute(ctx == nullptr ? none : *ctx, output, in);
            }
        };
    info.is_context_free = not with_ctx or plain;
    if constexpr (decltype(traits::template has_alias<T>(0))::value)
        info.output_alias = [](const void* p, const std::vector<shape>& in) {
            const auto alias = static_cast<const T*>(p)->output_alias(in);
            if constexpr (std::is_convertible<decltype(alias), std::vector<std::size_t>>::value)
                return std::vector<std::size_t>(alias);
            else
                return alias < 0 ? std::vector<std::size_t>{}
                                 : std::vector<std::size_t>{static_cast<std::size_t>(alias)};
        };
    if constexpr (decltype(traits::template has_finalize<T>(0))::value)
        info.finalize = [](void* p, context& ctx, const shape& out, const std::vector<shape>& in) {
            static_cast<T*>(p)->finalize(ctx, out, in);
        };
    if constexpr (decltype(traits::template has_attributes<T>(0))::value)
        info.attributes = [](const void* p) { return static_cast<const T*>(p)->attributes(); };
    return info;
}

template <class T>
const op_info& user_op_info() {
    static const op_info info = make_user_op_info<T>();
    return info;
}
} // namespace detail

} // namespace migraphx
#endif
