// SPDX-License-Identifier: MIT
// MIGRAPHX_TRACE_EVAL and the trace callback of an evaluation.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/execution_environment.hpp>
#include <migraphx/instruction_ref.hpp>

#include <functional>

namespace migraphx {

/// 0 off; 1 instructions and times; 2 with previews and statistics of the outputs; 3 full outputs.
int trace_eval_level();

/// Runs one step between its trace lines; `work` gives the result for the callback.
void traced_step(instruction_ref ins, const execution_environment& env,
                 const std::function<argument()>& work);

} // namespace migraphx
