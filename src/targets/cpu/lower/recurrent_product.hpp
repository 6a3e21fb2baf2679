// SPDX-License-Identifier: MIT
// Products of a recurrent layer with its weights, packed where they are constant.
#pragma once

#include "targets/cpu/dnnl_kernel.hpp"
#include "targets/cpu/kernels/gemm.hpp"
#include "targets/cpu/kernels/small_gemm.hpp"
#include "targets/cpu/lowering.hpp"

#include <memory>
#include <optional>

namespace migraphx::cpu {

/// c = a * weight^T for rows [first, first + n) of a matrix of width k.
struct gate_product {
    small_gemm_params params{};
    std::size_t input = 0,
                offset = 0; ///< where the weight lies unless it is packed; offset in floats
    std::shared_ptr<const packed_weight> packed;
    std::optional<gemm_params> tiles; ///< many rows
    int64_t threads = 1;
    std::shared_ptr<const dnnl_kernel> library; ///< many rows without multiply-adds of vectors

    /// bias: null unless adds_bias().
    void run(const kernel_args& args, const float* a, const float* bias, float* c,
             char* scratch) const;
    bool adds_bias() const { return library == nullptr; }
    std::size_t scratch_bytes() const;
    void add_constants(held_constants& held) const;
};

struct product_rows {
    std::size_t first = 0, n = 0;
};

/// Of m rows with rows of input number `input`. Throws dnnl::error.
gate_product make_product(const problem& p, std::size_t input, product_rows rows, int64_t m,
                          int64_t a_row, int64_t c_row);

} // namespace migraphx::cpu
