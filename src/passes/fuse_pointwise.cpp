// SPDX-License-Identifier: MIT
// A region grows from a pointwise operator up into those of its operands that nothing else uses;
// values that are broadcast, constant or used elsewhere are its inputs. Scalar constants move into
// the body.
#include <migraphx/fuse_pointwise.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>

#include "passes/pass_registry.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace migraphx {

namespace {

// Inputs of one region; more than these cost more in bookkeeping than their fusion saves.
constexpr std::size_t most_inputs = 9;

bool is_pointwise(instruction_ref ins) {
    const auto name = ins->name();
    return ins->get_operator().info().is_pointwise and name != "identity" and
           name != "quantizelinear" and name != "dequantizelinear" and
           ins->module_inputs().empty() and ins->get_shape().computable() and
           not ins->get_shape().dynamic() and
           // A condition of one element decides for all of its `where`.
           std::all_of(ins->inputs().begin(), ins->inputs().end(), [&](auto x) {
               return x->get_shape().computable() and
                      shape::same_lens(x->get_shape(), ins->get_shape());
           });
}

// A constant with one value, possibly stretched: its literal.
std::optional<literal> scalar_constant(instruction_ref ins) {
    while (ins->name() == "multibroadcast" or ins->name() == "broadcast" or ins->name() == "scalar")
        ins = ins->inputs().front();
    if (ins->name() != "@literal")
        return std::nullopt;
    const auto& l = ins->get_literal();
    if (l.get_shape().elements() != 1 and not l.get_shape().scalar())
        return std::nullopt;
    if (l.get_shape().elements() == 0)
        return std::nullopt;
    if (l.get_shape().elements() == 1)
        return literal{shape{l.get_shape().type()}, l.data()};
    return literal{shape{l.get_shape().type()}, l.data()};
}

struct region {
    instruction_ref root;
    std::vector<instruction_ref> body; // in module order, root last
};

region grow(instruction_ref root, const std::unordered_set<instruction_ref>& taken,
            const std::unordered_set<instruction_ref>& here) {
    std::unordered_set<instruction_ref> members{root};
    std::vector<instruction_ref> todo{root};
    auto inputs_of = [&](const std::unordered_set<instruction_ref>& set) {
        std::unordered_set<instruction_ref> in;
        for (auto m : set)
            for (auto a : m->inputs())
                if (not set.contains(a) and not scalar_constant(a))
                    in.insert(a);
        return in.size();
    };
    while (not todo.empty()) {
        auto ins = todo.back();
        todo.pop_back();
        for (auto a : ins->inputs()) {
            if (members.contains(a) or taken.contains(a) or not here.contains(a) or
                not is_pointwise(a) or a->get_shape().lens() != root->get_shape().lens())
                continue;
            // Everything that uses it must be inside already; others are tried again from there.
            const bool inside = std::all_of(a->outputs().begin(), a->outputs().end(),
                                            [&](auto u) { return members.contains(u); });
            if (not inside)
                continue;
            auto bigger = members;
            bigger.insert(a);
            if (inputs_of(bigger) > most_inputs)
                continue;
            members = std::move(bigger);
            // Its siblings may have become eligible.
            todo.assign(members.begin(), members.end());
        }
    }
    region r;
    r.root = root;
    r.body.assign(members.begin(), members.end());
    return r;
}

} // namespace

void fuse_pointwise::apply(module_pass_manager& mpm) const {
    auto& m = mpm.get_module();
    std::unordered_map<instruction_ref, std::size_t> order;
    std::unordered_set<instruction_ref> here;
    std::vector<instruction_ref> all;
    for (auto i = m.begin(); i != m.end(); ++i) {
        order[i] = all.size();
        all.push_back(i);
        here.insert(i);
    }
    std::unordered_set<instruction_ref> taken;
    std::size_t number = 0;
    // From the end, so that each region is as large as its last user allows.
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        auto root = *it;
        if (taken.contains(root) or not is_pointwise(root) or root->can_eval())
            continue;
        auto r = grow(root, taken, here);
        for (auto b : r.body)
            taken.insert(b);
        std::sort(r.body.begin(), r.body.end(),
                  [&](auto x, auto y) { return order.at(x) < order.at(y); });

        auto* body = mpm.create_module(m.name() + ":pointwise" + std::to_string(number++));
        body->set_bypass();
        std::unordered_map<instruction_ref, instruction_ref> map;
        std::vector<instruction_ref> inputs;
        for (auto b : r.body)
            for (auto a : b->inputs()) {
                if (map.contains(a) or std::find(r.body.begin(), r.body.end(), a) != r.body.end())
                    continue;
                if (auto l = scalar_constant(a)) {
                    map[a] = body->add_literal(*l);
                    continue;
                }
                map[a] =
                    body->insert_parameter(body->insert_end(), "x" + std::to_string(inputs.size()),
                                           shape{a->get_shape().type()});
                inputs.push_back(a);
            }
        for (auto b : r.body) {
            std::vector<instruction_ref> in;
            for (auto a : b->inputs())
                in.push_back(map.at(a));
            map[b] = body->add_instruction(b->get_operator(), in);
        }
        body->add_return({map.at(root)});
        if (inputs.empty()) {
            mpm.get_root_module();
            continue;
        }
        const auto symbols = root->get_debug_symbols();
        std::set<std::string> names;
        for (auto b : r.body)
            names.insert(b->get_debug_symbols().begin(), b->get_debug_symbols().end());
        auto fused = m.replace_instruction(root, make_op("pointwise"), inputs, {body});
        fused->add_debug_symbols(names);
    }
}

namespace {
const registered_pass fuse_pointwise_registered{"fuse_pointwise", [] { return fuse_pointwise{}; }};
} // namespace

} // namespace migraphx
