// SPDX-License-Identifier: MIT
// Products and convolutions of floats on matrix tiles (kernels/amx), threaded.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace migraphx::cpu {

/// A convolution with one group, steps in elements. The result's positions lie one after another,
/// `y_position` apart, and its channels are neighbours. A product of matrices is one with a window
/// of 1x1 over an image of width 1.
struct split_convolution {
    int64_t images, channels, height, width;
    int64_t x_image, x_channel, x_row, x_column;
    int64_t outputs, out_height, out_width, y_position;
    int64_t kernel_height, kernel_width;
    int64_t stride_y, stride_x;
    int64_t dilation_y, dilation_x; ///< 1: dense
    int64_t top, left;              ///< padding, not negative
    bool merge_images;              ///< the epilogue counts their positions through
};

/// How it is cut, for one number of threads: in strips of lines of the result, each a product of its
/// own, for whole threads; or, when there is too little for that, all threads share each image.
struct split_schedule {
    split_convolution given;
    split_lines lines;            ///< of a strip, without addresses
    split_product_params product; ///< of a strip, without addresses
    std::vector<int64_t> segments;
    int64_t images;
    int64_t all_lines;          ///< of the result of an image
    int64_t strips;             ///< of an image
    int64_t strip_lines;        ///< lines of the result of a strip; the last may have fewer
    int64_t line_rows;          ///< rows of A that count for a line of the result
    int64_t line_pitch;         ///< rows of A between lines of the result
    int64_t line_step;          ///< lines of x between those of the result
    int64_t window_lines;       ///< of x, for a line of the result
    int threads;                ///< that take strips, with scratch of their own
    int row_parts, panel_parts; ///< one thread takes strips: of a product, a thread for each pair

    std::size_t split_bytes;   ///< of the parts of a strip
    std::size_t product_bytes; ///< of one thread's scratch
    std::size_t scratch_bytes() const;
};

split_schedule schedule_split(const split_convolution& c, int threads, const amx_kernels& k);

/// Weights, steps in elements.
struct split_weights {
    const float* data;
    int64_t output, channel, row, column;
};
std::size_t split_panel_floats(const split_convolution& c);
/// False when one is infinite or NaN: `run_split` would not tell them apart.
bool pack_split(const split_convolution& c, const split_weights& w, float* panels,
                const kernel_table& table = kernels());

/// `scratch`: 64-byte aligned. Where x is not finite the sums are done one by one.
void run_split(const split_schedule& s, const float* x, const float* panels, float* y,
               const row_epilogue& epilogue, char* scratch, const amx_kernels& k);

} // namespace migraphx::cpu
