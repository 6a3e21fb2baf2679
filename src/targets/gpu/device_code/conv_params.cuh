// SPDX-License-Identifier: MIT
// What convolution kernels are given at run time; the same text is read by the engine.
#pragma once

#include "fast_div.cuh"

namespace mgx {

constexpr int conv_most_axes = 3;     // spatial
constexpr int conv_most_operands = 8; // of an epilogue

struct conv_axis {
    int in, out, kernel, stride, dilation, before;
    fast_div by_out, by_stride;
};

// Steps in elements between neighbours along each axis.
struct conv_steps {
    long long image, channel, axis[conv_most_axes];
};

struct conv_params {
    conv_steps x, y, operands[conv_most_operands];
    const void* weights;            // packed as the kernel says
    conv_axis axis[conv_most_axes]; // the innermost one last of those that are used
    unsigned positions;             // of all images
    int groups, channels, outputs;  // the last two within a group
    int k, k_step;                  // taps * channels; rows of packed weights are k_step apart
    int splits, tiles_in_split;     // parts of the sum over k
};

// Steps in elements of weights as they are given; `count` elements are packed.
struct conv_pack_params {
    unsigned long long count;
    long long group, output, channel, tap[conv_most_axes];
    int kernel[conv_most_axes]; // 1 for axes before the first
    int k, k_step, channels, outputs;
};

// An image whose few channels become eight: those of `fold` neighbours along the innermost axis, each
// with 8 / fold places.
struct conv_fold_params {
    conv_steps x;
    fast_div by_axis[conv_most_axes]; // lengths of the result; the first ones are 1 if not used
    int channels, length;             // of x; its length along the innermost axis
    unsigned pieces;                  // of eight channels, in the result
};

// A thread for each run of channels of each tile of positions along the innermost axis.
struct depthwise_params {
    conv_params conv;
    fast_div by_runs, by_tiles;
    unsigned threads;
};

} // namespace mgx
