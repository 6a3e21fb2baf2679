// SPDX-License-Identifier: MIT
#include "passes/channels_last.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <optional>

namespace migraphx {

std::vector<int64_t> channels_last_order(std::size_t rank) {
    std::vector<int64_t> order{0};
    for (std::size_t i = 2; i < rank; i++)
        order.push_back(int64_t(i));
    order.push_back(1);
    return order;
}

namespace {

// A reshape that merges axes, of an image whose channels are among them and lie fastest in memory
// (a channel shuffle), copies to rows and columns first, only for the next convolution to copy
// back: it keeps the channels fastest instead. The order of its input that makes it a view.
std::optional<std::vector<int64_t>> order_of_merged_channels(const shape& x, const shape& y) {
    if (x.dynamic() or y.ndim() < 3 or x.elements() == 0 or x.broadcasted() or not y.standard())
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

} // namespace

void channels_last::apply(module& m) const {
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto name = ins->name();
        if (name == "reshape" and ins->inputs().size() == 1) {
            if ((by.rewrites == nullptr or not by.rewrites(m, ins)) and
                by.takes(ins->get_shape().type()))
                keeps_channels_last(m, ins);
            continue;
        }
        if (name != "convolution" and name != "convolution_backwards" and
            name != "quant_convolution")
            continue;
        const auto x = ins->inputs()[0];
        const auto& s = x->get_shape();
        if (s.ndim() < 3 or s.ndim() > 5 or not by.takes(s.type()))
            continue;
        // One position: both orders are the same memory.
        if (s.packed() and
            std::all_of(s.lens().begin() + 2, s.lens().end(), [](auto n) { return n == 1; }))
            continue;
        const auto order = channels_last_order(s.ndim());
        if (s == shape::from_permutation(s.type(), s.lens(), order) or
            (by.reads_in_place != nullptr and by.reads_in_place(ins)))
            continue;
        auto laid_out = m.insert_instruction(ins, make_op("layout", {{"permutation", order}}), x);
        m.replace_instruction(ins, ins->get_operator(),
                              std::vector<instruction_ref>{laid_out, ins->inputs()[1]});
    }
}

} // namespace migraphx
