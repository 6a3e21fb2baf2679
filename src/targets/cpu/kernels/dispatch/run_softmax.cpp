// SPDX-License-Identifier: MIT
// Orders the outer axes of a softmax and picks rows, columns or lines.
#include "targets/cpu/kernels/dispatch/run_softmax.hpp"

#include "base/parallel.hpp"
#include <migraphx/errors.hpp>

#include <algorithm>
#include <string>

namespace migraphx::cpu {

namespace {

constexpr int64_t softmax_grain = 16 * 1024; // elements of a unit of parallel work

struct softmax_axis {
    int64_t len, x, y, mask;
};

// Adds an axis to the outer loops, as part of the last one when they are one in memory.
void add_softmax_axis(softmax_params& p, const softmax_axis& a) {
    if (p.rank > 0) {
        const int d = p.rank - 1;
        if (p.x_steps[d] == a.x * a.len and p.y_steps[d] == a.y * a.len and
            p.mask_steps[d] == a.mask * a.len) {
            p.lens[d] *= a.len;
            p.x_steps[d] = a.x;
            p.y_steps[d] = a.y;
            p.mask_steps[d] = a.mask;
            return;
        }
    }
    p.lens[p.rank] = a.len;
    p.x_steps[p.rank] = a.x;
    p.y_steps[p.rank] = a.y;
    p.mask_steps[p.rank++] = a.mask;
}

} // namespace

void run_softmax(const softmax_problem& s, const kernel_table& table) {
    if (s.rank < 1 or s.rank > softmax_params::max_rank)
        fail(error_kind::unsupported,
             "softmax: expected 1 to 8 dimensions, got " + std::to_string(s.rank));
    softmax_params p{};
    p.x = s.x;
    p.y = s.y;
    p.mask = s.mask;
    p.scale = s.scale;
    p.log = s.log;
    p.type = s.type;
    p.n = s.lens[s.axis];
    p.x_n = s.x_strides[s.axis];
    p.y_n = s.y_strides[s.axis];
    p.mask_n = s.mask != nullptr ? s.mask_strides[s.axis] : 0;
    const bool rows = p.n == 1 or (p.x_n == 1 and p.y_n == 1 and (p.mask_n == 0 or p.mask_n == 1));
    int inner = -1;
    int64_t elements = p.n;
    for (int i = 0; i < s.rank; ++i) {
        if (i == s.axis)
            continue;
        elements *= s.lens[i];
        const int64_t mask = s.mask != nullptr ? s.mask_strides[i] : 0;
        if (not rows and s.type == elem_type::f32 and s.lens[i] > 1 and s.x_strides[i] == 1 and
            s.y_strides[i] == 1 and (mask == 0 or mask == 1))
            inner = i;
    }
    if (elements <= 0)
        return;
    p.inner = p.inner_blocks = p.inner_block = 1;
    int64_t units = 1;
    for (int i = 0; i < s.rank; ++i) {
        if (i == s.axis or s.lens[i] == 1)
            continue;
        const int64_t mask = s.mask != nullptr ? s.mask_strides[i] : 0;
        if (i == inner) {
            p.inner = s.lens[i];
            p.inner_mask = mask;
            continue;
        }
        units *= s.lens[i];
        add_softmax_axis(p, {s.lens[i], s.x_strides[i], s.y_strides[i], mask});
    }
    auto f = rows ? table.softmax.rows : table.softmax.lines;
    if (inner >= 0) {
        f = table.softmax.columns;
        p.inner_block = std::min<int64_t>(p.inner, 64);
        p.inner_blocks = (p.inner + p.inner_block - 1) / p.inner_block;
        units *= p.inner_blocks;
    }
    parallel_for(units, std::max<int64_t>(1, softmax_grain / (p.n * p.inner_block)),
                 [&](int64_t begin, int64_t end) { f(p, begin, end); });
}

} // namespace migraphx::cpu
