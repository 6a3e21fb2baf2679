// SPDX-License-Identifier: MIT
// Checking what a caller gives against what a program declares.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/module.hpp>
#include <migraphx/shape.hpp>

#include <string>
#include <vector>

namespace migraphx {

struct declared_parameter {
    std::string name;
    shape type;
};

/// In declaration order.
std::vector<declared_parameter> declared_parameters(const module& m);

/// Throws with the parameter, the dimension and its bounds when `given` does not fit.
void check_parameter(const declared_parameter& d, const shape& given);

/// The arguments in declaration order, checked. Other keys are ignored.
std::vector<argument> bind_parameters(const std::vector<declared_parameter>& declared, const parameter_map& given);

} // namespace migraphx
