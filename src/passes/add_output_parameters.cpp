// SPDX-License-Identifier: MIT
// For callers who give the memory of the results: a parameter `main:#output_N` for each result N of
// the main module that is a tensor of known sizes. Nothing reads it; whoever runs the program
// writes the result there.
#include <migraphx/instruction.hpp>
#include <migraphx/program.hpp>

#include "ir/output_parameter.hpp"
#include "ir/rank_zero.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct add_output_parameters {
    std::string name() const { return "add_output_parameters"; }
    void apply(program& p) const {
        auto* m = p.get_main_module();
        const auto shapes = m->get_output_shapes();
        const auto names = m->get_parameter_names();
        for (std::size_t i = 0; i < shapes.size(); i++) {
            const auto& s = shapes[i];
            const auto parameter = output_parameter_name(i);
            if (s.any_of_dynamic() or s.is_boxed() or s.type() == shape::tuple_type or
                std::find(names.begin(), names.end(), parameter) != names.end())
                continue;
            m->add_parameter(parameter, is_rank_zero(s) ? s : shape{s.type(), s.lens()});
        }
    }
};

const registered_pass add_output_parameters_registered{
    "add_output_parameters", [] { return pass{add_output_parameters{}}; }};

} // namespace

} // namespace migraphx
