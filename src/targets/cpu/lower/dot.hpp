// SPDX-License-Identifier: MIT
// What the implementations of matrix products share.
#pragma once

#include "runtime/kernel.hpp"

#include <cstdint>
#include <string>

namespace migraphx::cpu {

/// All leading axes of a product as one: rows of A, one B for all.
struct flat_product {
    int64_t m = 0, k = 0, n = 0;
    int64_t a_row = 0, a_k = 0, b_k = 0, b_n = 0, c_row = 0;
};

/// The step of a row when the axes before the last count as one; false when they do not merge.
bool merged_rows(const shape& s, int64_t& step);
/// False when B differs between leading axes, rows do not merge, or those of C have gaps.
bool as_flat(const problem& p, flat_product& f);

/// Why no f32 kernel takes the product; empty when one might.
std::string product_refusal(const problem& p);

/// Rows of A, in place, with constant B in panels of columns.
lowered row_product_kernel(const problem& p);

} // namespace migraphx::cpu
