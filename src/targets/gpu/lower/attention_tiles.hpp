// SPDX-License-Identifier: MIT
// Which tiles attention is cut into (device_code/attention.cuh).
#pragma once

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace migraphx::gpu {

struct attention_sizes {
    int64_t rows = 0;     ///< queries of the heads that share keys
    int64_t products = 0; ///< matrices of rows: batches * heads of k
    int64_t keys = 0, q_size = 0, v_size = 0;
    std::size_t element = 4; ///< bytes
    bool matrix_units = false;
    std::size_t sum = 4; ///< bytes of what sums are kept in
};

/// One choice of `attention_tile`'s and the warp's template arguments, and how keys and columns are
/// shared among blocks.
struct attention_tiles {
    int size = 0, outs = 0, warp_keys = 0;
    int query_warps = 0, key_warps = 0, stages = 0;
    int64_t splits = 1, split_keys = 0, slices = 1;
    std::size_t shared = 0; ///< bytes of a block

    int rows() const { return 16 * query_warps; }
    int keys() const { return warp_keys * key_warps; }
    int threads() const { return 32 * query_warps * key_warps; }
    /// Template arguments of the warp's size.
    std::string warp_text() const;
    std::string tile_text() const;
};

/// None when even the smallest tiles do not fit a block's shared memory. `variant` 1 to 5 asks for
/// tiles of 64 rows, of 32, of 16 by 4 and by 8 warps, and of 16 with the keys split among blocks; 0
/// for what suits the sizes and the device.
std::optional<attention_tiles> choose_attention_tiles(const attention_sizes& s,
                                                      const device_properties& on, int variant);

} // namespace migraphx::gpu
