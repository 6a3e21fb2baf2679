// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/rotary.hpp"
#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

void rotate_rows(const rotary_params& p, int64_t begin, int64_t end) {
    walker<4> w{p.rank, p.lens, {p.x_steps, p.cos_steps, p.sin_steps, p.y_steps}, {}, {}};
    w.seek(begin);
    for (int64_t row = begin; row < end; ++row, w.next()) {
        const float* x = p.x + w.at[0];
        const float* c = p.cos + w.at[1];
        const float* s = p.sin + w.at[2];
        float* y = p.y + w.at[3];
        for (int64_t i = 0; i < p.half; i += lanes) {
            const int64_t n = p.half - i < lanes ? p.half - i : lanes;
            const vf first = load_first(x + i, n), second = load_first(x + p.half + i, n);
            const vf a = first * load_first(c + i, n) - second * load_first(s + i, n);
            const vf b = second * load_first(c + p.cos_half + i, n) +
                         first * load_first(s + p.sin_half + i, n);
            store_first(y + i, a, n);
            store_first(y + p.half + i, b, n);
        }
    }
}

} // namespace

void fill_rotary(rotary_kernels& table) {
    table.rows = rotate_rows;
}

} // namespace migraphx::cpu::KERNEL_ISA
