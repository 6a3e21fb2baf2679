// SPDX-License-Identifier: MIT
// Convolutions of f32 images whose channels are neighbours: 1x1 (a product of rows), depthwise, and
// a depthwise one with the 1x1 before it, the 1x1 after it, or both: a few rows of what only the
// next one reads are kept, in the second cache.
#pragma once

#include "targets/cpu/kernels/channel_map.hpp"
#include "targets/cpu/kernels/row_epilogue.hpp"

#include <cstdint>

namespace migraphx::cpu {

// 1x1: y = epilogue(x w + bias); rows of an image follow each other at x_row and y_row.
struct pointwise_params {
    const float* x;
    const float*
        w; // panels of gemm_kernels::panel outputs, `channels` rows each, filled up with zeros
    const float* bias; // whole panels
    float* y;
    channel_map map; // of x
    const float*
        pairs; // products in pairs: gemm_params::pairs for w and sums of pair_depth, or null
    int weight_exponent; // the root of the mean square of w is about 2^this then
    int64_t channels, outputs, rows;
    int64_t x_image, x_row, y_image, y_row, scale_image, shift_image;
    row_epilogue epilogue;
    bool fetches; // the lines of the result that the next tile of packed rows writes
};

// Depthwise, of x or of what the 1x1 makes of it; y is its result or what the 1x1 after it makes.
struct depthwise_params {
    const float* x;
    int64_t x_image, x_row, x_col;
    int64_t channels; // of the depthwise convolution
    int64_t height, width, out_height, out_width;
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t dilation_h, dilation_w; // 1: dense
    int64_t pad_top, pad_left;
    const float* w;    // for each vector of channels its taps, see `first_channel`
    const float* bias; // like a tap
    float* y;
    int64_t y_image, y_row, y_col;
    row_epilogue epilogue;
    // Rows, columns and vectors of channels of its result that are gone through together, so that
    // what they read stays in the first cache; 0: all. Vectors: whole panels after a 1x1; all
    // vectors and columns before one.
    int64_t block_rows, block_columns, block_vectors;
    // The 1x1 before it, if there is one: x_row is width * x_col then.
    const float* panels; // or null
    const float* panel_bias;
    int64_t depth;        // channels of x
    int64_t ring_rows;    // of its result that are kept
    row_epilogue between; // steps without operands
    // The 1x1 after it, if there is one: y_row is out_width * y_col then.
    const float* last_panels; // or null
    const float* last_bias;
    int64_t outputs;    // of it
    int64_t strip_rows; // of the depthwise result that are kept
    row_epilogue last;
    bool fetches; // as in pointwise_params
};

// Channel c of input j becomes channel c * parts + j (a channel shuffle).
struct interleave_params {
    static constexpr int64_t most = 8;
    const float* x[most];
    int64_t x_image[most], x_row[most]; // steps; those of channels are 1
    int64_t parts, channels, rows;      // channels of an input, rows of an image
    float* y;
    int64_t y_image, y_row;
};

struct separable_kernels {
    int64_t vector;     // channels
    int64_t pair_depth; // of sums in pairs
    // Scratch for packed rows of so many channels, where `packs_rows`; 0: none are packed.
    int64_t (*strip_floats)(int64_t channels);
    // Rows [begin, end) of an image, panels of outputs [from, to). `scratch`: packed rows, or
    // with a map pointwise_block rows of x or the weights.
    void (*pointwise)(const pointwise_params& p, float* scratch, int64_t image, int64_t begin,
                      int64_t end, int64_t from, int64_t to);
    // Rows [begin, end) of the result, vectors of channels [from, to), which are all with `panels`
    // or `last_panels`. `scratch` has ring_rows rows of what a block reads, in whole panels, then
    // strip_rows rows of the result, then packed rows of the 1x1 that needs most of them.
    void (*depthwise)(const depthwise_params& p, float* scratch, int64_t image, int64_t begin,
                      int64_t end, int64_t from, int64_t to);
    // Rows [begin, end) of all images as one.
    void (*interleave)(const interleave_params& p, int64_t begin, int64_t end);
};

// The first channel of a vector of the depthwise weights. Without a 1x1 before it the last vector
// ends at the last channel, so that no load needs a mask; with one it is filled up.
constexpr int64_t first_channel(int64_t vector, int64_t width, int64_t channels, bool filled_up) {
    const int64_t at = vector * width;
    return filled_up || at + width <= channels ? at : channels - width;
}

// Of so many rows and outputs, the factors of channels multiply the weights, not x.
constexpr bool scales_weights(const channel_map& map, int64_t rows, int64_t outputs) {
    return map.scale != nullptr && map.shift == nullptr && rows > outputs;
}

// Rows that meet fewer panels are read where they lie: packing them costs as much as half a panel.
constexpr bool packs_rows(int64_t panels) {
    return panels >= 4;
}
// So is a single one, of which a tile would have too few sums. Those of pairs are always packed.
constexpr bool packs_rows(const pointwise_params& p, int64_t panels) {
    return p.pairs != nullptr || (p.rows > 1 && packs_rows(panels));
}

constexpr int64_t pointwise_block = 12;     // rows of x that `scratch` of `pointwise` holds
constexpr int64_t depthwise_rows_most = 16; // of a window

} // namespace migraphx::cpu
