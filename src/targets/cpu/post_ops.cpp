// SPDX-License-Identifier: MIT
#include "targets/cpu/post_ops.hpp"

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

namespace {

using alg = dnnl::algorithm;

alg dnnl_algorithm(post_algorithm a) {
    switch (a) {
    case post_algorithm::linear:
        return alg::eltwise_linear;
    case post_algorithm::relu:
        return alg::eltwise_relu;
    case post_algorithm::clip:
        return alg::eltwise_clip_v2;
    case post_algorithm::elu:
        return alg::eltwise_elu;
    case post_algorithm::sigmoid:
        return alg::eltwise_logistic;
    case post_algorithm::tanh:
        return alg::eltwise_tanh;
    case post_algorithm::sqrt:
        return alg::eltwise_sqrt;
    case post_algorithm::exp:
        return alg::eltwise_exp;
    case post_algorithm::abs:
        return alg::eltwise_abs;
    case post_algorithm::swish:
        return alg::eltwise_swish;
    case post_algorithm::hardswish:
        return alg::eltwise_hardswish;
    case post_algorithm::hardsigmoid:
        return alg::eltwise_hardsigmoid;
    case post_algorithm::gelu_erf:
        return alg::eltwise_gelu_erf;
    case post_algorithm::gelu_tanh:
        return alg::eltwise_gelu_tanh;
    case post_algorithm::add:
        return alg::binary_add;
    case post_algorithm::sub:
        return alg::binary_sub;
    case post_algorithm::mul:
        return alg::binary_mul;
    case post_algorithm::div:
        return alg::binary_div;
    case post_algorithm::max:
        return alg::binary_max;
    case post_algorithm::min:
        return alg::binary_min;
    }
    return alg::undef;
}

} // namespace

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
        const auto algorithm = dnnl_algorithm(op.algorithm);
        if (not op.is_binary()) {
            ops.append_eltwise(algorithm, op.alpha, op.beta);
            number++;
            continue;
        }
        const auto input = epilogue_input(m, op.parameter, anchor_inputs);
        const auto& s = p.inputs.at(input);
        if (dnnl_type(s.type()) == dnnl::memory::data_type::undef)
            return {std::nullopt, "an operand of the epilogue has type " + s.type_string()};
        if (i == 0 and op.algorithm == post_algorithm::add and s.type() == shape::float_type and
            is_per_channel(s, channel_axis)) {
            result.bias = input;
            continue;
        }
        const auto desc = dnnl_broadcast_desc(s, order);
        ops.append_binary(algorithm, desc);
        dnnl_kernel::operand o{DNNL_ARG_ATTR_MULTIPLE_POST_OP(number) | DNNL_ARG_SRC_1, desc};
        o.index = input;
        result.operands.push_back(o);
        number++;
    }
    result.attr.set_post_ops(ops);
    return {std::move(result), ""};
}

} // namespace migraphx::cpu
