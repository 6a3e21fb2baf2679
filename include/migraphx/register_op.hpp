// SPDX-License-Identifier: MIT
// The operators known by name.
#ifndef MIGRAPHX_REGISTER_OP_HPP
#define MIGRAPHX_REGISTER_OP_HPP

#include <migraphx/operation.hpp>
#include <string>
#include <vector>

namespace migraphx {

/// Keeps the record for the life of the process; a later one of the same name replaces it.
void register_op_info(const op_info& info);
/// Makes `op`, with its attribute values as defaults, known by its name.
void register_op(const operation& op);
void unregister_op(const std::string& name);

template <class T>
void register_op() {
    register_op(operation{T{}});
}

bool has_op(const std::string& name);
/// The operation with default attributes; throws for an unknown name and suggests the nearest ones.
operation load_op(const std::string& name);
/// Sorted names.
std::vector<std::string> get_operators();

struct register_op_action {
    template <class T>
    static void apply() {
        register_op<T>();
    }
};

#define MIGRAPHX_REGISTER_OP_CAT_(a, b) a##b
#define MIGRAPHX_REGISTER_OP_CAT(a, b) MIGRAPHX_REGISTER_OP_CAT_(a, b)
#define MIGRAPHX_REGISTER_OP(...)                                                                  \
    static const bool MIGRAPHX_REGISTER_OP_CAT(migraphx_register_op_, __LINE__) =                  \
        (::migraphx::register_op<__VA_ARGS__>(), true);

} // namespace migraphx
#endif
