// SPDX-License-Identifier: MIT
// Gathers and scatters by integer indices. Negative indices count from the end. Indices are checked
// by a pass of their own before anything is written, so the other kernels trust them.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

// Indices: packed i32 or i64.
struct index_list {
    const void* data;
    elem_type type;
    int64_t count;
};

// y[o][j] = row idx[j] of x[o], `run` elements each; y is packed.
struct gather_params {
    const char* x;
    char* y;
    index_list idx;
    int32_t elem; // bytes
    int64_t axis_len;
    int64_t x_outer, x_axis; // strides in elements; a run is contiguous
    int64_t run;
};

// Element gather and scatter along `axis` of a tensor of any strides; indices (and updates or
// results) are packed with the lens given here, which differ from the tensor's along the axis.
struct index_walk_params {
    static constexpr int max_rank = 8;
    char* tensor; // gather reads it, scatter writes it
    char* packed; // gather writes it, scatter reads it
    index_list idx;
    elem_type type;
    int32_t rank, axis;
    int64_t axis_len;
    int64_t lens[max_rank], steps[max_rank]; // steps of the tensor in elements
    bool skip_outside;                       // scatter: indices out of range are left out
};

// Tuples of `depth` indices address runs of a packed tensor; `packed` holds one run for each tuple.
struct index_tuple_params {
    static constexpr int max_rank = 8;
    char* tensor;
    char* packed;
    index_list idx; // batches x tuples x depth
    elem_type type;
    int32_t depth;
    int64_t batches, tuples;                 // tuples of one batch
    int64_t batch_step;                      // elements of the tensor from batch to batch
    int64_t lens[max_rank], steps[max_rank]; // of the addressed axes, steps in elements
    int64_t run;
};

enum class scatter_op : int32_t { none, add, mul, max, min };

struct gather_kernels {
    // Position of the first index of [begin, end) outside [-lens[i % depth], lens[i % depth]), or
    // -1.
    int64_t (*check)(const index_list& idx, const int64_t* lens, int64_t depth, int64_t begin,
                     int64_t end);
    void (*gather)(const gather_params& p, int64_t begin, int64_t end); // units: o * count + j
    void (*gather_elements)(const index_walk_params& p, int64_t begin,
                            int64_t end); // units: rows of the last axis
    void (*gather_tuples)(const index_tuple_params& p, int64_t begin,
                          int64_t end); // units: tuples of all batches
    // In index order. Units: indices of the first axis, or all of it at once (0, 1) when that is
    // the axis.
    void (*scatter_elements)(const index_walk_params& p, scatter_op op, int64_t begin, int64_t end);
    void (*scatter_tuples)(const index_tuple_params& p, scatter_op op);
};

} // namespace migraphx::cpu
