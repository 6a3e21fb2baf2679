// SPDX-License-Identifier: MIT
// What own kernels of products are made from: the problem with its epilogue, the pieces of their
// text, the parameters of device_code/gemm_params.cuh.
#pragma once

#include "targets/gpu/device_code/gemm_params.cuh"
#include "targets/gpu/libraries/gemm.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/weights.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::gpu {

struct own_form {
    gemm_problem what;                 ///< simplified; `operands`: scales, then the module's
    std::vector<std::size_t> operands; ///< inputs that those are
    std::size_t scales = 0;
    shape::type_t anchor = shape::float_type; ///< of the product before its epilogue
    std::string finish;                       ///< the module as a function; empty: none
};

/// None, with the reason, for what no own kernel takes.
std::optional<own_form> own_form_of(const device_problem& p, std::string& reason);

/// The product in one part along k.
mgx::gemm_params gemm_params_of(const gemm_problem& p);
std::vector<char> bytes_of(const mgx::gemm_params& p);

/// Before the headers: functions as exact as results of 16 bits show.
std::string precision_text(const device_problem& p);
/// The struct `tail` of the text: operands, and what is done with runs of sums.
std::string tail_text(const own_form& f, const device_problem& p);
/// "tail t{...}", within the entry.
std::string tail_of(const own_form& f);
/// The entry `product`, after its `bounds` ("MGX_KERNEL_BOUNDS(256)"): `call` has `a`, `b`, `p`, `t` and, unless `parts` (the type of sums in the
/// scratch) is empty, `parts`.
std::string product_entry(const device_problem& p, const std::string& bounds,
                          const std::string& parts, const std::string& tail,
                          const std::string& call);

/// "MGX_KERNEL_BOUNDS(threads)".
std::string bounds_of(int threads);

/// What sums are held in: those of integers wrap, in 32 bits where that is all that is kept.
std::string sum_type(const own_form& f);

/// Blocks of `each` for n.
uint32_t blocks_of(int64_t n, int64_t each);
/// Batches beyond what a grid has are done in turn.
uint32_t batch_blocks(const gemm_problem& p);
constexpr int64_t most_rows_of_blocks = 65535;

/// The kernel, keeping weights that lie on the device as it wants them: input 1 is not read.
std::unique_ptr<kernel> with_weights(std::unique_ptr<kernel> k, device_weight packed);

} // namespace migraphx::gpu
