// SPDX-License-Identifier: MIT
// Strided copy of any rank up to 8 and any element of 1, 2, 4 or 8 bytes: contiguous, layout,
// transpose, concat, slice, pad, broadcast and reverse are all cases of it. A plan is a set of
// outer loops around a rectangle of m rows of n elements; run_copy (dispatch/run_copy.hpp) makes
// it.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

enum class copy_kind : int32_t {
    runs,      // rows contiguous on both sides
    fill,      // one source element for a whole contiguous row
    transpose, // source contiguous along m, destination along n
    strided    // anything else
};

struct copy_params {
    static constexpr int max_rank = 8;
    const char* src;
    char* dst;
    int64_t src_offset, dst_offset; // bytes, from the first element to where the walk starts
    copy_kind kind;
    int32_t elem; // bytes of an element
    int32_t rank; // outer loops
    int64_t lens[max_rank];
    int64_t src_steps[max_rank]; // bytes
    int64_t dst_steps[max_rank]; // bytes
    int64_t m, src_m, dst_m;     // rectangle rows: count, byte steps
    int64_t n, src_n, dst_n;     // rectangle columns
    int64_t m_block, n_block;    // part of a rectangle that is one unit of work
    int64_t m_blocks, n_blocks;  // ceil(m / m_block), ceil(n / n_block)
};

struct copy_kernels {
    // Work units: outer items x m_blocks x n_blocks, numbered row-major.
    void (*copy)(const copy_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
