// SPDX-License-Identifier: MIT
// Steps of recurrent layers over the rows of a batch, threaded when it is large.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

using recurrent_step = void (*)(const recurrent_params&, int64_t, int64_t);

// `step` is one of table.recurrent.
void run_recurrent(recurrent_step step, const recurrent_params& p, int64_t rows);

} // namespace migraphx::cpu
