// SPDX-License-Identifier: MIT
// Integer products on machines that have none: float products of so few numbers that their sums are
// exact, added as int32.
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <vector>

namespace migraphx::cpu {

namespace {

// So many products of int8 add up to at most 2^24.
constexpr std::size_t exact_products = 1024;

bool is_int8(instruction_ref ins) {
    return ins->inputs().size() == 2 and not ins->get_shape().dynamic() and
           std::all_of(ins->inputs().begin(), ins->inputs().end(), [](auto x) {
               return x->get_shape().type() == shape::int8_type and x->get_shape().elements() > 0;
           });
}

struct part_of_axis {
    std::size_t axis, from, to;
};

} // namespace

void int8_in_float::apply(module& m) const {
    std::vector<instruction_ref> all;
    for (auto i = m.begin(); i != m.end(); ++i)
        if ((i->name() == "quant_dot" or i->name() == "quant_convolution") and is_int8(i))
            all.push_back(i);
    for (auto ins : all) {
        const auto insert = [&](const operation& op, std::vector<instruction_ref> in) {
            return m.insert_instruction(ins, op, std::move(in));
        };
        const auto as = [&](instruction_ref x, shape::type_t t) {
            return insert(make_op("convert", {{"target_type", t}}), {x});
        };
        const auto a = ins->inputs()[0], b = ins->inputs()[1];
        const auto& lens = b->get_shape().lens();
        const bool is_dot = ins->name() == "quant_dot";
        // The axes that products are added over, and the products for each position of them.
        const auto rank = lens.size();
        const std::size_t a_axis = is_dot ? rank - 1 : 1, b_axis = is_dot ? rank - 2 : 1;
        const auto depth = lens[b_axis];
        std::size_t taps = 1;
        for (std::size_t d = 2; d < rank and not is_dot; ++d)
            taps *= lens[d];
        const auto step = exact_products / taps;
        const bool grouped = not is_dot and ins->get_operator().get<int64_t>("group") != 1;
        if (step == 0 or (grouped and depth > step))
            continue;
        const auto part = [&](instruction_ref x, const part_of_axis& p) {
            if (depth <= step)
                return as(x, shape::float_type);
            const auto cut =
                make_op("slice", {{"axes", {p.axis}}, {"starts", {p.from}}, {"ends", {p.to}}});
            return as(insert(cut, {x}), shape::float_type);
        };
        const auto op = is_dot ? make_op("dot")
                               : make_op_from_value("convolution", ins->get_operator().to_value());
        std::vector<instruction_ref> sums;
        for (std::size_t from = 0; from < depth; from += step) {
            const auto to = std::min(depth, from + step);
            const auto product =
                insert(op, {part(a, {a_axis, from, to}), part(b, {b_axis, from, to})});
            // Whole numbers, however the product is computed.
            sums.push_back(as(insert(make_op("nearbyint"), {product}), shape::int32_type));
        }
        auto y = sums.front();
        for (std::size_t i = 1; i < sums.size(); ++i)
            y = insert(make_op("add"), {y, sums[i]});
        m.replace_instruction(ins, y);
    }
}

} // namespace migraphx::cpu
