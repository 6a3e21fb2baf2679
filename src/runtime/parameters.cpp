// SPDX-License-Identifier: MIT
#include "runtime/parameters.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>

#include "base/str.hpp"

namespace migraphx {

std::vector<declared_parameter> declared_parameters(const module& m)
{
    std::vector<declared_parameter> result;
    for(auto ins : m.get_parameters())
        result.push_back({any_cast<builtin::param>(ins->get_operator()).parameter, ins->get_shape()});
    return result;
}

namespace {

[[noreturn]] void incorrect(const declared_parameter& d, const shape& given, const std::string& why = "")
{
    fail(error_kind::invalid_argument,
         str("Incorrect shape {", given, "} for parameter: ", d.name, " should be: ", d.type, why.empty() ? "" : "; ", why));
}

} // namespace

void check_parameter(const declared_parameter& d, const shape& given)
{
    if(given == d.type)
        return;
    if(given.type() != d.type.type())
        incorrect(d, given);
    if(d.type.type() == shape::tuple_type)
    {
        if(given.sub_shapes().size() != d.type.sub_shapes().size())
            incorrect(d, given);
        for(std::size_t i = 0; i < given.sub_shapes().size(); i++)
            check_parameter({d.name + "[" + std::to_string(i) + "]", d.type.sub_shapes()[i]}, given.sub_shapes()[i]);
        return;
    }
    if(given.dynamic())
        incorrect(d, given, "a concrete shape is needed to run");
    if(not d.type.dynamic())
    {
        // A rank-one scalar and a tensor of one element hold the same.
        if(given.lens() != d.type.lens() and not(given.elements() == 1 and d.type.elements() == 1 and given.ndim() <= 1 and d.type.ndim() <= 1))
            incorrect(d, given, d.type.elements() == 0 ? "the model states a size of 0; give other sizes when it is read" : "");
        return;
    }
    const auto& dims = d.type.dyn_dims();
    if(dims.size() != given.ndim())
        incorrect(d, given, str("rank ", dims.size(), " was expected, got ", given.ndim()));
    for(std::size_t i = 0; i < dims.size(); i++)
    {
        const auto range = dims[i].get_interval();
        const auto size  = given.lens()[i];
        if(size < range.min or size > range.max)
            incorrect(d, given, str("dimension ", i, " must be in [", range.min, ", ", range.max, "], got ", size));
    }
}

std::vector<argument> bind_parameters(const std::vector<declared_parameter>& declared, const parameter_map& given)
{
    std::vector<argument> args;
    args.reserve(declared.size());
    for(const auto& d : declared)
    {
        auto it = given.find(d.name);
        if(it == given.end())
        {
            std::string names;
            for(const auto& x : given)
                names += (names.empty() ? "" : ", ") + x.first;
            fail(error_kind::invalid_argument,
                 "Parameter not found: " + d.name + "; given were: " + (names.empty() ? "none" : names));
        }
        check_parameter(d, it->second.get_shape());
        if(it->second.empty() and it->second.get_shape().bytes() != 0)
            fail(error_kind::invalid_argument, "parameter " + d.name + ": data was expected, got an empty argument");
        args.push_back(it->second);
    }
    return args;
}

} // namespace migraphx
