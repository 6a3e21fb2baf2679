// SPDX-License-Identifier: MIT
// Operands brought to a common type and common dimensions.
#ifndef MIGRAPHX_COMMON_HPP
#define MIGRAPHX_COMMON_HPP

#include <migraphx/common_shape.hpp>
#include <migraphx/module.hpp>
#include <migraphx/operation.hpp>
#include <vector>

namespace migraphx {

struct common_options {
    bool common_type = true;
    bool common_lens = true;
};

/// Operands converted (`convert`) and broadcast (`multibroadcast`) as needed; with dynamic shapes
/// every operand is broadcast, so that all of them take the common size at run time.
std::vector<instruction_ref> insert_common_args(module& m, instruction_ref ins,
                                                std::vector<instruction_ref> inputs,
                                                common_options options = {});
std::vector<instruction_ref> add_common_args(module& m, std::vector<instruction_ref> inputs,
                                             common_options options = {});

/// The operation on common operands. Throws when dimensions do not broadcast.
instruction_ref insert_common_op(module& m, instruction_ref ins, const operation& op,
                                 std::vector<instruction_ref> inputs, common_options options = {});
instruction_ref insert_common_op(module& m, instruction_ref ins, const std::string& op_name,
                                 std::vector<instruction_ref> inputs, common_options options = {});
instruction_ref add_common_op(module& m, const operation& op, std::vector<instruction_ref> inputs,
                              common_options options = {});
instruction_ref add_common_op(module& m, const std::string& op_name,
                              std::vector<instruction_ref> inputs, common_options options = {});

} // namespace migraphx
#endif
