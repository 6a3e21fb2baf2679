// SPDX-License-Identifier: MIT
// if(cond, args...) with two modules: the results of the first one where cond is true, else those
// of the second. The arguments bind to the name-sorted union of both modules' parameters.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>

namespace migraphx {

namespace {

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
    static void traits(op_info& info) { info.takes_boxed = true; }

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
            results.push_back(
                with_context([&] { return joined_shape(first[i], second[i]); },
                             [&] { return str("for result ", i, " of the two branches"); }));
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
                if (not output.sub_shapes()[i].is_boxed())
                    results[i] = in_layout(results[i], output.sub_shapes()[i]);
        return {results};
    }
};

const registered_op<if_op> if_registered;

} // namespace

} // namespace migraphx
