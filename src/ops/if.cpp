// SPDX-License-Identifier: MIT
// if(cond, args...) with two modules: the results of the first one where cond is true, else those
// of the second. The arguments bind to the name-sorted union of both modules' parameters.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

// A shape that the results of both branches have.
shape either_shape(const shape& a, const shape& b, std::size_t result) {
    if (a == b)
        return a;
    if (a.type() != b.type() or a.ndim() != b.ndim() or a.type() == shape::tuple_type)
        fail_shape(str("branches whose result ", result,
                       " has one type and rank were expected, got {", a, "} and {", b, "}"));
    if (not a.dynamic() and not b.dynamic() and a.lens() == b.lens())
        return a.as_standard();
    const auto x = dims_of(a, a.symbolic() or b.symbolic());
    const auto y = dims_of(b, a.symbolic() or b.symbolic());
    std::vector<shape::dynamic_dimension> dims;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto u = x[i].get_interval(), v = y[i].get_interval();
        if (x[i] == y[i])
            dims.push_back(x[i]);
        else
            dims.emplace_back(std::min(u.min, v.min), std::max(u.max, v.max));
    }
    return {a.type(), dims};
}

std::vector<std::string> branch_parameters(const std::vector<module_ref>& mods) {
    std::vector<std::string> names;
    for (const auto* m : mods)
        for (const auto& n : m->get_parameter_names())
            names.push_back(n);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

struct if_op {
    static constexpr auto name = "if";
    static constexpr auto summary = "The results of one of two modules, chosen by a condition";

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(1);
        expect_modules(mods, 2);
        if (in[0].type() == shape::tuple_type or
            in[0].max_lens() != std::vector<std::size_t>(in[0].ndim(), 1))
            fail_shape(str("a condition of one element was expected, got ", in[0]));
        const auto names = branch_parameters(mods);
        if (names.size() + 1 != in.size())
            fail_shape(str(names.size() + 1, " inputs were expected, got ", in.size()));
        const auto first = mods[0]->get_output_shapes(), second = mods[1]->get_output_shapes();
        if (first.size() != second.size())
            fail_shape(str("branches with equally many results were expected, got ", first.size(),
                           " and ", second.size()));
        std::vector<shape> results;
        for (std::size_t i = 0; i < first.size(); ++i)
            results.push_back(either_shape(first[i], second[i], i));
        return shape{results};
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        auto* taken = mods.at(load<double>(in[0]).at(0) != 0 ? 0 : 1);
        const auto names = branch_parameters(mods);
        std::unordered_map<std::string, argument> parameters;
        for (const auto& n : taken->get_parameter_names()) {
            const auto at = std::lower_bound(names.begin(), names.end(), n) - names.begin();
            parameters[n] = in.at(static_cast<std::size_t>(at) + 1);
        }
        auto results = run(taken, parameters);
        if (output.type() == shape::tuple_type)
            for (std::size_t i = 0; i < results.size() and i < output.sub_shapes().size(); ++i)
                results[i] = in_layout(results[i], output.sub_shapes()[i]);
        return {results};
    }
};

const registered_op<if_op> if_registered;

} // namespace

} // namespace migraphx
