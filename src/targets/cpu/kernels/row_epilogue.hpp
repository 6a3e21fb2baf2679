// SPDX-License-Identifier: MIT
// What follows a convolution or product whose channels are neighbours: a bias, one activation that
// is done in registers, then any steps. A row is a position of an image.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

enum class row_op : int32_t {
    none,
    clamp,        // to [alpha, beta]
    hard_swish,   // x * clamp(alpha x + beta, 0, 1)
    hard_sigmoid, // clamp(alpha x + beta, 0, 1)
    linear,       // alpha x + beta
    leaky_relu,   // x > 0 ? x : alpha x
    swish,        // x * sigmoid(alpha x)
    sigmoid,
    tanh,
    gelu_erf,
    gelu_tanh,
    // With an operand; the chain's value is on the left.
    add,
    subtract,
    multiply,
    maximum,
    minimum,
};

struct row_step {
    row_op op;
    float alpha, beta;
    const float* operand; // channel c of row r of image i at i * image + r * row + c * channel
    int64_t image, row;
    int64_t channel; // 0 or 1
};

struct row_epilogue {
    static constexpr int32_t most = 6;
    const float* bias; // `channels` values, or null
    // The activation: none; clamp to [low, high]; hard_swish with a factor and a shift:
    // x * clamp(alpha x + beta, low, high) + shift.
    row_op first;
    float alpha, beta, low, high, shift;
    // Quotients are divisions, not products with reciprocals: on processors that divide vectors
    // beside multiplications.
    bool divides;
    int32_t count; // of steps
    row_step steps[most];
};

} // namespace migraphx::cpu
