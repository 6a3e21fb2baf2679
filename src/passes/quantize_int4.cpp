// SPDX-License-Identifier: MIT
// Weights as 4-bit integers.
#include <migraphx/quantize_int4.hpp>

#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"
#include "passes/quantize_weights.hpp"

namespace migraphx {

namespace {

constexpr std::size_t inputs_with_one_scale = 32;

} // namespace

void quantize_int4_pass::apply(module& m) const {
    for (auto ins : instructions_of(m))
        if (const auto w = find_weights(ins);
            w and ins->inputs()[w->index]->name() != "dequantizelinear") {
            auto in = ins->inputs();
            in[w->index] =
                quantised_weights(m, ins, *w, {shape::int4_type, 7, inputs_with_one_scale});
            m.replace_instruction(ins, ins->get_operator(), in);
        }
}

namespace {

const registered_pass quantize_int4_registered{"quantize_int4",
                                               [] { return quantize_int4_pass{}; }};

} // namespace

} // namespace migraphx
