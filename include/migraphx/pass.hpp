// SPDX-License-Identifier: MIT
// A transformation of a program: any copyable type with a name and one of three apply members.
#ifndef MIGRAPHX_PASS_HPP
#define MIGRAPHX_PASS_HPP

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace migraphx {

struct module;
struct program;
struct module_pass_manager;

namespace detail {
template <class T, class Arg, class = void>
struct pass_applies_to : std::false_type {};
template <class T, class Arg>
struct pass_applies_to<T, Arg,
                       std::void_t<decltype(std::declval<const T&>().apply(std::declval<Arg&>()))>>
    : std::true_type {};
} // namespace detail

/// Value type. `apply(module&)`, `apply(module_pass_manager&)` or `apply(program&)`, all const.
struct pass {
    pass() = default;

    template <class T, class = std::enable_if_t<not std::is_same<std::decay_t<T>, pass>::value>>
    pass(T p) : m_name([p] { return std::string(p.name()); }) {
        // A module is convertible to a program, so the narrower forms are looked for first.
        if constexpr (detail::pass_applies_to<T, module_pass_manager>::value and
                      not takes_anything<T>())
            m_manager = [p](module_pass_manager& mpm) { p.apply(mpm); };
        else if constexpr (detail::pass_applies_to<T, module>::value)
            m_module = [p](module& m) { p.apply(m); };
        if constexpr (detail::pass_applies_to<T, program>::value and not takes_anything<T>())
            m_program = [p](program& prog) { p.apply(prog); };
    }

    std::string name() const { return m_name ? m_name() : std::string{}; }
    void apply(module& m) const {
        if (m_module)
            m_module(m);
    }
    void apply(program& p) const {
        if (m_program)
            m_program(p);
    }
    void apply(module_pass_manager& mpm) const;
    bool empty() const { return not m_name; }

private:
    struct nothing {};
    template <class T>
    static constexpr bool takes_anything() {
        return detail::pass_applies_to<T, nothing>::value;
    }
    std::function<std::string()> m_name;
    std::function<void(module&)> m_module;
    std::function<void(module_pass_manager&)> m_manager;
    std::function<void(program&)> m_program;
};

/// The pass, or one that does nothing.
pass enable_pass(bool enabled, pass p);

} // namespace migraphx
#endif
