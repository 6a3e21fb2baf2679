// SPDX-License-Identifier: MIT
// Which reductions are worth one kernel with what stands around them (row_plan.hpp) on this target.
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>

#include <algorithm>

namespace migraphx::cpu {

namespace {

// Neighbours in memory along dims that are all reduced, or all kept: what vectors run along.
int64_t run_length(const shape& s, const std::vector<bool>& reduced) {
    std::size_t step = 1;
    bool inside = false;
    for (;;) {
        std::size_t d = 0;
        while (d < reduced.size() and (s.lens()[d] == 1 or s.strides()[d] != step))
            d++;
        if (d == reduced.size() or (step > 1 and reduced[d] != inside))
            return int64_t(step);
        inside = reduced[d];
        step *= s.lens()[d];
    }
}

bool fits(const shape& s) {
    return s.type() != shape::uint64_type;
}

} // namespace

bool takes_rows(const reduce_region& r) {
    constexpr int64_t vector = 16;
    std::vector<bool> reduced(r.lens.size(), false);
    for (auto a : r.axes)
        reduced[a] = true;
    const shape* largest = nullptr;
    for (const auto* list : {&r.inputs, &r.body})
        for (auto x : *list) {
            const auto& s = x->get_shape();
            if (not fits(s))
                return false;
            if (list == &r.inputs and s.lens() == r.lens and not s.broadcasted() and
                (largest == nullptr or s.bytes() > largest->bytes()))
                largest = &s;
        }
    return largest != nullptr and run_length(*largest, reduced) >= vector;
}

} // namespace migraphx::cpu
