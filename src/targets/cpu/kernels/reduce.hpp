// SPDX-License-Identifier: MIT
// Reductions over any set of axes of a strided tensor. The wrapper (dispatch/run_reduce.hpp) merges
// the axes into kept (output) and reduced ones and picks the kernel:
//   rows     f32, the fastest axis is reduced and contiguous
//   columns  f32, the fastest axis is kept and contiguous: vectors run across outputs
//   general  any type and strides, in double or int64
// max and min are NaN if an element is; argmax and argmin find the first (or last) NaN.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

enum class reduce_op : int32_t { sum, mean, max, min, prod, all, any };

struct reduce_params {
    static constexpr int max_rank = 8;
    const void* src;
    void* dst;
    double* partial; // not null: raw double results go here, one per output, instead of to dst
    reduce_op op;
    elem_type type;
    int32_t kept_rank, reduced_rank;                                     // of the outer loops
    int64_t kept_lens[max_rank], kept_src[max_rank], kept_dst[max_rank]; // strides in elements
    int64_t reduced_lens[max_rank], reduced_src[max_rank];
    // Innermost loop: reduced elements (rows, general) or outputs (columns).
    int64_t n, src_n, dst_n;
    int64_t count;    // elements that make one output
    int64_t n_block;  // columns: outputs of one unit of work
    int64_t n_blocks; // rows, general: 1
};

// Position of the extreme element along one axis.
struct arg_params {
    const void* src;
    int64_t* dst;
    elem_type type;
    bool largest, last; // last: the later of equal elements wins
    int32_t rank;       // outer axes; dst is packed {outer..., inner}
    int64_t lens[reduce_params::max_rank], src_steps[reduce_params::max_rank]; // in elements
    int64_t n, src_n;                                                          // the axis
    int64_t inner, src_inner, inner_block;
};

struct reduce_kernels {
    // Units: kept index (row-major) x n_blocks.
    void (*rows)(const reduce_params& p, int64_t begin, int64_t end);
    void (*columns)(const reduce_params& p, int64_t begin, int64_t end);
    void (*general)(const reduce_params& p, int64_t begin, int64_t end);
    // Units: outer x ceil(inner / inner_block).
    void (*arg)(const arg_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
