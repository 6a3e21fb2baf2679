// SPDX-License-Identifier: MIT
// Copies that take each position of an axis from another position: pad, reverse, tile, stepped
// slices, gathers by constant indices. Positions are cut into arithmetic runs; each combination of
// runs is one strided copy.
#pragma once

#include "targets/cpu/lower/operands.hpp"

namespace migraphx::cpu {

/// Positions [to, to + count) of the output come from `from`, `from + step`, … of the input, or,
/// for `filled`, from no position.
struct axis_run {
    int64_t to = 0, count = 0, from = 0, step = 1;
    bool filled = false;
};
using axis_runs = std::vector<axis_run>;

/// Every position from itself.
axis_runs same_run(int64_t len);
/// Negative positions are filled.
axis_runs runs_of(const std::vector<int64_t>& from);

/// The output from input 0. `element` (bytes of one element) goes where an axis has no source.
/// Refuses when there would be more than `most` copies.
lowered copy_by_runs(const problem& p, const std::vector<axis_runs>& axes, const std::string& name,
                     std::vector<char> element = {}, std::size_t most = 256);

/// The same for an output seen with other dimensions and strides.
lowered copy_by_runs(const shape& in, const sizes& out_strides, const std::vector<axis_runs>& axes,
                     const std::string& name, std::vector<char> element = {},
                     std::size_t most = 256);

} // namespace migraphx::cpu
