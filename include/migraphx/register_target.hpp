// SPDX-License-Identifier: MIT
// The targets known by name; libmigraphx_<name>.so is loaded on demand.
#ifndef MIGRAPHX_REGISTER_TARGET_HPP
#define MIGRAPHX_REGISTER_TARGET_HPP

#include <migraphx/target.hpp>
#include <string>
#include <vector>

namespace migraphx {

void register_target(const target& t);
void unregister_target(const std::string& name);

template <class T>
void register_target() {
    register_target(target{T{}});
}

/// Throws for a name that is neither registered nor loadable; the message says what was tried.
target make_target(const std::string& name);
/// Names of the targets that are registered or can be loaded here, sorted.
std::vector<std::string> get_targets();

struct target_handler {
    template <class T>
    static void apply() {
        register_target<T>();
    }
};

#define MIGRAPHX_REGISTER_TARGET_CAT_(a, b) a##b
#define MIGRAPHX_REGISTER_TARGET_CAT(a, b) MIGRAPHX_REGISTER_TARGET_CAT_(a, b)
#define MIGRAPHX_REGISTER_TARGET(...)                                                              \
    static const bool MIGRAPHX_REGISTER_TARGET_CAT(migraphx_register_target_, __LINE__) =          \
        (::migraphx::register_target<__VA_ARGS__>(), true);

} // namespace migraphx
#endif
