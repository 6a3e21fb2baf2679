// SPDX-License-Identifier: MIT
// dot and quant_dot, with or without an epilogue, as a problem of a library of products.
#pragma once

#include "passes/fuse_epilogue.hpp"
#include "targets/gpu/libraries/gemm.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/weights.hpp"

#include <optional>
#include <string>

namespace migraphx::gpu {

/// The operator's own inputs; those of its module follow.
std::size_t own_inputs(const problem& p);

/// Of what is stored between a kernel of sums and one for this epilogue: float where all that read
/// halves of it convert them to float, so that they are rounded once; else as the body states.
shape::type_t type_between(const module& body);

/// A tensor's last two axes as a matrix, the others as its batch.
gemm_matrix matrix_of(const shape& s);
/// A times B into `output`, as the shapes say it: not simplified.
gemm_problem stated_product(const problem& p, const shape& output);

/// The constant B of a (simplified) problem without a batch, one column after the other.
device_weight columns_of(const device_problem& p, const gemm_problem& w);

struct product_form {
    gemm_problem what; ///< simplified
    std::size_t a = 0, b = 1;
    std::optional<std::size_t> c, bias, scale_a, scale_b; ///< positions among the inputs
};

/// The product alone, into a result of `output` (its type and strides). The reason when a
/// gemm_problem does not say it.
std::optional<product_form> plain_product(const problem& p, const shape& output,
                                          std::string& reason);

/// With all of its module.
std::optional<product_form> whole_product(const problem& p, std::string& reason);

/// For the pass `fuse_epilogue`.
epilogue_rules epilogues();

} // namespace migraphx::gpu
