// SPDX-License-Identifier: MIT
// Nest operators as text of device code: the same rows of the pointwise table as the reference, in
// the C++ of CUDA, HIP and the host, over what targets/gpu/device_code/pointwise.cuh declares.
#pragma once

#include "codegen/nest.hpp"

#include <migraphx/module.hpp>

#include <functional>
#include <string>
#include <vector>

namespace migraphx::codegen {

/// How an element lies in memory: "half", "f32" as "float", "i8", …
const char* stored_type(shape::type_t type);
/// How its value is held: "float", "double", "whole" (64 bits, signed) or "natural" (uint64).
const char* held_type(shape::type_t type);

/// A number as an expression of the held type of `type`.
std::string number_text(const nest_operand& number, shape::type_t type);

/// The value of `op`; `reg_type` and `reg_name` tell about the registers among its operands.
std::string expression(const nest_op& op, const std::function<shape::type_t(int)>& reg_type,
                       const std::function<std::string(int)>& reg_name);

/// A module of pointwise operators as a function: `MGX_DEVICE T name(T0 x0, T1 x1, ...)`, its
/// parameters in the order of the module's parameter names, held types throughout. The result is
/// not rounded to the type that it is stored in. Needs pointwise.cuh. Throws `unsupported` with the
/// reason when a nest cannot hold the module or it has not one result.
std::string device_function(const module& m, const std::string& name);

} // namespace migraphx::codegen
