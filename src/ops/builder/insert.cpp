// SPDX-License-Identifier: MIT
#include <migraphx/common.hpp>
#include <migraphx/errors.hpp>

#include "ops/builder/site.hpp"

#include <algorithm>
#include <map>

namespace migraphx::op::builder {

namespace {

std::map<std::string, recipe>& recipe_table() {
    static auto* table = new std::map<std::string, recipe>;
    return *table;
}

} // namespace

recipes::recipes(std::initializer_list<recipe> rows) {
    for (const auto& row : rows)
        recipe_table().emplace(row.name, row);
}

bool site::has(std::size_t i) const {
    return i < args.size() and args[i]->name() != "undefined";
}

instruction_ref site::operand(std::size_t i) const {
    if (not has(i))
        malformed(str("operand ", i, " was expected, got none"));
    return args[i];
}

void site::expect_operands(std::size_t least, std::size_t most) const {
    if (args.size() < least or args.size() > most)
        malformed(str(least, least == most ? "" : " to " + std::to_string(most),
                      " operands were expected, got ", args.size()));
}

instruction_ref site::add(const operation& op, instructions in) {
    return target.insert_instruction(position, op, std::move(in));
}

instruction_ref site::literal(migraphx::literal l) {
    return target.add_literal(std::move(l));
}

instruction_ref site::scalar(shape::type_t t, double v) {
    return literal(migraphx::literal{shape{t}, std::vector<double>{v}});
}

instruction_ref site::common(const std::string& op, instructions in) {
    return insert_common_op(target, position, op, std::move(in));
}

instruction_ref site::with_number(const std::string& op, instruction_ref x, double v) {
    return common(op, {x, scalar(x->get_shape().type(), v)});
}

instruction_ref site::convert(instruction_ref x, shape::type_t t) {
    return x->get_shape().type() == t ? x : add(make_op("convert", {{"target_type", t}}), {x});
}

instruction_ref site::stretch(instruction_ref x, instruction_ref like) {
    const auto& s = like->get_shape();
    if (s.dynamic() or x->get_shape().dynamic())
        return add("multibroadcast", x, like);
    if (x->get_shape().lens() == s.lens())
        return x;
    return add(make_op("multibroadcast", {{"out_lens", s.lens()}}), {x});
}

instruction_ref site::along(instruction_ref x, std::size_t axis, instruction_ref like) {
    const auto& s = like->get_shape();
    if (s.dynamic())
        return add(make_op("broadcast", {{"axis", axis}}), {x, like});
    return add(make_op("broadcast", {{"axis", axis}, {"out_lens", s.lens()}}), {x});
}

instruction_ref site::call(const std::string& recipe, instructions in, const value& options) {
    return insert(recipe, target, position, in, options).at(0);
}

void site::malformed(const std::string& message) const {
    fail(error_kind::invalid_argument, name + ": " + message);
}

std::vector<instruction_ref> insert(const std::string& name, module& m, instruction_ref ins,
                                    const std::vector<instruction_ref>& args,
                                    const std::vector<module_ref>& module_args,
                                    const value& options) {
    const auto& table = recipe_table();
    const auto found = table.find(name);
    if (found == table.end())
        return {m.insert_instruction(ins, make_op_from_value(name, options), args, module_args)};
    const auto& row = found->second;
    if (not module_args.empty())
        fail(error_kind::invalid_argument, name + ": no modules were expected, got some");
    if (not options.is_null() and not options.empty() and not options.is_object())
        fail(error_kind::invalid_argument, name + ": options by name were expected, got others");
    if (options.is_object())
        for (const auto& o : options)
            if (std::find(row.options.begin(), row.options.end(), o.get_key()) == row.options.end())
                fail(error_kind::invalid_argument, str(name, ": an option of ", row.options,
                                                       " was expected, got '", o.get_key(), "'"));
    site s{name, m, ins, args, options};
    return row.build(s);
}

std::vector<instruction_ref> insert(const std::string& name, module& m, instruction_ref ins,
                                    const std::vector<instruction_ref>& args,
                                    const value& options) {
    return insert(name, m, ins, args, {}, options);
}

std::vector<instruction_ref> add(const std::string& name, module& m,
                                 const std::vector<instruction_ref>& args,
                                 const std::vector<module_ref>& module_args, const value& options) {
    return insert(name, m, m.insert_end(), args, module_args, options);
}

std::vector<instruction_ref> add(const std::string& name, module& m,
                                 const std::vector<instruction_ref>& args, const value& options) {
    return insert(name, m, m.insert_end(), args, {}, options);
}

std::vector<std::string> get_builder_names() {
    std::vector<std::string> result;
    for (const auto& item : recipe_table())
        result.push_back(item.first);
    return result;
}

} // namespace migraphx::op::builder
