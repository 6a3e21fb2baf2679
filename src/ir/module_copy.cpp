// SPDX-License-Identifier: MIT
// Copying instructions between modules: whole bodies, ranges, fused bodies, concrete sizes.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/module.hpp>

#include "ir/module_impl.hpp"

#include <algorithm>
#include <unordered_set>

namespace migraphx {

namespace {

template <class Map>
instruction_ref mapped(const Map& map, instruction_ref ins) {
    auto it = map.find(ins);
    return it == map.end() ? ins : it->second;
}

std::vector<instruction_ref> range_of(instruction_ref first, instruction_ref last) {
    std::vector<instruction_ref> result;
    for (auto i = first; i != last; ++i)
        result.push_back(i);
    return result;
}

std::vector<instruction_ref> body_of(const module& m) {
    return range_of(m.begin(), m.end());
}

std::string parameter_name(instruction_ref ins) {
    return any_cast<builtin::param>(ins->get_operator()).parameter;
}

} // namespace

instruction_ref copy_instruction(module& to, instruction_ref pos, instruction_ref ins,
                                 const module::instruction_map& map_ins,
                                 const std::unordered_map<module_ref, module_ref>& map_mods) {
    instruction copy = *ins;
    copy.output.clear();
    for (auto& a : copy.arguments)
        a = mapped(map_ins, a);
    for (auto& m : copy.module_args) {
        auto it = map_mods.find(m);
        if (it != map_mods.end())
            m = it->second;
    }
    return to.impl->insert(pos, std::move(copy));
}

std::vector<instruction_ref>
module::insert_instructions(instruction_ref ins, const std::vector<instruction_ref>& instructions,
                            instruction_map* map_ins, inserter insert) {
    instruction_map own;
    auto& map = map_ins == nullptr ? own : *map_ins;
    if (insert == nullptr)
        insert = [](module& m, instruction_ref pos, const operation& op,
                    const std::vector<instruction_ref>& inputs,
                    const std::vector<module_ref>& mods) {
            return m.insert_instruction(pos, op, inputs, mods);
        };
    instruction_ref last = ins;
    for (auto sins : instructions) {
        if (map.contains(sins))
            continue;
        const auto name = sins->name();
        instruction_ref copy;
        if (name == "@literal")
            copy = insert_literal(ins, sins->get_literal());
        else if (name == "@param")
            copy = insert_parameter(ins, parameter_name(sins), sins->get_shape());
        else if (name == "@outline")
            copy = impl->insert(ins, instruction{sins->get_operator(), sins->get_shape(), {}});
        else {
            std::vector<instruction_ref> inputs;
            for (auto a : sins->inputs())
                inputs.push_back(mapped(map, a));
            if (name == "@return")
                return inputs;
            copy = insert(*this, ins, sins->get_operator(), inputs, sins->module_inputs());
        }
        copy->add_debug_symbols(sins->get_debug_symbols());
        map[sins] = copy;
        last = copy;
    }
    return instructions.empty() ? std::vector<instruction_ref>{}
                                : std::vector<instruction_ref>{last};
}

std::vector<instruction_ref> module::insert_instructions(instruction_ref ins, const_module_ref m,
                                                         instruction_map* map_ins,
                                                         inserter insert) {
    return insert_instructions(ins, body_of(*m), map_ins, std::move(insert));
}

std::vector<instruction_ref> module::insert_instructions(instruction_ref ins, instruction_ref start,
                                                         instruction_ref last,
                                                         instruction_map* map_ins,
                                                         inserter insert) {
    return insert_instructions(ins, range_of(start, last), map_ins, std::move(insert));
}

std::vector<instruction_ref>
module::add_instructions(const std::vector<instruction_ref>& instructions, instruction_map* map_ins,
                         inserter insert) {
    return insert_instructions(insert_end(), instructions, map_ins, std::move(insert));
}

std::vector<instruction_ref> module::add_instructions(const_module_ref m, instruction_map* map_ins,
                                                      inserter insert) {
    return insert_instructions(insert_end(), m, map_ins, std::move(insert));
}

std::vector<instruction_ref> module::add_instructions(instruction_ref start, instruction_ref last,
                                                      instruction_map* map_ins, inserter insert) {
    return insert_instructions(insert_end(), start, last, map_ins, std::move(insert));
}

module::instruction_map module::get_ins_param_map(const std::vector<instruction_ref>& inputs,
                                                  bool reverse) const {
    instruction_map result;
    auto names = get_parameter_names();
    std::sort(names.begin(), names.end());
    if (names.size() != inputs.size())
        fail(error_kind::invalid_argument,
             "module " + name() + ": as many inputs as parameters were expected, got " +
                 std::to_string(inputs.size()) + " for " + std::to_string(names.size()));
    for (std::size_t i = 0; i < names.size(); i++) {
        auto p = get_parameter(names[i]);
        if (reverse)
            result[p] = inputs[i];
        else
            result[inputs[i]] = p;
    }
    return result;
}

std::vector<instruction_ref> module::insert_inline(instruction_ref ins, const module& m,
                                                   const std::vector<instruction_ref>& inputs) {
    auto map = m.get_ins_param_map(inputs, true);
    auto result = insert_instructions(ins, &m, &map);
    if (m.size() > 0 and m.get_returns().size() == 1 and std::prev(m.end())->name() != "@return")
        return {mapped(map, std::prev(m.end()))};
    return result;
}

std::vector<instruction_ref> module::get_inputs(const instruction_map& map_ins) const {
    // The instructions bound to the parameters, in name order.
    std::vector<instruction_ref> result;
    auto names = get_parameter_names();
    std::sort(names.begin(), names.end());
    for (const auto& n : names) {
        auto p = get_parameter(n);
        for (const auto& item : map_ins)
            if (item.second == p)
                result.push_back(item.first);
    }
    return result;
}

void module::add_params(const std::vector<instruction_ref>& inputs, instruction_map* map_ins,
                        const std::function<shape(const shape&)>& shape_transform) {
    instruction_map own;
    auto& map = map_ins == nullptr ? own : *map_ins;
    std::size_t n = get_parameters().size();
    for (auto in : inputs) {
        if (map.contains(in))
            continue;
        if (in->name() == "@literal" and in->get_shape().scalar()) {
            map[in] = add_literal(in->get_literal());
            continue;
        }
        const auto s =
            shape_transform ? shape_transform(in->get_shape()) : in->get_shape().as_standard();
        // Zero-padded so that the order of names is the order of creation.
        auto number = std::to_string(n++);
        map[in] = add_parameter("x" +
                                    std::string(number.size() < 5 and n > 10
                                                    ? ":" + std::string(5 - number.size(), '0')
                                                    : "") +
                                    number,
                                s);
    }
}

std::vector<instruction_ref>
module::fuse(const std::vector<instruction_ref>& inss, instruction_map* map_ins, inserter insert,
             const std::function<shape(const shape&)>& shape_transform) {
    instruction_map own;
    auto& map = map_ins == nullptr ? own : *map_ins;
    std::unordered_set<instruction_ref> members(inss.begin(), inss.end());
    std::vector<instruction_ref> external;
    for (auto ins : inss)
        for (auto a : ins->inputs())
            if (not members.contains(a) and
                std::find(external.begin(), external.end(), a) == external.end())
                external.push_back(a);
    add_params(external, &map, shape_transform);
    return add_instructions(inss, &map, std::move(insert));
}

std::vector<instruction_ref>
module::fuse(const module& m, const std::vector<instruction_ref>& inputs, instruction_map* map_ins,
             inserter insert, const std::function<shape(const shape&)>& shape_transform) {
    instruction_map own;
    auto& map = map_ins == nullptr ? own : *map_ins;
    add_params(inputs, &map, shape_transform);
    instruction_map params;
    for (const auto& item : m.get_ins_param_map(inputs, true))
        params[item.first] = mapped(map, item.second);
    return add_instructions(&m, &params, std::move(insert));
}

namespace {

// The instructions that `ends` need, in module order, without those in `stop`.
std::vector<instruction_ref> needed(const module& m, const std::vector<instruction_ref>& ends,
                                    const std::unordered_set<instruction_ref>& stop) {
    std::unordered_set<instruction_ref> seen;
    std::vector<instruction_ref> todo(ends.begin(), ends.end());
    while (not todo.empty()) {
        auto ins = todo.back();
        todo.pop_back();
        if (stop.contains(ins) or not seen.insert(ins).second)
            continue;
        todo.insert(todo.end(), ins->inputs().begin(), ins->inputs().end());
    }
    std::vector<instruction_ref> result;
    for (auto i = m.begin(); i != m.end(); ++i)
        if (seen.contains(i))
            result.push_back(i);
    return result;
}

// One part: its body, its inputs given as the outer `args` or as results of earlier parts.
module_with_inputs make_part(const module& m, const std::vector<instruction_ref>& args,
                             const std::vector<instruction_ref>& ends,
                             const std::unordered_set<instruction_ref>& earlier) {
    module_with_inputs part;
    const auto outer = m.get_ins_param_map(args, true);
    auto body = needed(m, ends, earlier);
    std::vector<instruction_ref> external;
    std::vector<instruction_ref> inner;
    for (auto i : body) {
        if (i->name() == "@param")
            external.push_back(i);
        else if (i->name() != "@return")
            inner.push_back(i);
    }
    for (auto i : body)
        for (auto a : i->inputs())
            if (earlier.contains(a) and
                std::find(external.begin(), external.end(), a) == external.end())
                external.push_back(a);
    module::instruction_map map;
    part.mod.add_params(external, &map, [](const shape& s) { return s; });
    for (auto e : external)
        part.inputs.push_back(outer.contains(e) ? outer.at(e) : e);
    part.mod.add_instructions(inner, &map);
    std::vector<instruction_ref> outs;
    for (auto e : ends)
        outs.push_back(mapped(map, e));
    part.mod.add_return(outs);
    return part;
}

} // namespace

std::array<module_with_inputs, 2> module::split(const std::vector<instruction_ref>& args,
                                                const std::vector<instruction_ref>& splits) const {
    const std::unordered_set<instruction_ref> cut(splits.begin(), splits.end());
    return {make_part(*this, args, splits, {}), make_part(*this, args, get_returns(), cut)};
}

std::array<module_with_inputs, 3> module::split(const std::vector<instruction_ref>& args,
                                                const std::vector<instruction_ref>& splits1,
                                                const std::vector<instruction_ref>& splits2) const {
    const std::unordered_set<instruction_ref> cut1(splits1.begin(), splits1.end());
    auto cut2 = cut1;
    cut2.insert(splits2.begin(), splits2.end());
    return {make_part(*this, args, splits1, {}), make_part(*this, args, splits2, cut1),
            make_part(*this, args, get_returns(), cut2)};
}

void module_with_inputs::replace(const module::instruction_map& map) {
    for (auto& in : inputs)
        in = mapped(map, in);
}

void module_with_inputs::replace(instruction_ref ins, instruction_ref rep) {
    std::replace(inputs.begin(), inputs.end(), ins, rep);
}

std::vector<shape> module::compute_shapes(const std::vector<shape>& inputs) const {
    const auto params = get_parameters();
    if (params.size() != inputs.size())
        fail(error_kind::invalid_argument,
             "module " + name() + ": " + std::to_string(params.size()) +
                 " shapes were expected, got " + std::to_string(inputs.size()));
    std::unordered_map<instruction_ref, shape> shapes;
    for (std::size_t i = 0; i < params.size(); i++)
        shapes[params[i]] = inputs[i];
    auto shape_of = [&](instruction_ref i) {
        auto it = shapes.find(i);
        return it == shapes.end() ? i->get_shape() : it->second;
    };
    for (auto i = begin(); i != end(); ++i) {
        if (shapes.contains(i))
            continue;
        if (i->get_operator().info().is_builtin)
            continue;
        std::vector<shape> in;
        for (auto a : i->inputs())
            in.push_back(shape_of(a));
        shapes[i] = i->get_operator().compute_shape(in, i->module_inputs());
    }
    std::vector<shape> result;
    for (auto r : get_returns())
        result.push_back(shape_of(r));
    return result;
}

module
module::with_static_shapes(const std::unordered_map<std::string, shape>& input_shapes) const {
    module result{name()};
    result.impl->bypass = impl->bypass;
    instruction_map map;
    for (auto p : get_parameters()) {
        const auto n = parameter_name(p);
        auto it = input_shapes.find(n);
        map[p] = result.insert_parameter(result.end(), n,
                                         it == input_shapes.end() ? p->get_shape() : it->second);
    }
    for (auto i = begin(); i != end(); ++i) {
        if (map.contains(i))
            continue;
        if (i->name() == "@literal")
            map[i] = result.insert_literal(result.end(), i->get_literal());
        else if (i->name() == "@return") {
            std::vector<instruction_ref> outs;
            for (auto a : i->inputs())
                outs.push_back(mapped(map, a));
            result.add_return(outs);
        } else {
            std::vector<instruction_ref> in;
            for (auto a : i->inputs())
                in.push_back(mapped(map, a));
            map[i] =
                result.insert_instruction(result.end(), i->get_operator(), in, i->module_inputs());
            map[i]->add_debug_symbols(i->get_debug_symbols());
        }
    }
    return result;
}

} // namespace migraphx
