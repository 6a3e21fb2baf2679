// SPDX-License-Identifier: MIT
// The order of a module's instructions.
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include "ir/module_impl.hpp"

#include <unordered_set>

namespace migraphx {

module& module::sort() {
    // Depth first from the end, operands (also those that sub-modules use) before users; what
    // nothing depends on keeps its place relative to the rest.
    std::unordered_set<instruction_ref> here, done;
    std::vector<instruction_ref> original;
    for (auto i = begin(); i != end(); ++i) {
        here.insert(i);
        original.push_back(i);
    }
    const auto implicit = calc_implicit_deps();
    std::vector<std::pair<instruction_ref, bool>> stack;
    std::unordered_set<instruction_ref> open;
    for (auto root : original) {
        stack.emplace_back(root, false);
        while (not stack.empty()) {
            auto [ins, expanded] = stack.back();
            stack.pop_back();
            if (done.contains(ins))
                continue;
            if (expanded) {
                done.insert(ins);
                open.erase(ins);
                impl->instructions.splice(end(), impl->instructions, ins);
                continue;
            }
            if (not open.insert(ins).second)
                fail(error_kind::invalid_argument,
                     "sort: a graph without cycles was expected, got one through " + ins->name());
            stack.emplace_back(ins, true);
            auto push = [&](instruction_ref a) {
                if (here.contains(a) and not done.contains(a))
                    stack.emplace_back(a, false);
            };
            for (auto a = ins->inputs().rbegin(); a != ins->inputs().rend(); ++a)
                push(*a);
            auto deps = implicit.find(ins);
            if (deps != implicit.end())
                for (auto a : deps->second)
                    push(a);
        }
    }
    for (auto* m : get_sub_modules(true))
        m->sort();
    return *this;
}

module& module::shuffle(std::vector<std::size_t> permutation) {
    if (permutation.size() != size())
        fail(error_kind::invalid_argument,
             "shuffle: a permutation of all instructions was expected, got another size");
    std::vector<instruction_ref> refs;
    for (auto i = begin(); i != end(); ++i)
        refs.push_back(i);
    for (auto p : permutation)
        impl->instructions.splice(end(), impl->instructions, refs.at(p));
    return *this;
}

void module::repeat_while_changes(std::size_t n, const std::function<void()>& f) {
    auto count = size();
    for (std::size_t i = 0; i < n; i++) {
        f();
        if (size() == count)
            break;
        count = size();
    }
}

ins_dep_map module::calc_implicit_deps() const {
    std::unordered_set<instruction_ref> here;
    for (auto i = begin(); i != end(); ++i)
        here.insert(i);
    ins_dep_map result;
    for (auto i = begin(); i != end(); ++i)
        for (auto* sub : i->module_inputs()) {
            std::vector<module_ref> mods{sub};
            auto nested = sub->get_sub_modules();
            mods.insert(mods.end(), nested.begin(), nested.end());
            for (auto* m : mods)
                for (auto j = m->begin(); j != m->end(); ++j)
                    for (auto a : j->inputs())
                        if (here.contains(a))
                            result[i].insert(a);
        }
    return result;
}

void module::hoist_external_inputs(instruction_ref start_ins, instruction_ref end_ins) {
    // What lies between the two but does not depend on the first goes in front of it.
    const auto between = find_instructions_between(start_ins, end_ins, this);
    for (auto i = std::next(start_ins); i != end_ins;) {
        auto next = std::next(i);
        if (not between.contains(i))
            move_instruction(i, start_ins);
        i = next;
    }
}

} // namespace migraphx
