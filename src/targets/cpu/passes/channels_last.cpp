// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "ir/shape_rules.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <optional>

namespace migraphx::cpu {

namespace {

std::vector<int64_t> channels_last_order(std::size_t rank) {
    std::vector<int64_t> order{0};
    for (std::size_t i = 2; i < rank; i++)
        order.push_back(int64_t(i));
    order.push_back(1);
    return order;
}

// A reshape that merges axes, of an image whose channels are among them and lie fastest in memory
// (a channel shuffle), copies to rows and columns first, only for the next convolution to copy
// back: it keeps the channels fastest instead. The order of its input that makes it a view.
std::optional<std::vector<int64_t>> order_of_merged_channels(const shape& x, const shape& y) {
    if (x.dynamic() or x.type() != shape::float_type or y.ndim() < 3 or x.elements() == 0 or
        x.broadcasted() or not y.standard())
        return std::nullopt;
    struct group {
        std::size_t first, last, stride;
    };
    std::vector<group> groups;
    std::size_t d = 0;
    for (auto len : y.lens()) {
        group g{d, d, std::size_t(-1)};
        for (std::size_t n = 1; d < x.ndim() and (n < len or g.first == d); d++) {
            n *= x.lens()[d];
            if (n > len or len % n != 0)
                return std::nullopt;
            if (x.lens()[d] != 1)
                g.stride = std::min(g.stride, x.strides()[d]);
        }
        g.last = d;
        groups.push_back(g);
    }
    if (d != x.ndim() or groups[1].stride != 1 or groups[1].last - groups[1].first < 2)
        return std::nullopt;
    std::swap(groups[1], groups.back());
    std::sort(groups.begin() + 1, groups.end() - 1,
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<int64_t> order;
    for (const auto& g : groups)
        for (auto i = g.first; i < g.last; i++)
            order.push_back(int64_t(i));
    return order;
}

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

bool keeps_channels_last(module& m, instruction_ref reshape) {
    const auto x = reshape->inputs()[0];
    const auto order = order_of_merged_channels(x->get_shape(), reshape->get_shape());
    if (not order)
        return false;
    const auto& lens = reshape->get_shape().lens();
    const std::vector<int64_t> dims(lens.begin(), lens.end());
    const auto laid_out =
        m.insert_instruction(reshape, make_op("layout", {{"permutation", *order}}), x);
    m.replace_instruction(reshape, make_op("reshape_lazy", {{"dims", dims}}), laid_out);
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

} // namespace

void channels_last::apply(module& m) const {
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto name = ins->name();
        if (name == "reshape" and ins->inputs().size() == 1) {
            if (not becomes_interleave(m, ins))
                keeps_channels_last(m, ins);
            continue;
        }
        if (name != "convolution" and name != "convolution_backwards" and
            name != "quant_convolution")
            continue;
        const auto x = ins->inputs()[0];
        const auto& s = x->get_shape();
        if (s.ndim() < 3 or s.ndim() > 5 or
            (s.type() != shape::float_type and s.type() != shape::int8_type))
            continue;
        // One position: both orders are the same memory.
        if (s.packed() and
            std::all_of(s.lens().begin() + 2, s.lens().end(), [](auto n) { return n == 1; }))
            continue;
        const auto order = channels_last_order(s.ndim());
        if (s == shape::from_permutation(s.type(), s.lens(), order) or is_read_in_place(ins))
            continue;
        auto laid_out = m.insert_instruction(ins, make_op("layout", {{"permutation", order}}), x);
        m.replace_instruction(ins, ins->get_operator(),
                              std::vector<instruction_ref>{laid_out, ins->inputs()[1]});
    }
}

} // namespace migraphx::cpu
