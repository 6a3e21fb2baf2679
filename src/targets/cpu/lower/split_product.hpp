// SPDX-License-Identifier: MIT
// f32 products and convolutions on matrix tiles (kernels/amx/split_product.hpp): as exact as sums
// of float products, and one and a half to twice as fast as fused multiply-adds.
#pragma once

#include "runtime/kernel.hpp"
#include "targets/cpu/kernels/dispatch/run_split_product.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"

#include <string>

namespace migraphx::cpu {

/// Why no product takes this way here; empty when one may.
std::string split_refusal(const problem& p);

/// Input 0 by constant input 1.
struct split_problem {
    split_convolution sizes;
    split_weights weights; ///< the constant's
    planned_epilogue epilogue;
};
/// Why sizes are better done by vectors; empty when tiles are filled well.
std::string split_size_refusal(const split_convolution& c);
/// Declines such sizes, and weights that are not finite.
lowered make_split_kernel(const problem& p, const split_problem& s);

lowered split_convolution_kernel(const problem& p);
/// Without what only its epilogue and weights tell.
std::string split_convolution_refusal(const problem& p);

lowered split_dot_kernel(const problem& p);

} // namespace migraphx::cpu
