// SPDX-License-Identifier: MIT
// How the threads of the device are laid over a row nest.
#pragma once

#include "targets/gpu/device/device.hpp"

#include "codegen/row_nest.hpp"

#include <cstdint>
#include <vector>

namespace migraphx::gpu {

/// Either the elements of a row lie side by side in memory: `lanes` threads walk a row in vectors,
/// `across` rows to a block. Or (`columns`) rows lie side by side: a thread has the same position
/// of `vector` rows, `across` of those to a block, and `lanes` threads share the positions.
struct row_form {
    bool columns = false;
    int vector = 1;    ///< elements of a load
    int lanes = 1;     ///< threads of a row
    int across = 1;    ///< rows (columns: vectors of rows) of a block
    int chunk = 1;     ///< vectors or positions that a thread has in registers at once
    bool held = true;  ///< one chunk is all of its part of the row: inputs are read once
    int64_t parts = 1; ///< blocks that share a row; above 1 each level of folds is a launch

    int threads() const { return lanes * across; }
};

/// Of a simplified nest.
row_form row_form_of(const codegen::row_nest& n, const device_properties& on);

/// Of its inputs, then of its outputs.
std::vector<const codegen::nest_access*> accesses_of(const codegen::row_nest& n);

/// What lanes walk: vectors of a row, or positions.
int64_t items_of(const codegen::row_nest& n, const row_form& f);
/// What `across` counts: rows, or vectors of rows.
int64_t lines_of(const codegen::row_nest& n, const row_form& f);
/// The dim that vectors run along, as a place among strides; none when it has no dims.
std::size_t vector_dim(const codegen::row_nest& n, const row_form& f);
int64_t vector_dim_length(const codegen::row_nest& n, const row_form& f);

/// Bytes of what a fold keeps while it runs (reduce.cuh).
std::size_t accumulator_bytes(const codegen::row_nest& n, const codegen::row_op& fold,
                              bool wide_index);

} // namespace migraphx::gpu
