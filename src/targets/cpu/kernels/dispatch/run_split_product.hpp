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

/// How it is cut, for one number of threads.
struct split_schedule {
    split_convolution given;
    split_lines lines;            ///< of an image, without addresses
    split_product_params product; ///< of an image, without addresses
    std::vector<int64_t> segments;
    int64_t images;            ///< each a product of its own
    int image_parts;           ///< threads that take images
    int row_parts, panel_parts; ///< of the product of an image: a thread for each pair

    std::size_t split_bytes;   ///< of the parts of an image
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
