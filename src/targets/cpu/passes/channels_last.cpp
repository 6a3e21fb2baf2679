// SPDX-License-Identifier: MIT
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "ir/shape_rules.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

std::vector<int64_t> channels_last_order(std::size_t rank) {
    std::vector<int64_t> order{0};
    for (std::size_t i = 2; i < rank; i++)
        order.push_back(int64_t(i));
    order.push_back(1);
    return order;
}

} // namespace

void channels_last::apply(module& m) const {
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto name = ins->name();
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
        if (s == shape::from_permutation(s.type(), s.lens(), order))
            continue;
        auto laid_out = m.insert_instruction(ins, make_op("layout", {{"permutation", order}}), x);
        m.replace_instruction(ins, ins->get_operator(),
                              std::vector<instruction_ref>{laid_out, ins->inputs()[1]});
    }
}

void lazy_reshapes::apply(module& m) const {
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto name = ins->name();
        if (name != "reshape" and name != "flatten" and name != "contiguous")
            continue;
        if (ins->inputs().size() != 1)
            continue;
        const auto x = ins->inputs()[0];
        const auto& s = x->get_shape();
        if (name == "contiguous") {
            if (s == ins->get_shape())
                m.replace_instruction(ins, x);
            continue;
        }
        const auto lens = ins->get_shape().lens();
        if (s.elements() == 0 or not s.packed())
            continue;
        const auto view = reshape_without_copy(s, lens);
        if (not view or not view->packed())
            continue;
        std::vector<int64_t> dims(lens.begin(), lens.end());
        try {
            auto lazy = m.insert_instruction(ins, make_op("reshape_lazy", {{"dims", dims}}), x);
            m.replace_instruction(ins, lazy);
        } catch (const exception&) {
            // The operator's rule is stricter for this layout: the copy stays.
        }
    }
}

} // namespace migraphx::cpu
