// SPDX-License-Identifier: MIT
// Intersection over union against a vector of boxes at a time.
#include "targets/cpu/kernels/overlap.hpp"
#include "targets/cpu/kernels/lanes.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

bool any_overlap(const box_list& boxes, const box& b, float limit) {
    for (int64_t i = 0; i < boxes.count; i += lanes) {
        const int64_t m = boxes.count - i < lanes ? boxes.count - i : lanes;
        const vf width = raw_min(load_first(boxes.x1 + i, m), splat(b.x1)) -
                         raw_max(load_first(boxes.x0 + i, m), splat(b.x0));
        const vf height = raw_min(load_first(boxes.y1 + i, m), splat(b.y1)) -
                          raw_max(load_first(boxes.y0 + i, m), splat(b.y0));
        const vf shared = raw_max(width, vf{}) * raw_max(height, vf{});
        const vf all = load_first(boxes.area + i, m) + b.area - shared;
        const vf ratio = all > 0.0f ? shared / all : vf{};
        if (any((ratio > limit) & (iota() < int32_t(m))))
            return true;
    }
    return false;
}

} // namespace

void fill_overlap(overlap_kernels& table) {
    table.any = any_overlap;
}

} // namespace migraphx::cpu::KERNEL_ISA
