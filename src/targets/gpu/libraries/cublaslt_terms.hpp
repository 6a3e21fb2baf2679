// SPDX-License-Identifier: MIT
// A problem in cuBLASLt's terms: its matrices are column by column, so D row by row is the product
// of the transposed operands in the other order. No call of the library is needed for this.
#pragma once

#include "targets/gpu/libraries/cublaslt_abi.hpp"
#include "targets/gpu/libraries/gemm.hpp"

#include <optional>
#include <string>

namespace migraphx::gpu::cublaslt {

/// As it lies in memory: `rows` neighbours, `columns` of them `step` elements apart.
struct matrix_terms {
    data_type type = r_32f;
    uint64_t rows = 0, columns = 0;
    int64_t step = 0;
    int64_t batch_step = 0;
};

struct terms {
    compute_type compute = compute_32f;
    data_type scale = r_32f; ///< type of alpha and beta
    bool swapped = false;    ///< the library's A is the problem's B
    operation op_a = op_n, op_b = op_n;
    matrix_terms a, b, c, d; ///< c is d's where there is none
    epilogue finish = epilogue_default;
    std::optional<data_type> bias;
    int batch = 1; ///< the innermost axis, done by one call; the others by calls of their own
};

/// The reason when cuBLASLt cannot do it. `p` is simplified.
std::optional<terms> terms_of(const gemm_problem& p, std::string& reason);

} // namespace migraphx::gpu::cublaslt
