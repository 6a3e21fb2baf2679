// SPDX-License-Identifier: MIT
// Gradient of ai.onnx.preview.training: the derivatives of one tensor of the graph by others, by
// reverse differentiation of the instructions between them, which the program computes like any
// others.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"
#include "import/onnx/ops_training.hpp"
#include "import/quote.hpp"

#include <unordered_map>
#include <unordered_set>

namespace migraphx::onnx {

namespace {

using replacements = std::unordered_map<instruction_ref, instruction_ref>;

// What `y` depends on, operands first, down to `stop` (exclusive of what is before it).
instructions between(instruction_ref y, const replacements& stop) {
    instructions order;
    std::unordered_set<instruction_ref> seen;
    std::vector<std::pair<instruction_ref, std::size_t>> stack{{y, 0}};
    seen.insert(y);
    while (not stack.empty()) {
        auto& [ins, next] = stack.back();
        const auto& in = ins->inputs();
        if (stop.contains(ins) or next == in.size()) {
            order.push_back(ins);
            stack.pop_back();
        } else if (const auto x = in[next++]; seen.insert(x).second)
            stack.emplace_back(x, 0);
    }
    return order;
}

instruction_ref find_value(node_reader& n, const std::string& name) {
    const auto* ins = n.whole().current().find(name);
    if (ins == nullptr)
        n.malformed("a tensor " + in_quotes(name) + " computed before was expected, got none");
    return *ins;
}

instructions read_gradient(node_reader& n) {
    const auto xs = n.texts("xs"), zs = n.texts("zs");
    if (xs.empty() or n.input_count() != xs.size() + zs.size())
        n.malformed(str("an input for each of xs and zs was expected, got ", n.input_count(),
                        " for ", xs.size(), " and ", zs.size()));
    replacements given;
    std::unordered_set<instruction_ref> active;
    for (std::size_t i = 0; i < n.input_count(); i++) {
        const auto named = find_value(n, i < xs.size() ? xs[i] : zs[i - xs.size()]);
        if (named->get_shape() != n.shape_of(i))
            n.malformed(str("input ", i, " of the shape of its tensor was expected, got ",
                            n.shape_of(i), " for ", named->get_shape()));
        given[named] = n.input(i);
        if (i < xs.size())
            active.insert(named);
    }
    const auto y = find_value(n, n.text("y", ""));
    // The function again at the values of the inputs, where they are others, and what of it varies.
    replacements copies = given;
    instructions varying;
    for (auto ins : between(y, given)) {
        if (given.contains(ins))
            continue;
        instructions in;
        bool same = true, depends = false;
        for (auto x : ins->inputs()) {
            const auto it = copies.find(x);
            in.push_back(it == copies.end() ? x : it->second);
            same = same and in.back() == x;
            depends = depends or active.contains(x);
        }
        if (not same) {
            if (not ins->module_inputs().empty())
                n.unsupported("operators without modules were expected, got " + ins->name());
            copies[ins] = n.add(ins->get_operator(), in);
        }
        if (depends) {
            active.insert(ins);
            varying.push_back(same ? ins : copies.at(ins));
        }
    }
    gradients adjoint(n);
    adjoint.begin(copies.contains(y) ? copies.at(y) : y);
    std::unordered_set<instruction_ref> wanted(varying.begin(), varying.end());
    for (std::size_t i = 0; i < xs.size(); i++)
        wanted.insert(n.input(i));
    for (auto ins = varying.rbegin(); ins != varying.rend(); ++ins)
        adjoint.propagate(*ins, wanted);
    instructions result;
    for (std::size_t i = 0; i < xs.size(); i++)
        result.push_back(adjoint.of(n.input(i)));
    return result;
}

const operators gradient_operators{
    {"Gradient", read_gradient, training_domain,
     "of static shapes; not through convolutions, poolings, gathers and control flow"}};

} // namespace

} // namespace migraphx::onnx
