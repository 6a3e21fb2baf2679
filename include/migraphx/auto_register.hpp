// SPDX-License-Identifier: MIT
// auto_register<Action, T>: calls Action::apply<T>() once while the library is loaded, for every
// class that derives from it. MIGRAPHX_AUTO_REGISTER(Action, T) does it for a class that does not.
#ifndef MIGRAPHX_GUARD_AUTO_REGISTER_HPP
#define MIGRAPHX_GUARD_AUTO_REGISTER_HPP

namespace migraphx {

template <class Action, class T>
bool auto_register_action() {
    Action::template apply<T>();
    return true;
}

template <class Action, class T>
struct auto_register {
    static const bool static_register;
    // Using the variable here makes the compiler emit it.
    static void use() { static_cast<void>(static_register); }
    auto_register() { use(); }
};

template <class Action, class T>
const bool auto_register<Action, T>::static_register = auto_register_action<Action, T>();

} // namespace migraphx

#define MIGRAPHX_AUTO_REGISTER_NAME_DETAIL(x) migraphx_auto_register_##x
#define MIGRAPHX_AUTO_REGISTER_NAME(x) MIGRAPHX_AUTO_REGISTER_NAME_DETAIL(x)
#define MIGRAPHX_AUTO_REGISTER(...)                                                                \
    [[maybe_unused]] static const bool MIGRAPHX_AUTO_REGISTER_NAME(__LINE__) =                     \
        migraphx::auto_register_action<__VA_ARGS__>();

#endif
