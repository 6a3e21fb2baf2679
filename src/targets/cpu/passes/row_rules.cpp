// SPDX-License-Identifier: MIT
// Which reductions are worth one kernel with what stands around them (row_plan.hpp) on this target.
// Measured on two cores of a Xeon with AVX-512: rows whose elements are neighbours 1.1 to 5 times
// as fast as separate kernels; rows side by side 0.85 to 1.0, a normalization and what follows it
// 0.9.
#include "targets/cpu/passes/passes.hpp"

#include "codegen/row_stages.hpp"
#include "targets/cpu/jit/code.hpp"
#include "targets/cpu/nest_plan.hpp"

#include <migraphx/instruction.hpp>

#include <algorithm>

namespace migraphx::cpu {

namespace {

// Elements of a row that are neighbours in memory.
int64_t run_length(const shape& s, const std::vector<bool>& reduced) {
    std::size_t step = 1;
    for (std::size_t d = 0; d < reduced.size();) {
        const bool next = reduced[d] and s.lens()[d] != 1 and s.strides()[d] == step;
        if (next)
            step *= s.lens()[d];
        d = next ? 0 : d + 1;
    }
    return int64_t(step);
}

// Those with kernels of their own, which are faster unless what is in front of them comes along in
// generated code.
bool has_own_kernel(instruction_ref x) {
    const auto name = x->name();
    return name == "layer_norm" or name == "rms_norm" or name == "softmax" or name == "logsoftmax";
}

bool generates_code() {
    return chosen_nest_backend() != nest_backend::automatic or jit_installed();
}

bool gives_positions(instruction_ref x) {
    return x->name() == "argmax" or x->name() == "argmin";
}

int64_t length_of_rows(const reduce_region& r) {
    int64_t length = 1;
    for (auto a : r.axes)
        length *= int64_t(r.lens[a]);
    return length;
}

bool fits(const shape& s) {
    return s.type() != shape::uint64_type;
}

bool takes(const reduce_region& r) {
    if (r.axes.empty())
        return true;
    constexpr int64_t vector = 16;
    std::vector<bool> reduced(r.lens.size(), false);
    for (auto a : r.axes)
        reduced[a] = true;
    if (codegen::most_positions < length_of_rows(r) and
        std::any_of(r.body.begin(), r.body.end(), gives_positions))
        return false;
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
    const auto inside = [&](auto x) {
        return std::find(r.body.begin(), r.body.end(), x) != r.body.end();
    };
    if (std::any_of(r.body.begin(), r.body.end(), [&](auto x) {
            return has_own_kernel(x) and not(inside(x->inputs().front()) and generates_code());
        }))
        return false;
    return largest != nullptr and run_length(*largest, reduced) >= vector;
}

} // namespace

fuse_reduce reduce_fusion() {
    fuse_reduce pass;
    pass.joins_regions = true;
    pass.takes = takes;
    return pass;
}

} // namespace migraphx::cpu
