// SPDX-License-Identifier: MIT
// Environment variables by type: MIGRAPHX_DECLARE_ENV_VAR(MIGRAPHX_X), then enabled(MIGRAPHX_X{}).
// Declared names join the list of known settings. A variable is read once, at its first use.
#ifndef MIGRAPHX_GUARD_ENV_HPP
#define MIGRAPHX_GUARD_ENV_HPP

#include <cstddef>
#include <string>

// At namespace scope.
#define MIGRAPHX_DECLARE_ENV_VAR(x)                                                                \
    struct x {                                                                                     \
        static constexpr const char* value() { return #x; }                                        \
        static inline const bool known = ::migraphx::declare_env(#x);                              \
    };

namespace migraphx {

// Makes the name known, so that it raises no warning; returns true.
bool declare_env(const char* name);

// On for 1, enable, enabled, yes and true; off for anything else.
bool enabled(const char* name);
// On for 0, disable, disabled, no and false.
bool disabled(const char* name);
std::size_t value_of(const char* name, std::size_t fallback = 0);
std::string string_value_of(const char* name, std::string fallback = "");

template <class T>
bool enabled(T) {
    static const bool result = migraphx::enabled(T::value());
    return result;
}

template <class T>
bool disabled(T) {
    static const bool result = migraphx::disabled(T::value());
    return result;
}

template <class T>
std::size_t value_of(T, std::size_t fallback = 0) {
    static const std::size_t result = migraphx::value_of(T::value(), fallback);
    return result;
}

template <class T>
std::string string_value_of(T, std::string fallback = "") {
    static const std::string result = migraphx::string_value_of(T::value(), std::move(fallback));
    return result;
}

} // namespace migraphx
#endif
