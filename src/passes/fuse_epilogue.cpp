// SPDX-License-Identifier: MIT
// anchor → pointwise(…, anchor, …)  becomes  target::anchor(operands of both) with the region as
// its module.
#include "passes/fuse_epilogue.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace migraphx {

namespace {

// The region's body with the anchor's parameter named "x0" and the others "x1" … in their old
// order.
struct renamed {
    module body;
    std::vector<std::size_t> inputs; ///< the region's inputs that "x1" … stand for
};

renamed with_anchor_first(const module& m, std::size_t anchor) {
    renamed r;
    auto names = m.get_parameter_names();
    std::sort(names.begin(), names.end());
    module::instruction_map map;
    auto add = [&](std::size_t i) {
        const auto p = m.get_parameter(names[i]);
        const auto n = "x" + std::to_string(map.size());
        map[p] = r.body.insert_parameter(r.body.end(), n, p->get_shape());
    };
    add(anchor);
    for (std::size_t i = 0; i < names.size(); i++)
        if (i != anchor) {
            add(i);
            r.inputs.push_back(i);
        }
    const auto returns = r.body.add_instructions(&m, &map);
    r.body.add_return(returns);
    return r;
}

} // namespace

void fuse_epilogue::apply(module_pass_manager& mpm) const {
    auto& m = mpm.get_module();
    std::unordered_map<instruction_ref, std::size_t> order;
    for (auto i = m.begin(); i != m.end(); ++i)
        order[i] = order.size();
    std::size_t number = 0;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        if (ins->name() != "pointwise" or ins->get_shape().type() == shape::tuple_type)
            continue;
        // The latest anchor whose result the library can take the rest on; it moves to where the
        // region was, so that all other inputs are there.
        std::vector<std::size_t> anchors;
        for (std::size_t i = 0; i < ins->inputs().size(); i++) {
            const auto a = ins->inputs()[i];
            if (order.contains(a) and by.is_anchor(a) and a->outputs().size() == 1 and
                a->get_shape().with_type(ins->get_shape().type()) == ins->get_shape() and
                std::count(ins->inputs().begin(), ins->inputs().end(), a) == 1)
                anchors.push_back(i);
        }
        std::sort(anchors.begin(), anchors.end(), [&](auto i, auto j) {
            return order.at(ins->inputs()[i]) > order.at(ins->inputs()[j]);
        });
        std::optional<renamed> found;
        instruction_ref anchor;
        std::vector<instruction_ref> inputs;
        for (auto best : anchors) {
            auto r = with_anchor_first(*ins->module_inputs().front(), best);
            anchor = ins->inputs()[best];
            inputs = anchor->inputs();
            std::vector<shape> operands;
            for (auto i : r.inputs) {
                inputs.push_back(ins->inputs()[i]);
                operands.push_back(inputs.back()->get_shape());
            }
            if (not by.takes({anchor, ins, r.body, operands, ins->get_shape()}))
                continue;
            found.emplace(std::move(r));
            break;
        }
        if (not found)
            continue;
        auto* body = mpm.create_module(m.name() + ":epilogue" + std::to_string(number++),
                                       std::move(found->body));
        body->set_bypass();
        const auto symbols = anchor->get_debug_symbols();
        auto op = make_op(by.target + "::" + anchor->name());
        op.from_value(anchor->get_operator().to_value());
        auto fused = m.replace_instruction(ins, op, inputs, {body});
        fused->add_debug_symbols(symbols);
    }
}

} // namespace migraphx
