// SPDX-License-Identifier: MIT
// Splits a recurrent step over the rows of the batch.
#include "targets/cpu/kernels/dispatch/run_recurrent.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

void run_recurrent(recurrent_step step, const recurrent_params& p, int64_t rows) {
    if (p.hidden > 0)
        parallel_for(rows, std::max<int64_t>(1, 4096 / p.hidden),
                     [&](int64_t begin, int64_t end) { step(p, begin, end); });
}

} // namespace migraphx::cpu
