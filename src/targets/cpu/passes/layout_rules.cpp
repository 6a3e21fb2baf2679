// SPDX-License-Identifier: MIT
// Where the cpu target wants activations channels last.
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>

namespace migraphx::cpu {

namespace {

// concat → reshape to N, parts, C, … → transpose of parts and C → reshape: the inputs' channels in
// turn, in one pass over memory.
bool becomes_interleave(module& m, instruction_ref reshape) {
    const auto swap = reshape->inputs()[0];
    if (swap->name() != "transpose")
        return false;
    const auto rank = swap->get_shape().ndim();
    auto order = swap->get_operator().get_vector<int64_t>("permutation");
    if (rank < 4 or order[1] != 2 or order[2] != 1)
        return false;
    std::swap(order[1], order[2]);
    const auto split = swap->inputs()[0];
    if (not std::is_sorted(order.begin(), order.end()) or
        (split->name() != "reshape" and split->name() != "reshape_lazy"))
        return false;
    const auto concat = split->inputs()[0];
    if (concat->name() != "concat" or concat->outputs().size() != 1 or
        concat->normalized_operator().get<std::size_t>("axis") != 1)
        return false;
    const auto& lens = concat->get_shape().lens();
    const auto& parts = split->get_shape().lens();
    const auto inputs = concat->inputs();
    if (lens != reshape->get_shape().lens() or parts.size() != lens.size() + 1 or
        parts[0] != lens[0] or parts[1] != inputs.size() or
        not std::equal(lens.begin() + 2, lens.end(), parts.begin() + 3))
        return false;
    for (auto x : inputs)
        if (x->get_shape().lens()[1] != parts[2] or
            not can_interleave(x->get_shape(), inputs.size()))
            return false;
    m.replace_instruction(reshape, make_op("cpu::interleave"), inputs);
    return true;
}

// Own kernels that read the image where it is.
bool is_read_in_place(instruction_ref convolution) {
    const auto& in = convolution->inputs();
    if (convolution->name() != "convolution" or not is_literal(in[1]))
        return false;
    const auto& x = in[0]->get_shape();
    const auto y = shape::from_permutation(x.type(), convolution->get_shape().lens(),
                                           channels_last_order(x.ndim()));
    const auto& op = convolution->get_operator();
    return is_pointwise_convolution(op, x, in[1]->get_shape(), y) or
           (is_depthwise_convolution(op, x, in[1]->get_shape(), y) and x.lens()[1] >= 16);
}

bool takes(shape::type_t type) {
    return type == shape::float_type or type == shape::int8_type;
}

} // namespace

channels_last_rules layouts() {
    return {"cpu", takes, is_read_in_place, becomes_interleave};
}

} // namespace migraphx::cpu
