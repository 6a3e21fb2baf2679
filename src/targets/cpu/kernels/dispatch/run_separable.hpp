// SPDX-License-Identifier: MIT
// 1x1 and depthwise convolutions, threaded over rows or over channels, whichever shares the work
// more evenly.
#pragma once

#include "targets/cpu/kernels/dispatch/processor.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstddef>
#include <cstdint>

namespace migraphx::cpu {

/// How a convolution is cut, for one number of threads and one instruction set.
struct separable_schedule {
    int64_t images = 1, row_parts = 1, panel_parts = 1;
    int threads = 1;
    std::size_t scratch_floats = 0; ///< of a thread
    bool fetches = false;           ///< pointwise_params::fetches
    bool packs = false;             ///< rows of a 1x1, whose tiles fetch what later steps read

    int64_t units() const { return images * row_parts * panel_parts; }
    std::size_t scratch_bytes() const { return std::size_t(threads) * scratch_floats * 4; }
};

/// Whether fetching the lines of a 1x1's result ahead pays. Where the processor does not go on by
/// itself it always does; else it takes lines that another core writes, and small results are in a
/// cache from where they come in time.
bool fetches_results(int64_t positions, int64_t channels, int64_t outputs,
                     const processor& p = this_processor());

/// Products in pairs make a 1x1 faster, by its sizes.
bool gains_by_pairs(int64_t rows, int64_t channels, int64_t outputs,
                    const kernel_table& table = kernels(),
                    bool adds_beside = adds_beside_multiplies());

separable_schedule schedule_pointwise(const pointwise_params& p, int64_t images, int threads,
                                      const kernel_table& table = kernels());
/// Sets the blocks of p, what it keeps (ring_rows, strip_rows) and what it fetches.
separable_schedule schedule_depthwise(depthwise_params& p, int64_t images, int threads,
                                      const kernel_table& table = kernels());
/// Floats of scratch that rows of the 1x1 before and of that after it need to be packed.
int64_t packed_floats(const depthwise_params& p, const kernel_table& table = kernels());

/// Floats of the packed weights of a depthwise convolution, and the packing; those of a 1x1 are
/// packed by run_gemm.hpp. `w`: channels, taps at their steps (rows and columns of the window).
std::size_t depthwise_weight_floats(int64_t channels, int64_t taps,
                                    const kernel_table& table = kernels());
void pack_depthwise(const float* w, int64_t channel_step, int64_t row_step, int64_t col_step,
                    int64_t channels, int64_t kernel_h, int64_t kernel_w, bool filled_up, float* to,
                    const kernel_table& table = kernels());

void run_pointwise(const separable_schedule& s, const pointwise_params& p, float* scratch,
                   const kernel_table& table = kernels());
void run_depthwise(const separable_schedule& s, const depthwise_params& p, float* scratch,
                   const kernel_table& table = kernels());

void run_interleave(const interleave_params& p, int64_t images,
                    const kernel_table& table = kernels());

} // namespace migraphx::cpu
