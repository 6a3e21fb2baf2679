// SPDX-License-Identifier: MIT
// What a target keeps for a compiled program between runs: a queue, a device.
#ifndef MIGRAPHX_CONTEXT_HPP
#define MIGRAPHX_CONTEXT_HPP

#include <memory>
#include <migraphx/any_ptr.hpp>
#include <migraphx/value.hpp>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace migraphx {

namespace detail {
template <class T, class = void>
struct context_has_finish : std::false_type {};
template <class T>
struct context_has_finish<T, std::void_t<decltype(std::declval<const T&>().finish())>>
    : std::true_type {};
template <class T, class = void>
struct context_has_queue : std::false_type {};
template <class T>
struct context_has_queue<T, std::void_t<decltype(std::declval<T&>().get_queue())>>
    : std::true_type {};
} // namespace detail

/// Type-erased execution context. A user's type needs nothing; `finish() const` (wait for all
/// queued work) and `get_queue()` are used when present.
struct context {
    context() = default;

    template <class T, class = std::enable_if_t<not std::is_same<std::decay_t<T>, context>::value>>
    context(T x) : m_self(std::make_shared<holder<T>>(std::move(x))) {}

    bool empty() const { return m_self == nullptr; }
    void finish() const {
        if (m_self)
            m_self->finish();
    }
    any_ptr get_queue() { return m_self ? m_self->queue() : any_ptr{}; }
    value to_value() const { return {}; }
    void from_value(const value&) {}

    template <class T>
    T* any_cast() {
        auto* p = dynamic_cast<holder<T>*>(m_self.get());
        return p == nullptr ? nullptr : &p->object;
    }

private:
    struct base {
        virtual ~base() = default;
        virtual void finish() const = 0;
        virtual any_ptr queue() = 0;
    };
    template <class T>
    struct holder : base {
        explicit holder(T x) : object(std::move(x)) {}
        void finish() const override {
            if constexpr (detail::context_has_finish<T>::value)
                object.finish();
        }
        any_ptr queue() override {
            if constexpr (detail::context_has_queue<T>::value)
                return object.get_queue();
            else
                return {};
        }
        T object;
    };
    std::shared_ptr<base> m_self;
};

} // namespace migraphx
#endif
