// SPDX-License-Identifier: MIT
#include "ops/module_body.hpp"

#include "ops/elementwise.hpp"
#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include <migraphx/builtin.hpp>

#include <algorithm>
#include <cstring>

namespace migraphx {

namespace {

// Elements [first, first + count) in logical order as a 1-D tensor; a view where possible.
argument part_of(const argument& a, std::size_t first, std::size_t count) {
    const auto& s = a.get_shape();
    if (s.scalar())
        return a.view(shape{s.type(), std::vector<std::size_t>{count}, std::vector<std::size_t>{0}},
                      0);
    const shape flat{s.type(), std::vector<std::size_t>{count}};
    if (s.standard())
        return a.view(flat, first * s.type_size());
    auto result = argument::uninitialized(flat);
    with_number(s.type(), [&](auto zero) {
        std::vector<decltype(zero)> values(count);
        load(a, first, count, values.data());
        store(result, values);
    });
    return result;
}

void store_part(const argument& out, std::size_t first, const argument& part) {
    const auto& s = out.get_shape();
    const auto count = part.get_shape().elements();
    if (s.standard() and part.get_shape().standard()) {
        std::memcpy(out.data() + first * s.type_size(), part.data(), count * s.type_size());
        return;
    }
    with_number(s.type(), [&](auto zero) {
        std::vector<decltype(zero)> values(count);
        load(part, 0, count, values.data());
        store(out, first, count, values.data());
    });
}

} // namespace

std::vector<std::string> sorted_parameters(const module& m) {
    auto names = m.get_parameter_names();
    std::sort(names.begin(), names.end());
    return names;
}

void expect_modules(const std::vector<module_ref>& mods, std::size_t n) {
    if (mods.size() != n)
        fail_shape(
            str(n, n == 1 ? " module was" : " modules were", " expected, got ", mods.size()));
}

module_ref only_module(const std::vector<module_ref>& mods) {
    expect_modules(mods, 1);
    return mods.front();
}

std::unordered_map<std::string, argument> bind_parameters(const module& m,
                                                          const std::vector<argument>& in) {
    const auto names = sorted_parameters(m);
    if (names.size() != in.size())
        fail_shape(str("as many operands as parameters of the module were expected, got ",
                       in.size(), " and ", names.size()));
    std::unordered_map<std::string, argument> result;
    for (std::size_t i = 0; i < in.size(); ++i)
        result[names[i]] = in[i];
    return result;
}

void expect_parameters(const module& m, const std::vector<shape>& in, bool dims) {
    const auto names = sorted_parameters(m);
    if (names.size() != in.size())
        fail_shape(str("as many operands as parameters of the module were expected, got ",
                       in.size(), " and ", names.size()));
    for (std::size_t i = 0; i < in.size(); ++i) {
        const auto wanted = m.get_parameter_shape(names[i]);
        if (wanted.type() != in[i].type() or
            (dims and not shape::is_compatible_lens(in[i], wanted) and
             not shape::same_lens(in[i], wanted)))
            fail_shape(str("{", wanted, "} was expected for parameter ", names[i],
                           " of the module, got {", in[i], "}"));
    }
}

std::vector<shape> module_shapes(const module& m, const std::vector<shape>& in) {
    const auto names = sorted_parameters(m);
    std::vector<shape> declared;
    for (const auto& n : m.get_parameter_names()) {
        const auto at = std::lower_bound(names.begin(), names.end(), n) - names.begin();
        declared.push_back(in.at(static_cast<std::size_t>(at)));
    }
    return m.compute_shapes(declared);
}

argument in_layout(const argument& a, const shape& s) {
    if (s.any_of_dynamic() or a.get_shape() == s)
        return a;
    if (s.type() == shape::tuple_type) {
        auto subs = a.get_sub_objects();
        if (subs.size() != s.sub_shapes().size())
            fail_shape(str(s.sub_shapes().size(), " results were expected, got ", subs.size()));
        for (std::size_t i = 0; i < subs.size(); ++i)
            subs[i] = in_layout(subs[i], s.sub_shapes()[i]);
        return {subs};
    }
    if (a.get_shape().type() != s.type() or a.get_shape().lens() != s.lens())
        fail_shape(str("a result of shape {", s, "} was expected, got {", a.get_shape(), "}"));
    auto result = argument::uninitialized(s);
    copy_elements(result, a);
    return result;
}

std::vector<argument> evaluate_elementwise(const module& m, const std::vector<shape>& outputs,
                                           const std::vector<argument>& in) {
    const auto bound = bind_parameters(m, in);
    const auto& dims = in.front().get_shape();
    const auto returns = m.get_returns();
    std::vector<instruction_ref> body;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto& op = ins->get_operator();
        if (ins->name() == "@return" or ins->name() == "@comment")
            continue;
        body.push_back(ins);
        if (op.info().is_builtin)
            continue;
        const auto traits = op.attributes();
        if (not traits.contains("pointwise") or not traits.at("pointwise").to<bool>())
            fail_shape(str("pointwise operators were expected in the module, got ", ins->name()));
    }
    std::vector<argument> results;
    for (const auto& s : outputs)
        results.push_back(argument::uninitialized(s));
    const bool scalar =
        std::all_of(outputs.begin(), outputs.end(), [](const shape& s) { return s.scalar(); });
    const auto elements = dims.elements();
    for_each_part(scalar ? std::min<std::size_t>(elements, 1) : elements, [&](std::size_t first,
                                                                              std::size_t count) {
        std::unordered_map<instruction_ref, argument> values;
        for (auto ins : body) {
            if (ins->name() == "@literal") {
                const auto literal = ins->get_literal().get_argument();
                const auto& s = literal.get_shape();
                values[ins] = s.elements() == 1
                                  ? literal.view(shape{s.type(), std::vector<std::size_t>{count},
                                                       std::vector<std::size_t>{0}},
                                                 0)
                                  : part_of(literal, first, count);
                continue;
            }
            if (ins->name() == "@param") {
                const auto& name = any_cast<builtin::param>(ins->get_operator()).parameter;
                values[ins] = part_of(bound.at(name), first, count);
                continue;
            }
            std::vector<argument> operands;
            for (auto a : ins->inputs())
                operands.push_back(values.at(a));
            const auto& op = ins->get_operator();
            values[ins] = op.compute(op.compute_shape(to_shapes(operands)), operands);
        }
        for (std::size_t i = 0; i < results.size(); ++i)
            store_part(results[i], first, values.at(returns.at(i)));
    });
    return results;
}

