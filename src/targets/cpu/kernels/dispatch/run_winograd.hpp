// SPDX-License-Identifier: MIT
// Winograd convolutions, threaded over tiles or over outputs.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstddef>
#include <cstdint>

namespace migraphx::cpu {

/// How a convolution is cut, for one number of threads and one instruction set.
struct winograd_schedule {
    winograd_params params;  ///< without addresses
    int64_t tiles;           ///< of all images
    int64_t block;           ///< tiles that are in work at once
    int64_t points, weights; ///< of a tile
    int threads;
    bool split_outputs; ///< threads share the tiles of a block and take its outputs, else blocks

    std::size_t weight_floats() const;
    int64_t v_floats() const; ///< scratch of V and of what goes with it
    int64_t m_floats() const; ///< and of M
    std::size_t scratch_floats() const;
};

/// Whether products of `p` (channels, outputs) are to go in pairs; `adds_beside`:
/// adds_beside_multiplies().
bool winograd_gains_by_pairs(const winograd_params& p, const kernel_table& table = kernels(),
                             bool adds_beside = adds_beside_multiplies());

/// `params` without tile counts, steps of V and M and panels; `images` of them.
winograd_schedule schedule_winograd(winograd_params params, int64_t images, int threads,
                                    const kernel_table& table = kernels());

/// Weights O, C, 3, 3 to what `params.u` takes.
void transform_winograd(const winograd_schedule& s, const winograd_weights& w, float* u,
                        const kernel_table& table = kernels());

/// `addresses`: s.params with x, u, bias, residual and y. `scratch`: 64-byte aligned.
void run_winograd(const winograd_schedule& s, const winograd_params& addresses, float* scratch,
                  const kernel_table& table = kernels());

} // namespace migraphx::cpu
