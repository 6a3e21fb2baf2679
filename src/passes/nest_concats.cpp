// SPDX-License-Identifier: MIT
// A concat that repeats the inputs of another one reads its result instead:
//   a = concat(x, y, z); b = concat(x, y, z, w)  →  b = concat(a, w)
// Dense networks concatenate all features so far in each layer; nested, each is part of the next.
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "passes/pass_registry.hpp"

#include <algorithm>
#include <unordered_map>

namespace migraphx {

namespace {

// Where the inputs of `part` follow each other in `list`.
std::ptrdiff_t find_run(const std::vector<instruction_ref>& list,
                        const std::vector<instruction_ref>& part) {
    const auto it = std::search(list.begin(), list.end(), part.begin(), part.end());
    return it == list.end() ? -1 : it - list.begin();
}

struct nest_concats {
    std::string name() const { return "nest_concats"; }
    void apply(module& m) const {
        // Concats so far by their first input.
        std::unordered_map<instruction_ref, std::vector<instruction_ref>> seen;
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            if (ins->name() != "concat" or ins->get_shape().any_of_dynamic())
                continue;
            if (ins->inputs().size() < 2)
                continue;
            nest(m, ins, seen);
            seen[ins->inputs().front()].push_back(ins);
        }
    }

private:
    static void
    nest(module& m, instruction_ref ins,
         const std::unordered_map<instruction_ref, std::vector<instruction_ref>>& seen) {
        const auto axis = ins->normalized_operator().get<std::size_t>("axis");
        while (true) {
            const auto inputs = ins->inputs();
            instruction_ref best;
            std::ptrdiff_t at = -1;
            std::size_t most = 0;
            for (auto first : inputs) {
                const auto it = seen.find(first);
                if (it == seen.end())
                    continue;
                for (auto other : it->second) {
                    const auto& part = other->inputs();
                    if (part.size() <= most or part.size() >= inputs.size() or
                        other->normalized_operator().get<std::size_t>("axis") != axis)
                        continue;
                    if (const auto found = find_run(inputs, part); found >= 0) {
                        best = other;
                        at = found;
                        most = part.size();
                    }
                }
            }
            if (most == 0)
                return;
            auto nested = inputs;
            nested.erase(nested.begin() + at, nested.begin() + at + std::ptrdiff_t(most));
            nested.insert(nested.begin() + at, best);
            // An order of axes that a shorter list would give in another way is kept.
            if (ins->get_operator().compute_shape(to_shapes(nested)) != ins->get_shape())
                return;
            m.replace_instruction(ins, ins->get_operator(), nested);
        }
    }
};

const registered_pass nest_concats_registered{"nest_concats", [] { return nest_concats{}; }};

} // namespace

} // namespace migraphx
