// SPDX-License-Identifier: MIT
// The one-dimensional transforms of Winograd's filtering (winograd.hpp). For kernel files only.
#pragma once

#include "targets/cpu/kernels/lanes.hpp"

namespace migraphx::cpu::KERNEL_ISA {

constexpr double root2 = 1.41421356237309504880;

// A tile of outputs has as many points as it reads inputs. Points may share a transformed weight.
// In random numbers the transform of inputs magnifies about 2^magnified times as much as that of
// weights.
struct filter_2 {
    static constexpr int tile = 2, stride = 1, points = 4, weights = 4, magnified = 2;
    static constexpr int weight_of(int point) { return point; }
    MIGRAPHX_VEC_INLINE static void input(const vf* d, vf* o) {
        o[0] = d[0] - d[2];
        o[1] = d[1] + d[2];
        o[2] = d[2] - d[1];
        o[3] = d[1] - d[3];
    }
    MIGRAPHX_VEC_INLINE static void output(const vf* m, vf* y) {
        y[0] = m[0] + m[1] + m[2];
        y[1] = m[1] - m[2] - m[3];
    }
    MIGRAPHX_VEC_INLINE static void weight(const vd* g, vd* o) {
        const vd even = 0.5 * (g[0] + g[2]), odd = 0.5 * g[1];
        o[0] = g[0];
        o[1] = even + odd;
        o[2] = even - odd;
        o[3] = g[2];
    }
};

struct filter_4 {
    static constexpr int tile = 4, stride = 1, points = 6, weights = 6, magnified = 3;
    static constexpr int weight_of(int point) { return point; }
    MIGRAPHX_VEC_INLINE static void input(const vf* d, vf* o) {
        constexpr float h = float(root2 / 2); // both transforms magnify all points about alike
        const vf odd1 = h * (d[3] - 2.0f * d[1]), even1 = d[4] - 2.0f * d[2];
        const vf odd2 = d[3] - 0.5f * d[1], even2 = h * (d[4] - 0.5f * d[2]);
        o[0] = d[0] + d[4] - 2.5f * d[2];
        o[1] = even1 + odd1;
        o[2] = even1 - odd1;
        o[3] = even2 + odd2;
        o[4] = even2 - odd2;
        o[5] = d[1] + d[5] - 2.5f * d[3];
    }
    MIGRAPHX_VEC_INLINE static void output(const vf* m, vf* y) {
        constexpr float r = float(root2), h = float(root2 / 2);
        const vf sum1 = m[1] + m[2], difference1 = h * (m[1] - m[2]);
        const vf sum2 = m[3] + m[4], difference2 = r * (m[3] - m[4]);
        y[0] = m[0] + sum1 + sum2;
        y[1] = difference1 + difference2;
        y[2] = 0.5f * sum1 + 2.0f * sum2;
        y[3] = m[5] + 0.5f * difference1 + 2.0f * difference2;
    }
    MIGRAPHX_VEC_INLINE static void weight(const vd* g, vd* o) {
        const vd even1 = (g[0] + 0.5 * g[2]) * (-2.0 / 3), odd1 = g[1] * (-root2 / 3);
        const vd even2 = (g[0] + 2.0 * g[2]) * (root2 / 6), odd2 = g[1] * (2.0 / 6);
        o[0] = g[0];
        o[1] = even1 + odd1;
        o[2] = even1 - odd1;
        o[3] = even2 + odd2;
        o[4] = even2 - odd2;
        o[5] = g[2];
    }
};

// With stride 2 the outer taps see every second input, by F(2,2) at 0, 1 and infinity; the middle
// one the inputs between, as they are.
struct filter_2_of_stride_2 {
    static constexpr int tile = 2, stride = 2, points = 5, weights = 4, magnified = 0;
    static constexpr int weight_of(int point) { return point < 3 ? point : 3; }
    MIGRAPHX_VEC_INLINE static void input(const vf* d, vf* o) {
        o[0] = d[0] - d[2];
        o[1] = d[2];
        o[2] = d[4] - d[2];
        o[3] = d[1];
        o[4] = d[3];
    }
    MIGRAPHX_VEC_INLINE static void output(const vf* m, vf* y) {
        y[0] = m[0] + m[1] + m[3];
        y[1] = m[1] + m[2] + m[4];
    }
    MIGRAPHX_VEC_INLINE static void weight(const vd* g, vd* o) {
        o[0] = g[0];
        o[1] = g[0] + g[2];
        o[2] = g[2];
        o[3] = g[1];
    }
};

} // namespace migraphx::cpu::KERNEL_ISA
