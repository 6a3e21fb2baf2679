// SPDX-License-Identifier: MIT
// Local response normalisation across channels, f32:
//   y[c] = x[c] * (bias + alpha / size * sum of x[c - (size - 1) / 2 .. c + size / 2] ^ 2) ^ -beta
#pragma once

#include <cstdint>

namespace migraphx::cpu {

struct lrn_params {
    static constexpr int64_t max_channels = 8192; // of pixels
    const float* x;
    float* y; // not x
    float alpha, beta, bias;
    int64_t size;
    int64_t channels;
    int64_t inner; // planes: elements of a plane, packed {images, channels, inner}; pixels: {..,
                   // channels}
    static constexpr int64_t block = 256;
};

struct lrn_kernels {
    void (*planes)(const lrn_params& p, int64_t begin,
                   int64_t end); // units: image x ceil(inner / block)
    void (*pixels)(const lrn_params& p, int64_t begin, int64_t end); // units: pixels
};

} // namespace migraphx::cpu
