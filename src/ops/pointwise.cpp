// SPDX-License-Identifier: MIT
// pointwise: a module of elementwise operators over operands of equal dimensions. The module's
// parameters and scalar literals stand for single elements.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

// The layout of a broadcast operand counts as packed when there is more than one dimension.
std::vector<shape> layout_voters(const std::vector<shape>& in) {
    auto result = in;
    for (auto& s : result)
        if (not s.dynamic() and s.ndim() > 1 and s.broadcasted())
            s = shape::from_permutation(s.type(), s.lens(), find_permutation(s));
    return result;
}

struct pointwise_op {
    static constexpr auto name = "pointwise";
    static constexpr auto summary = "Elementwise operators fused in a module";

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        const auto& body = *only_module(mods);
        expect(in).at_least(1).tensor();
        expect_parameters(body, in, false);
        const bool broadcast =
            std::any_of(in.begin(), in.end(), [](const shape& s) { return s.broadcasted(); });
        const bool packed =
            std::any_of(in.begin(), in.end(), [](const shape& s) { return s.packed(); });
        const auto voters = broadcast and not packed ? layout_voters(in) : in;
        std::vector<shape> results;
        for (const auto& s : body.get_output_shapes())
            results.push_back(pointwise_shape(voters, s.type(), name));
        return one_or_tuple(results);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        const auto stated = output.any_of_dynamic() ? infer(to_shapes(in), mods) : output;
        const auto& body = *only_module(mods);
        return one_or_tuple(evaluate_elementwise(
            body,
            stated.type() == shape::tuple_type ? stated.sub_shapes() : std::vector<shape>{stated},
            in));
    }
};

const registered_op<pointwise_op> pointwise_registered;

} // namespace

} // namespace migraphx
