// SPDX-License-Identifier: MIT
#include "runtime/parameters.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>

#include "base/str.hpp"
#include "ir/output_parameter.hpp"
#include "ir/program_impl.hpp"

#include <algorithm>
#include <map>

namespace migraphx {

namespace {

[[noreturn]] void incorrect(const declared_parameter& d, const shape& given,
                            const std::string& why = "") {
    fail(error_kind::invalid_argument, str("Incorrect shape {", given, "} for parameter: ", d.name,
                                           " should be: ", d.type, why.empty() ? "" : "; ", why));
}

} // namespace

bool is_open(const shape& s) {
    return s.is_sequence() or s.is_optional() or not s.has_rank();
}

void check_parameter(const declared_parameter& d, const shape& given) {
    if (given == d.type)
        return;
    if (given.type() != d.type.type())
        incorrect(d, given,
                  str("type ", d.type.type_string(), " was expected, got ", given.type_string()));
    if (d.type.is_sequence() or d.type.is_optional()) {
        const auto count = given.sub_shapes().size();
        if (d.type.is_optional() and count > 1)
            incorrect(d, given, str("one value or none was expected, got ", count));
        for (std::size_t i = 0; i < count; i++)
            check_parameter({d.name + "[" + std::to_string(i) + "]", d.type.element()},
                            given.sub_shapes()[i]);
        return;
    }
    if (not d.type.has_rank() and not given.dynamic()) {
        if (d.type.is_absent())
            incorrect(d, given, "no element was expected");
        return;
    }
    if (d.type.type() == shape::tuple_type) {
        if (given.sub_shapes().size() != d.type.sub_shapes().size())
            incorrect(d, given);
        for (std::size_t i = 0; i < given.sub_shapes().size(); i++)
            check_parameter({d.name + "[" + std::to_string(i) + "]", d.type.sub_shapes()[i]},
                            given.sub_shapes()[i]);
        return;
    }
    if (given.dynamic())
        incorrect(d, given, "a concrete shape is needed to run");
    if (not d.type.dynamic()) {
        // A rank-one scalar and a tensor of one element hold the same.
        if (given.elements() == 1 and d.type.elements() == 1 and given.ndim() <= 1 and
            d.type.ndim() <= 1)
            return;
    }
    if (d.type.ndim() != given.ndim())
        incorrect(d, given, str("rank ", d.type.ndim(), " was expected, got ", given.ndim()));
    if (not d.type.dynamic()) {
        for (std::size_t i = 0; i < given.ndim(); i++)
            if (given.lens()[i] != d.type.lens()[i])
                incorrect(d, given,
                          str("dimension ", i, " must be ", d.type.lens()[i], ", got ",
                              given.lens()[i],
                              d.type.lens()[i] == 0
                                  ? "; the model states a size of 0, give others when it is read"
                                  : ""));
        return;
    }
    const auto& dims = d.type.dyn_dims();
    for (std::size_t i = 0; i < dims.size(); i++) {
        const auto range = dims[i].get_interval();
        const auto size = given.lens()[i];
        if (size < range.min or size > range.max)
            incorrect(
                d, given,
                str("dimension ", i, " must be in [", range.min, ", ", range.max, "], got ", size));
    }
}

namespace {

// Every size from 1 to what it is.
shape up_to(const shape& s) {
    if (s.dynamic() or s.type() == shape::tuple_type or s.is_boxed() or s.ndim() == 0)
        return s;
    std::vector<shape::dynamic_dimension> dims;
    for (auto n : s.lens())
        dims.emplace_back(std::min<std::size_t>(n, 1), n);
    return {s.type(), dims};
}

} // namespace

signature::signature(const program& p, bool smaller) {
    const auto& dimension_names = program_access::impl(p).dimension_names;
    std::vector<std::vector<std::string>> names;
    for (auto ins : p.get_main_module()->get_parameters()) {
        const auto name = any_cast<builtin::param>(ins->get_operator()).parameter;
        declared.push_back({name, smaller ? up_to(ins->get_shape()) : ins->get_shape()});
        auto it = dimension_names.find(name);
        names.push_back(it == dimension_names.end() ? std::vector<std::string>{} : it->second);
    }
    relate(names);
}

void signature::relate(const std::vector<std::vector<std::string>>& names) {
    std::map<std::string, place> first; // by name, or by the text of a symbolic size
    std::vector<place> symbolic;
    for (std::size_t i = 0; i < declared.size(); i++) {
        if (not declared[i].type.dynamic())
            continue;
        const auto& dims = declared[i].type.dyn_dims();
        for (std::size_t axis = 0; axis < dims.size(); axis++) {
            const place here{i, axis};
            std::string name = axis < names[i].size() ? names[i][axis] : "";
            if (dims[axis].is_symbolic()) {
                name = dims[axis].sym_expr.to_declaration();
                symbolic.push_back(here);
            }
            if (name.empty() or dims[axis].is_fixed())
                continue;
            auto [it, fresh] = first.try_emplace(name, here);
            if (not fresh)
                equal.push_back(
                    {it->second, here,
                     dims[axis].is_symbolic() ? dims[axis].sym_expr.to_string() : name});
        }
    }
    for (const auto& where : symbolic) {
        const auto& size = declared[where.parameter].type.dyn_dims()[where.axis].sym_expr;
        if (size.is_variable() or size.is_literal())
            continue;
        derived_size d{where, size, {}};
        bool complete = true;
        for (const auto& v : size.variables()) {
            auto it = first.find(v.to_declaration());
            complete = complete and it != first.end();
            if (complete)
                d.variables.emplace_back(v, it->second);
        }
        if (complete)
            derived.push_back(std::move(d));
    }
}

bool signature::fixed() const {
    return std::all_of(declared.begin(), declared.end(), [](const auto& d) {
        return is_open(d.type) or not d.type.any_of_dynamic();
    });
}

std::string signature::describe(const place& p) const {
    return str("dimension ", p.axis, " of parameter ", declared[p.parameter].name);
}

void signature::check_related(const std::vector<shape>& given) const {
    auto size_at = [&](const place& p) { return given[p.parameter].lens()[p.axis]; };
    for (const auto& e : equal)
        if (size_at(e.first) != size_at(e.second))
            incorrect(declared[e.second.parameter], given[e.second.parameter],
                      str("dimension ", e.second.axis, " (", e.name, ") must be ", size_at(e.first),
                          ", that of ", describe(e.first), ", got ", size_at(e.second)));
    for (const auto& d : derived) {
        std::unordered_map<sym::expr, std::size_t> values;
        for (const auto& [variable, where] : d.variables)
            values[variable] = size_at(where);
        const auto size = d.size.eval_uint(values);
        if (size != size_at(d.where))
            incorrect(declared[d.where.parameter], given[d.where.parameter],
                      str("dimension ", d.where.axis, " must be ", d.size, " = ", size, ", got ",
                          size_at(d.where)));
    }
}

std::vector<argument> signature::bind(const parameter_map& given) const {
    std::vector<argument> args;
    args.reserve(declared.size());
    for (const auto& d : declared) {
        auto it = given.find(d.name);
        if (it == given.end() and output_parameter_index(d.name)) {
            args.emplace_back(); // the run allocates it
            continue;
        }
        if (it == given.end()) {
            std::string names;
            for (const auto& x : given) {
                const bool known = std::any_of(declared.begin(), declared.end(),
                                               [&](const auto& o) { return o.name == x.first; });
                names += (names.empty() ? "" : ", ") + x.first +
                         (known ? "" : " (which the program does not have)");
            }
            fail(error_kind::invalid_argument, "Parameter not found: " + d.name + "; given were: " +
                                                   (names.empty() ? "none" : names));
        }
        check_parameter(d, it->second.get_shape());
        if (it->second.empty() and it->second.get_shape().bytes() != 0)
            fail(error_kind::invalid_argument,
                 "parameter " + d.name + ": data was expected, got an empty argument");
        args.push_back(it->second);
    }
    if (not equal.empty() or not derived.empty())
        check_related(to_shapes(args));
    return args;
}

std::vector<shape> signature::bind(const std::unordered_map<std::string, shape>& given) const {
    std::vector<shape> shapes;
    for (const auto& d : declared) {
        auto it = given.find(d.name);
        if (it == given.end() and d.type.any_of_dynamic() and not is_open(d.type))
            fail(error_kind::invalid_argument,
                 "parameter " + d.name + ": its sizes were expected, got none");
        shapes.push_back(it == given.end() ? d.type : it->second);
        check_parameter(d, shapes.back());
    }
    check_related(shapes);
    return shapes;
}

} // namespace migraphx
