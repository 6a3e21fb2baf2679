// SPDX-License-Identifier: MIT
// Packs windows of an image as rows of a product. For kernel files only.
#pragma once

#include "targets/cpu/kernels/gemm.hpp"
#include "targets/cpu/kernels/strip_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Windows [first, first + rows) at depth [begin, begin + depth) to a strip. Places outside the
// image are zeros.
inline void pack_windows(const gemm_windows& w, const float* x, int64_t first, int64_t rows,
                         int64_t begin, int64_t depth, float* strip) {
    const float* images[strip_rows];
    int64_t top[strip_rows], left[strip_rows];
    for (int64_t r = 0; r < rows; ++r) {
        const int64_t at = first + r;
        const int64_t line = at / w.out_width, image = line / w.out_height;
        images[r] = x + image * w.x_image;
        top[r] = (line - image * w.out_height) * w.stride_h - w.pad_top;
        left[r] = (at - line * w.out_width) * w.stride_w - w.pad_left;
    }
    constexpr int64_t at_once = 64; // channels, so that lines of the strip stay near for all rows
    for (int64_t k = begin; k < begin + depth;) {
        const int64_t tap = k / w.channels, channel = k - tap * w.channels;
        const int64_t down = tap / w.kernel_w * w.dilation_h;
        const int64_t right = tap % w.kernel_w * w.dilation_w;
        int64_t n = w.channels - channel;
        n = n < at_once ? n : at_once;
        n = n < begin + depth - k ? n : begin + depth - k;
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t row = top[r] + down, col = left[r] + right;
            const bool inside =
                uint64_t(row) < uint64_t(w.height) && uint64_t(col) < uint64_t(w.width);
            pack_strip_row(inside ? images[r] + row * w.x_row + col * w.x_col + channel : nullptr,
                           n, rows, r, k - begin, strip);
        }
        k += n;
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
