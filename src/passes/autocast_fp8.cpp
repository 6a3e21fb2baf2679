// SPDX-License-Identifier: MIT
// 8-bit floating-point inputs and outputs of a program in a type that callers have.
#include <migraphx/autocast_fp8.hpp>
#include <migraphx/make_op.hpp>

#include "ir/number_kinds.hpp"
#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool has_fp8(const std::vector<instruction_ref>& list) {
    return std::any_of(list.begin(), list.end(),
                       [](auto x) { return is_fp8(x->get_shape().type()); });
}

} // namespace

void autocast_fp8_pass::apply(module& m) const {
    if (m.name() != "main")
        return;
    const auto cast = [&](instruction_ref before, instruction_ref x, shape::type_t t) {
        return m.insert_instruction(before, make_op("convert", {{"target_type", t}}), x);
    };
    // All parameters are made anew, so that their order stays.
    const auto names = m.get_parameter_names();
    std::vector<instruction_ref> parameters;
    for (const auto& name : names)
        parameters.push_back(m.get_parameter(name));
    const bool any = has_fp8(parameters);
    for (std::size_t i = 0; i < names.size() and any; ++i) {
        const auto old = parameters[i];
        const auto s = old->get_shape();
        m.rename_parameter(old, names[i] + ":fp8");
        auto x = m.insert_parameter(old, names[i], is_fp8(s.type()) ? s.with_type(target_type) : s);
        if (is_fp8(s.type()))
            x = cast(old, x, s.type());
        m.replace_instruction(old, x);
        m.remove_instruction(old);
    }
    const auto last = m.insert_end();
    if (last == m.end() or last->name() != "@return" or not has_fp8(last->inputs()))
        return;
    auto results = last->inputs();
    for (auto& x : results)
        if (is_fp8(x->get_shape().type()))
            x = cast(last, x, target_type);
    m.replace_return(results);
}

namespace {

const registered_pass autocast_fp8_registered{"autocast_fp8", [] { return autocast_fp8_pass{}; }};

} // namespace

} // namespace migraphx
