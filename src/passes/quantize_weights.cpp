// SPDX-License-Identifier: MIT
// Constant weights in few bits: a scale for each output channel and block of inputs maps the
// largest magnitude to the largest number of the type.
#include "passes/quantize_weights.hpp"

#include "ops/tensor.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/op/builder/insert.hpp>

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

bool is_real(const shape& s) {
    return s.type() == shape::float_type or s.type() == shape::half_type or
           s.type() == shape::bf16_type or s.type() == shape::double_type;
}

// The scale that each element belongs to: lens of the scales, and the number of elements on the
// axis of the inputs that share one.
struct scale_layout {
    std::vector<std::size_t> lens; ///< one dimension, or those of the weights with blocks
    std::size_t block;
};

scale_layout layout_of(const shape& s, const weight_operand& w, std::size_t block) {
    const auto& lens = s.lens();
    if (block == 0 or lens[w.depth] % block != 0 or lens[w.depth] == block)
        return {{lens[w.channel]}, 0};
    auto blocks = lens;
    blocks[w.depth] /= block;
    return {blocks, block};
}

std::size_t scale_index(const scale_layout& l, const weight_operand& w,
                        std::vector<std::size_t> at) {
    if (l.block == 0)
        return at[w.channel];
    at[w.depth] /= l.block;
    std::size_t i = 0;
    for (std::size_t d = 0; d < at.size(); ++d)
        i = i * l.lens[d] + at[d];
    return i;
}

// Two numbers in a byte along the last axis of even length.
instruction_ref two_a_byte(module& m, instruction_ref ins, const argument& q) {
    const auto& lens = q.get_shape().lens();
    for (auto axis = lens.size(); axis-- > 0;)
        if (lens[axis] % 2 == 0) {
            const auto pack = make_op("pack_int4", {{"axis", axis}});
            const auto bytes = pack.compute(pack.compute_shape({q.get_shape()}), {q});
            return m.insert_instruction(ins, make_op("unpack_int4", {{"axis", axis}}),
                                        m.insert_literal(ins, literal::adopt(bytes)));
        }
    return m.insert_literal(ins, literal::adopt(q));
}

} // namespace

std::optional<weight_operand> find_weights(instruction_ref ins) {
    const bool is_dot = ins->name() == "dot", is_convolution = ins->name() == "convolution";
    if (not is_dot and not is_convolution)
        return std::nullopt;
    const auto& in = ins->inputs();
    const auto fits = [&](std::size_t i) {
        const auto& s = in[i]->get_shape();
        return is_real(s) and not s.dynamic() and s.elements() > 0 and in[i]->can_eval();
    };
    if (in.size() != 2 or fits(0) == fits(1) or (is_convolution and fits(0)))
        return std::nullopt;
    const auto rank = in[0]->get_shape().ndim();
    if (is_convolution)
        return weight_operand{1, 0, 1};
    return fits(1) ? weight_operand{1, rank - 1, rank - 2} : weight_operand{0, rank - 2, rank - 1};
}

instruction_ref quantised_weights(module& m, instruction_ref ins, const weight_operand& w,
                                  const weight_format& f) {
    const auto given = ins->inputs()[w.index];
    const auto weights = given->eval();
    const shape s{given->get_shape().type(), given->get_shape().lens()};
    auto numbers = load<double>(weights);
    const auto layout = layout_of(s, w, f.block);
    const shape scale_shape{s.type(), layout.lens};
    std::vector<double> scales(scale_shape.elements(), 0.0);
    std::vector<std::size_t> of(numbers.size()), at(s.ndim(), 0);
    for (std::size_t i = 0; i < numbers.size(); ++i, next_index(at, s.lens())) {
        of[i] = scale_index(layout, w, at);
        scales[of[i]] = std::max(scales[of[i]], std::fabs(numbers[i]));
    }
    for (auto& x : scales)
        x = x > 0 and std::isfinite(x) ? x / f.largest : 1.0;
    auto scale = argument::uninitialized(scale_shape);
    store(scale, scales);
    scales = load<double>(scale); // as the type of the weights holds them
    const bool is_float = f.type != shape::int8_type and f.type != shape::int4_type;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto q = scales[of[i]] == 0 ? 0.0 : numbers[i] / scales[of[i]];
        numbers[i] = std::clamp(is_float ? q : std::nearbyint(q), -f.largest, f.largest);
    }
    const bool is_int4 = f.type == shape::int4_type;
    auto q = argument::uninitialized(shape{is_int4 ? shape::int8_type : f.type, s.lens()});
    store(q, numbers);
    const auto bits = is_int4 ? two_a_byte(m, ins, q) : m.insert_literal(ins, literal::adopt(q));
    const auto factors = m.insert_literal(ins, literal::adopt(scale));
    const auto axis = layout.block == 0 ? w.channel : w.depth;
    const std::vector<instruction_ref> in{bits, factors};
    const value options{{"axis", axis}, {"block_size", layout.block}};
    return op::builder::insert("dequantizelinear", m, ins, in, options).front();
}

} // namespace migraphx
