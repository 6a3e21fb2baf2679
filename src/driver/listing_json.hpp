// SPDX-License-Identifier: MIT
#pragma once

#include <migraphx/value.hpp>

namespace migraphx::driver {

/// [{name, summary, attributes [{name, default, doc}], traits}] of the engine's operators.
value operator_table();
/// [{domain, name, limits}] of the operators that can be read from models.
value onnx_table();
value tf_table();

} // namespace migraphx::driver
