// SPDX-License-Identifier: MIT
// What gathers and scatters share: positions that are values of a tensor
// (`index_tuple` of device_code/gather.cuh).
#pragma once

#include "targets/gpu/lower/copy.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace migraphx::gpu {

/// How indices name positions: along which axes of the data, and what strides those have.
struct named_axes {
    sizes lens, steps;
    int64_t index_step = 0;
    int64_t first = 0; ///< where positions 0 lie

    std::size_t count() const { return lens.size(); }
    void add(index_params& params, int64_t wide = 1) const {
        params.add(lens);
        for (auto s : steps)
            params.add(s / wide);
        params.add(index_step);
    }
    // Steps that let accesses of so many elements start at any position.
    bool fits(int64_t wide) const {
        return first % wide == 0 and
               std::all_of(steps.begin(), steps.end(), [&](auto s) { return s % wide == 0; });
    }
    bool is_large() const {
        int64_t reach = 0;
        for (std::size_t k = 0; k < count(); k++)
            reach += std::abs(steps[k]) * lens[k];
        return reach >= int64_t{1} << 30;
    }
};

constexpr std::size_t most_named = 8;

/// Why input `data` cannot be read or written at positions from input `index`; empty when it can.
std::string indexing_refusal(const device_problem& p, std::size_t data, std::size_t index);

} // namespace migraphx::gpu