bool is_flat(const module& m) {
    return std::all_of(m.begin(), m.end(),
                       [](const instruction& ins) { return ins.module_inputs().empty(); });
}

std::vector<argument> evaluate_flat(const module& m, const std::vector<argument>& in) {
    expect_parameters(m, to_shapes(in), true);
    const auto bound = bind_parameters(m, in);
    std::unordered_map<instruction_ref, argument> values;
    std::vector<argument> results;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto& name = ins->name();
        if (name == "@literal") {
            values[ins] = ins->get_literal().get_argument();
        } else if (name == "@param") {
            values[ins] = bound.at(any_cast<builtin::param>(ins->get_operator()).parameter);
        } else if (name == "@return") {
            for (auto a : ins->inputs())
                results.push_back(values.at(a));
        } else if (name != "@comment") {
            std::vector<argument> operands;
            for (auto a : ins->inputs())
                operands.push_back(values.at(a));
            const auto op = ins->normalized_operator();
            values[ins] = op.compute(op.compute_shape(to_shapes(operands)), operands);
        }
    }
    return results;
}

shape one_or_tuple(const std::vector<shape>& shapes) {
    return shapes.size() == 1 ? shapes.front() : shape{shapes};
}

argument one_or_tuple(const std::vector<argument>& results) {
    return results.size() == 1 ? results.front() : argument{results};
}

} // namespace migraphx
