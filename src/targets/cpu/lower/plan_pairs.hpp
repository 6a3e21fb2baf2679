// SPDX-License-Identifier: MIT
// Products in pairs with constant weights: what the weights alone give is made once, beside their
// packed form, for programs of all sizes.
#pragma once

#include "runtime/kernel.hpp"
#include "runtime/weight_store.hpp"
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"

#include <memory>
#include <string>

namespace migraphx::cpu {

/// Makes q a product in pairs with constant input `input`, packed as `weights` in the order that
/// `order` names, for sums of q.sum_depth (0: of as many as run_gemm takes), unless numbers of it
/// are too large or small or not finite. What is returned is to live as long as q; null: q is none.
std::shared_ptr<const packed_weight> plan_pairs(const problem& p, std::size_t input,
                                                const std::string& order,
                                                const packed_weight& weights, gemm_params& q);

} // namespace migraphx::cpu
