// SPDX-License-Identifier: MIT
#include "targets/cpu/post_ops.hpp"

#include <algorithm>

namespace migraphx::cpu {

dnnl::memory::desc dnnl_broadcast_desc(const shape& s, image_order order) {
    auto lens = s.lens();
    for (std::size_t i = 0; i < lens.size(); i++)
        if (s.strides()[i] == 0)
            lens[i] = 1;
    const shape part{s.type(), lens, s.strides()};
    const auto packed = dnnl_image_desc(part, order);
    return packed ? *packed : dnnl_desc(part);
}

bool is_per_channel(const shape& s, std::size_t channel_axis) {
    for (std::size_t i = 0; i < s.ndim(); i++) {
        if (i == channel_axis and s.lens()[i] != 1 and s.strides()[i] != 1)
            return false;
        if (i != channel_axis and s.lens()[i] != 1 and s.strides()[i] != 0)
            return false;
    }
    return true;
}

std::size_t epilogue_input(const module& m, const std::string& parameter,
                           std::size_t anchor_inputs) {
    auto names = m.get_parameter_names();
    std::sort(names.begin(), names.end());
    const auto at = std::size_t(std::find(names.begin(), names.end(), parameter) - names.begin());
    return anchor_inputs + at - 1; // "x0" sorts first and is no input
}

epilogue_result make_epilogue(const problem& p, std::size_t anchor_inputs, std::size_t channel_axis,
                              image_order order) {
    fused_epilogue result;
    result.attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (p.modules.empty())
        return {std::move(result), ""};
    const auto& m = *p.modules.front();
    const auto chain = as_post_operations(m, "x0");
    if (not chain)
        return {std::nullopt, "the epilogue is not a chain of post-operations"};
    dnnl::post_ops ops;
    int number = 0;
    for (std::size_t i = 0; i < chain->size(); i++) {
        const auto& op = (*chain)[i];
        if (op.what == post_operation::kind::eltwise) {
            ops.append_eltwise(op.algorithm, op.alpha, op.beta);
            number++;
            continue;
        }
        const auto input = epilogue_input(m, op.parameter, anchor_inputs);
        const auto& s = p.inputs.at(input);
        if (dnnl_type(s.type()) == dnnl::memory::data_type::undef)
            return {std::nullopt, "an operand of the epilogue has type " + s.type_string()};
        if (i == 0 and op.algorithm == dnnl::algorithm::binary_add and
            s.type() == shape::float_type and is_per_channel(s, channel_axis)) {
            result.bias = input;
            continue;
        }
        const auto desc = dnnl_broadcast_desc(s, order);
        ops.append_binary(op.algorithm, desc);
        dnnl_kernel::operand o{DNNL_ARG_ATTR_MULTIPLE_POST_OP(number) | DNNL_ARG_SRC_1, desc};
        o.index = input;
        result.operands.push_back(o);
        number++;
    }
    result.attr.set_post_ops(ops);
    return {std::move(result), ""};
}

} // namespace migraphx::cpu
