// SPDX-License-Identifier: MIT
// What passes need that make one operator of a convolution and what stands before it.
#pragma once

#include "targets/cpu/lower/row_epilogue.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>

#include <string>

namespace migraphx::cpu {

inline bool is_convolution(instruction_ref ins) {
    return ins->name() == "convolution" or ins->name() == "cpu::convolution";
}

/// Without its epilogue.
inline operation plain_convolution(instruction_ref ins) {
    return make_op("convolution", ins->get_operator().to_value());
}

/// Its epilogue, if it has one, in the form that the kernels take.
inline std::optional<planned_epilogue> epilogue_of(instruction_ref ins) {
    std::string reason;
    const auto& modules = ins->module_inputs();
    return plan_row_epilogue(inputs_of(ins), modules.empty() ? nullptr : modules.front(), 2,
                             ins->get_shape(), reason);
}

/// The convolution's own module, or one that does nothing.
inline module_ref body_of(module_pass_manager& mpm, instruction_ref ins, const std::string& name) {
    if (not ins->module_inputs().empty())
        return ins->module_inputs().front();
    module empty;
    empty.add_return({empty.add_parameter("x0", shape{shape::float_type})});
    auto* body = mpm.create_module(mpm.get_module().name() + name, std::move(empty));
    body->set_bypass();
    return body;
}

} // namespace migraphx::cpu
