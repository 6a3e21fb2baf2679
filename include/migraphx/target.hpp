// SPDX-License-Identifier: MIT
// Where programs run: a list of passes, a context, memory, and how a compiled program is executed.
#ifndef MIGRAPHX_TARGET_HPP
#define MIGRAPHX_TARGET_HPP

#include <memory>
#include <migraphx/argument.hpp>
#include <migraphx/compile_options.hpp>
#include <migraphx/context.hpp>
#include <migraphx/pass.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace migraphx {

struct program;
struct executable;

namespace detail {
template <class T, class = void>
struct target_has_copy : std::false_type {};
template <class T>
struct target_has_copy<
    T, std::void_t<decltype(std::declval<const T&>().copy_to(std::declval<const argument&>())),
                   decltype(std::declval<const T&>().copy_from(std::declval<const argument&>()))>>
    : std::true_type {};
template <class T, class = void>
struct target_has_allocate : std::false_type {};
template <class T>
struct target_has_allocate<
    T, std::void_t<decltype(std::declval<const T&>().allocate(std::declval<const shape&>()))>>
    : std::true_type {};
template <class T, class = void>
struct target_has_executable : std::false_type {};
template <class T>
struct target_has_executable<
    T, std::void_t<decltype(std::declval<const T&>().make_executable(
           std::declval<const program&>(), std::declval<const compile_options&>()))>>
    : std::true_type {};
} // namespace detail

/// Type-erased target. A user's type has `name()`, `get_passes(context&, const compile_options&)`
/// and `get_context()`; `copy_to`, `copy_from`, `allocate` and `make_executable` are optional.
/// Without the last, a compiled program is evaluated instruction by instruction.
struct target {
    target() = default;

    template <class T, class = std::enable_if_t<not std::is_same<std::decay_t<T>, target>::value>,
              class = decltype(std::declval<const T&>().name())>
    target(T x) : m_self(std::make_shared<holder<T>>(std::move(x))) {}

    bool empty() const { return m_self == nullptr; }
    std::string name() const { return m_self->name(); }
    std::vector<pass> get_passes(context& ctx, const compile_options& options) const {
        return m_self->passes(ctx, options);
    }
    context get_context() const { return m_self->make_context(); }
    argument copy_to(const argument& arg) const { return m_self->copy_to(arg); }
    argument copy_from(const argument& arg) const { return m_self->copy_from(arg); }
    argument allocate(const shape& s) const { return m_self->allocate(s); }
    /// Null when the target has none of its own.
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return m_self->make_executable(p, options);
    }

private:
    struct base {
        virtual ~base() = default;
        virtual std::string name() const = 0;
        virtual std::vector<pass> passes(context&, const compile_options&) const = 0;
        virtual context make_context() const = 0;
        virtual argument copy_to(const argument&) const = 0;
        virtual argument copy_from(const argument&) const = 0;
        virtual argument allocate(const shape&) const = 0;
        virtual std::shared_ptr<executable> make_executable(const program&,
                                                            const compile_options&) const = 0;
    };
    template <class T>
    struct holder : base {
        explicit holder(T x) : object(std::move(x)) {}
        std::string name() const override { return object.name(); }
        std::vector<pass> passes(context& ctx, const compile_options& o) const override {
            return object.get_passes(ctx, o);
        }
        context make_context() const override { return object.get_context(); }
        argument copy_to(const argument& a) const override {
            if constexpr (detail::target_has_copy<T>::value)
                return object.copy_to(a);
            else
                return a;
        }
        argument copy_from(const argument& a) const override {
            if constexpr (detail::target_has_copy<T>::value)
                return object.copy_from(a);
            else
                return a;
        }
        argument allocate(const shape& s) const override {
            if constexpr (detail::target_has_allocate<T>::value)
                return object.allocate(s);
            else
                return argument{s};
        }
        std::shared_ptr<executable> make_executable(const program& p,
                                                    const compile_options& o) const override {
            if constexpr (detail::target_has_executable<T>::value)
                return object.make_executable(p, o);
            else
                return nullptr;
        }
        T object;
    };
    std::shared_ptr<const base> m_self;
};

} // namespace migraphx
#endif
