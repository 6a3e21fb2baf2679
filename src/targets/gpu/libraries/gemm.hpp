// SPDX-License-Identifier: MIT
// Matrix products as vendor libraries do them, one description for all of them:
//
//   D[b, i, j] = activation(alpha sa sb sum over k of A[b, i, k] B[b, k, j]
//                           + beta C[b, i, j] + bias[i or j])
//
// Operands are walked by steps, so a transposed or repeated operand is only other steps. cuBLASLt
// implements it for CUDA; the host implements all of it by loops, for the target `null`.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <migraphx/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Matrices of one operand; steps in elements, 0 where one is repeated.
struct gemm_matrix {
    shape::type_t type = shape::float_type;
    int64_t row = 0;                 ///< step from one row to the next
    int64_t column = 1;              ///< step from one column to the next
    std::vector<int64_t> batch = {}; ///< step along each batch axis

    bool operator==(const gemm_matrix&) const = default;
};

enum class gemm_bias : uint8_t { none, along_n, along_m };
enum class gemm_activation : uint8_t { none, relu, gelu_tanh };

struct gemm_problem {
    int64_t m = 0, n = 0, k = 0;
    std::vector<int64_t> batch = {};  ///< sizes of the batch axes, outer to inner
    gemm_matrix a, b, d;              ///< m x k, k x n, m x n
    std::optional<gemm_matrix> c;     ///< m x n
    double alpha = 1, beta = 0;       ///< beta: of C
    gemm_bias bias = gemm_bias::none; ///< neighbours in memory, the same for all of the batch
    shape::type_t bias_type = shape::float_type;
    gemm_activation activation = gemm_activation::none;
    /// Further matrices of m x n, which epilogues of own kernels read; libraries refuse them.
    std::vector<gemm_matrix> operands = {};
    bool scaled = false; ///< `sa` and `sb` are given: one float each
    bool tf32 = false;   ///< floats may be rounded to TF32

    bool operator==(const gemm_problem&) const = default;
    int64_t batches() const;
};

/// The same work with fewer axes: those of one element go, batches that A or B repeats become rows
/// or columns of one product, neighbours that all operands walk as one merge.
gemm_problem simplify(gemm_problem p);

/// All that a choice of algorithm depends on, for caches and traces:
/// "128x768x768 half_type[768,1] half_type[768,1] -> half_type[768,1] +bias:n +c gelu".
std::string to_string(const gemm_problem& p);

/// Addresses for one run, on the device; null where the problem has no such operand.
struct gemm_pointers {
    const void *a = nullptr, *b = nullptr, *c = nullptr, *bias = nullptr;
    const void *scale_a = nullptr, *scale_b = nullptr;
    void* d = nullptr; ///< may be `c` when both have the same steps
    void* workspace = nullptr;
    stream queue = nullptr;
};

/// A problem made ready. Immutable; run from many threads at once.
struct prepared_gemm {
    virtual ~prepared_gemm() = default;
    virtual std::size_t workspace_bytes() const { return 0; }
    virtual void run(const gemm_pointers& at) const = 0;
    virtual std::string name() const = 0;
};

struct gemm_library {
    virtual ~gemm_library() = default;
    /// Why the library does not do the (simplified) problem; empty when it does. Asks nothing of
    /// the device.
    virtual std::string refusal(const gemm_problem& p) const = 0;
    /// Null, with a reason, when the device has no algorithm for it. `timed`: its best algorithms
    /// are compared by running them, unless the tuning cache knows the answer.
    virtual std::unique_ptr<prepared_gemm> prepare(const gemm_problem& p, bool timed,
                                                   std::string& reason) const = 0;
};

/// The library for the device, opened once; null, with the reason, where there is none.
const gemm_library* find_gemm_library(device& on, std::string& reason);

/// Loops of the host; any problem.
const gemm_library& host_gemm_library();
/// cuBLASLt on the device; null, with the reason, when it cannot be opened.
std::unique_ptr<gemm_library> open_cublaslt(device& on, std::string& reason);
/// What cuBLASLt takes, without opening it.
std::string cublaslt_refusal(const gemm_problem& p);

} // namespace migraphx::gpu
