// SPDX-License-Identifier: MIT
// Weights of block_dot (ops/block_dot.cpp) as numbers.
#pragma once

#include <migraphx/argument.hpp>

#include <cstddef>
#include <vector>

namespace migraphx {

/// Writes (q - zero) * scale to `out` (N, K) of any floating type; `in`: q, scale[, zero].
void block_weights(const argument& out, const std::vector<argument>& in, std::size_t bits,
                   std::size_t block);

} // namespace migraphx
