// SPDX-License-Identifier: MIT
// Kernels that work on lines of an input in sorted order (topk of all elements), which a launch
// before theirs writes to scratch memory.
#pragma once

#include "targets/gpu/lower/walk.hpp"

#include <memory>
#include <vector>

namespace migraphx::gpu {

/// Runs `sort` on input `which`, then `work` on the other inputs in their order, with the sorted
/// elements and their positions behind the first of them.
struct sorting_kernel : kernel {
    std::unique_ptr<kernel> sort, work;
    std::size_t which = 0, inputs = 0; ///< inputs: of the problem
    std::size_t order = 0, rest = 0;   ///< bytes: positions, the scratch memory of the two

    void run(const kernel_args& args) const override;
    std::size_t own_scratch() const { return rest; }
    std::size_t scratch_bytes() const override;
    std::string name() const override { return work->name(); }
};

struct sorted_lines {
    const device_problem& p;
    shape lines; ///< row-major; its last axis is sorted
    lowered sort;

    /// `data`: what the input holds, seen as lines.
    sorted_lines(const device_problem& problem, const shape& data, bool largest);

    /// The problem of the kernel that comes after: `first`, sorted elements, positions, `others`.
    device_problem after(shape first, std::vector<shape> others = {}) const;
    std::unique_ptr<sorting_kernel> then(std::unique_ptr<kernel> work, std::size_t which = 0);
};

} // namespace migraphx::gpu
