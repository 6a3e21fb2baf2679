// SPDX-License-Identifier: MIT
#include "ir/print_code.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/register_op.hpp>
#include <migraphx/stringutils.hpp>

#include <unordered_set>

namespace migraphx {

code_names make_code_names(const std::vector<const module*>& modules,
                           const std::function<std::string(const module&)>& module_name) {
    code_names names;
    std::unordered_set<std::string> taken;
    auto unique = [&](std::string name) {
        while (not taken.insert(name).second)
            name += '_';
        return name;
    };
    for (const auto* m : modules) {
        names.modules[m] = unique(module_name(*m));
        const auto part = m == modules.front() ? "" : to_c_id(m->name()) + "_";
        std::size_t position = 0;
        for (auto i = m->begin(); i != m->end(); ++i, ++position) {
            const auto* p = any_cast<builtin::param>(&i->get_operator());
            names.instructions[i] = unique(p == nullptr ? "x_" + part + std::to_string(position)
                                                        : "p_" + part + to_c_id(p->parameter));
        }
    }
    return names;
}

namespace {

void walk_module(const module& m, std::unordered_set<const module*>& seen,
                 const std::function<void(const module&)>& start,
                 const std::function<void(const module&, instruction_ref)>& each) {
    for (auto i = m.begin(); i != m.end(); ++i) {
        for (const auto* sub : i->module_inputs())
            if (seen.insert(sub).second) {
                start(*sub);
                walk_module(*sub, seen, start, each);
            }
        each(m, i);
    }
}

} // namespace

void walk_code(const module& root, const std::function<void(const module&)>& start,
               const std::function<void(const module&, instruction_ref)>& each) {
    std::unordered_set<const module*> seen{&root};
    walk_module(root, seen, start, each);
}

value changed_attributes(const operation& op) {
    value result = value::object{};
    const value defaults = has_op(op.info().name) ? load_op(op.info().name).to_value() : value{};
    for (const auto& item : op.to_value()) {
        const auto* other = defaults.find(item.get_key());
        if (other == defaults.end() or *other != item)
            result[item.get_key()] = item.without_key();
    }
    return result;
}

bool has_negative(const literal& l) {
    bool found = false;
    if (l.get_shape().computable() and not l.empty())
        l.visit([&](auto view) {
            for (auto x : view)
                found = found or static_cast<double>(x) < 0;
        });
    return found;
}

} // namespace migraphx
