// SPDX-License-Identifier: MIT
// Products as a library sees them: simplification, cuBLASLt's terms and binary interface, and the
// host's loops against sums written out here.
#include "targets/gpu/libraries/cublaslt_terms.hpp"
#include "targets/gpu/libraries/gemm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#endif

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

gemm_matrix by_rows(int64_t step, std::vector<int64_t> batch = {},
                    shape::type_t t = shape::float_type) {
    return {t, step, 1, std::move(batch)};
}

gemm_problem plain(int64_t m, int64_t n, int64_t k) {
    gemm_problem p;
    p.m = m;
    p.n = n;
    p.k = k;
    p.a = by_rows(k);
    p.b = by_rows(n);
    p.d = by_rows(n);
    return p;
}

TEST(gpu_gemm, rows_of_a_batch_with_one_matrix_become_one_product) {
    auto p = plain(5, 7, 3);
    p.batch = {2, 4};
    p.a.batch = {4 * 5 * 3, 5 * 3};
    p.b.batch = {0, 0};
    p.d.batch = {4 * 5 * 7, 5 * 7};
    p.bias = gemm_bias::along_n;
    const auto s = simplify(p);
    EXPECT_EQ(s.m, 40);
    EXPECT_TRUE(s.batch.empty());
    // Not with a bias along the rows, which would repeat.
    p.bias = gemm_bias::along_m;
    EXPECT_EQ(simplify(p).batches(), 8);
}

TEST(gpu_gemm, rows_that_do_not_continue_stay_a_batch) {
    auto p = plain(5, 7, 3);
    p.batch = {2, 4};
    p.a.batch = {5 * 3, 2 * 5 * 3}; // heads before batches in memory
    p.b.batch = {3 * 7, 2 * 3 * 7};
    p.d.batch = {4 * 5 * 7, 5 * 7};
    const auto s = simplify(p);
    EXPECT_EQ(s.batch, (std::vector<int64_t>{2, 4}));
    EXPECT_EQ(s.m, 5);
}

TEST(gpu_gemm, one_row_of_each_batch_is_a_row) {
    auto p = plain(1, 7, 3);
    p.batch = {6};
    p.a.batch = {100};
    p.b.batch = {0};
    p.d.batch = {7};
    const auto s = simplify(p);
    EXPECT_EQ(s.m, 6);
    EXPECT_EQ(s.a.row, 100);
    EXPECT_EQ(s.d.row, 7);
}

TEST(gpu_gemm, batches_that_all_walk_alike_merge) {
    auto p = plain(5, 7, 3);
    p.batch = {2, 1, 4};
    p.a.batch = {60, 9, 15};
    p.b.batch = {84, 9, 21};
    p.d.batch = {140, 9, 35};
    const auto s = simplify(p);
    EXPECT_EQ(s.batch, (std::vector<int64_t>{8}));
    EXPECT_EQ(s.a.batch, (std::vector<int64_t>{15}));
}

TEST(gpu_gemm, terms_of_row_major_matrices_are_swapped) {
    std::string reason;
    const auto t = cublaslt::terms_of(plain(5, 7, 3), reason);
    ASSERT_TRUE(t) << reason;
    EXPECT_TRUE(t->swapped);
    EXPECT_EQ(t->op_a, cublaslt::op_n);
    EXPECT_EQ(t->op_b, cublaslt::op_n);
    EXPECT_EQ(t->a.rows, 7u); // B, as it lies: columns of 7
    EXPECT_EQ(t->a.columns, 3u);
    EXPECT_EQ(t->b.rows, 3u);
    EXPECT_EQ(t->b.columns, 5u);
    EXPECT_EQ(t->d.rows, 7u);
    EXPECT_EQ(t->d.columns, 5u);
    EXPECT_EQ(t->d.step, 7);
}

TEST(gpu_gemm, terms_of_transposed_operands) {
    auto p = plain(5, 7, 3);
    p.b = {shape::float_type, 1, 3, {}}; // weights as n rows of k
    p.a = {shape::float_type, 1, 5, {}};
    std::string reason;
    const auto t = cublaslt::terms_of(p, reason);
    ASSERT_TRUE(t) << reason;
    EXPECT_EQ(t->op_a, cublaslt::op_t);
    EXPECT_EQ(t->op_b, cublaslt::op_t);
    EXPECT_EQ(t->a.rows, 3u);
    EXPECT_EQ(t->a.columns, 7u);
    EXPECT_EQ(t->b.rows, 5u);
}

TEST(gpu_gemm, terms_of_a_result_by_columns) {
    auto p = plain(5, 7, 3);
    p.d = {shape::float_type, 1, 5, {}};
    std::string reason;
    auto t = cublaslt::terms_of(p, reason);
    ASSERT_TRUE(t) << reason;
    EXPECT_FALSE(t->swapped);
    EXPECT_EQ(t->d.rows, 5u);
    p.bias = gemm_bias::along_n;
    EXPECT_FALSE(cublaslt::terms_of(p, reason));
    p.bias = gemm_bias::along_m;
    EXPECT_TRUE(cublaslt::terms_of(p, reason)) << reason;
}

TEST(gpu_gemm, terms_refuse_what_the_library_cannot_do) {
    std::string reason;
    auto p = plain(5, 7, 3);
    p.a.column = 2; // every other element
    p.a.row = 6;
    EXPECT_EQ(cublaslt_refusal(p), "an operand without neighbours along rows or columns");
    p = plain(5, 7, 3);
    p.a.type = p.b.type = p.d.type = shape::int16_type;
    EXPECT_EQ(cublaslt_refusal(p), "elements of int16_type");
    p = plain(16, 16, 16);
    p.a.type = p.b.type = shape::int8_type;
    p.d.type = shape::int32_type;
    EXPECT_EQ(cublaslt_refusal(p), "bytes whose neighbours are not along k");
    p.b = {shape::int8_type, 1, 16, {}};
    EXPECT_EQ(cublaslt_refusal(p), "");
    p.k = 15;
    EXPECT_NE(cublaslt_refusal(p), "");
    p = plain(16, 16, 0);
    EXPECT_EQ(cublaslt_refusal(p), "nothing to compute");
}

TEST(gpu_gemm, tf32_only_when_asked) {
    std::string reason;
    auto p = plain(5, 7, 3);
    EXPECT_EQ(cublaslt::terms_of(p, reason)->compute, cublaslt::compute_32f);
    p.tf32 = true;
    EXPECT_EQ(cublaslt::terms_of(p, reason)->compute, cublaslt::compute_32f_fast_tf32);
    p.a.type = p.b.type = p.d.type = shape::half_type;
    EXPECT_EQ(cublaslt::terms_of(p, reason)->compute, cublaslt::compute_32f);
}

double gelu(double x) {
    return x / 2 *
           (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

TEST(gpu_gemm, the_host_does_all_of_an_epilogue) {
    auto p = plain(3, 4, 5);
    p.batch = {2};
    p.a = {shape::float_type, 1, 3, {15}}; // transposed
    p.b.batch = {20};
    p.d = {shape::float_type, 6, 1, {18}}; // with gaps
    p.c = gemm_matrix{shape::float_type, 0, 1, {4}};
    p.beta = -0.5;
    p.alpha = 0.25;
    p.bias = gemm_bias::along_m;
    p.activation = gemm_activation::gelu_tanh;
    std::vector<float> a(30), b(40), c(8), bias(3), d(36, -7);
    for (std::size_t i = 0; i < a.size(); i++)
        a[i] = float(i % 7) - 3;
    for (std::size_t i = 0; i < b.size(); i++)
        b[i] = float(i % 5) - 2;
    for (std::size_t i = 0; i < c.size(); i++)
        c[i] = float(i);
    bias = {0.5f, -1, 2};
    std::string reason;
    gemm_pointers at;
    at.a = a.data();
    at.b = b.data();
    at.c = c.data();
    at.bias = bias.data();
    at.d = d.data();
    host_gemm_library().prepare(p, false, reason)->run(at);
    for (std::size_t g = 0; g < 2; g++)
        for (std::size_t i = 0; i < 3; i++) {
            for (std::size_t j = 0; j < 4; j++) {
                double sum = 0;
                for (std::size_t k = 0; k < 5; k++)
                    sum += double(a[g * 15 + i + k * 3]) * double(b[g * 20 + k * 4 + j]);
                const auto x = 0.25 * sum - 0.5 * double(c[g * 4 + j]) + double(bias[i]);
                EXPECT_NEAR(d[g * 18 + i * 6 + j], gelu(x), 1e-5);
            }
            EXPECT_EQ(d[g * 18 + i * 6 + 4], -7) << "a gap was written";
        }
}

TEST(gpu_gemm, the_host_multiplies_integers_exactly) {
    auto p = plain(2, 2, 3);
    p.a.type = p.b.type = shape::int8_type;
    p.d.type = shape::int32_type;
    const std::vector<int8_t> a{127, -128, 1, 2, 3, 4}, b{127, 1, -128, 2, 5, 6};
    std::vector<int32_t> d(4);
    std::string reason;
    gemm_pointers at;
    at.a = a.data();
    at.b = b.data();
    at.d = d.data();
    host_gemm_library().prepare(p, false, reason)->run(at);
    EXPECT_EQ(d, (std::vector<int32_t>{127 * 127 + 128 * 128 + 5, 127 - 256 + 6, 254 - 384 + 20,
                                       2 + 6 + 24}));
}

#if __has_include(<cublasLt.h>)

// The own declarations say what the toolkit's do.
namespace abi = gpu::cublaslt;
static_assert(sizeof(abi::algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(abi::heuristic_result) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(abi::heuristic_result, workspace) ==
              offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(abi::heuristic_result, state) ==
              offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(sizeof(cublasStatus_t) == sizeof(int) and sizeof(cudaDataType_t) == sizeof(int));
static_assert(int(abi::success) == int(CUBLAS_STATUS_SUCCESS));
static_assert(int(abi::r_32f) == CUDA_R_32F and int(abi::r_64f) == CUDA_R_64F and
              int(abi::r_16f) == CUDA_R_16F and int(abi::r_8i) == CUDA_R_8I and
              int(abi::r_32i) == CUDA_R_32I and int(abi::r_16bf) == CUDA_R_16BF and
              int(abi::r_8f_e4m3) == CUDA_R_8F_E4M3 and int(abi::r_8f_e5m2) == CUDA_R_8F_E5M2);
static_assert(int(abi::compute_32f) == CUBLAS_COMPUTE_32F and
              int(abi::compute_64f) == CUBLAS_COMPUTE_64F and
              int(abi::compute_32i) == CUBLAS_COMPUTE_32I and
              int(abi::compute_32f_fast_tf32) == CUBLAS_COMPUTE_32F_FAST_TF32);
static_assert(int(abi::op_n) == CUBLAS_OP_N and int(abi::op_t) == CUBLAS_OP_T);
static_assert(int(abi::layout_batch_count) == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT and
              int(abi::layout_batch_offset) == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
static_assert(int(abi::desc_transpose_a) == CUBLASLT_MATMUL_DESC_TRANSA and
              int(abi::desc_transpose_b) == CUBLASLT_MATMUL_DESC_TRANSB and
              int(abi::desc_epilogue) == CUBLASLT_MATMUL_DESC_EPILOGUE and
              int(abi::desc_bias_pointer) == CUBLASLT_MATMUL_DESC_BIAS_POINTER and
              int(abi::desc_a_scale_pointer) == CUBLASLT_MATMUL_DESC_A_SCALE_POINTER and
              int(abi::desc_b_scale_pointer) == CUBLASLT_MATMUL_DESC_B_SCALE_POINTER and
              int(abi::desc_bias_type) == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
static_assert(int(abi::preference_workspace) == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES and
              int(abi::preference_alignment_a) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES and
              int(abi::preference_alignment_b) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES and
              int(abi::preference_alignment_c) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES and
              int(abi::preference_alignment_d) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
static_assert(int(abi::epilogue_default) == CUBLASLT_EPILOGUE_DEFAULT and
              int(abi::epilogue_relu) == CUBLASLT_EPILOGUE_RELU and
              int(abi::epilogue_bias) == CUBLASLT_EPILOGUE_BIAS and
              int(abi::epilogue_relu_bias) == CUBLASLT_EPILOGUE_RELU_BIAS and
              int(abi::epilogue_gelu) == CUBLASLT_EPILOGUE_GELU and
              int(abi::epilogue_gelu_bias) == CUBLASLT_EPILOGUE_GELU_BIAS);

// Same arguments in the same registers: integers and enumerations of one size, pointers as such.
template <class T>
constexpr char kind_of() {
    if constexpr (std::is_pointer_v<T>)
        return 'p';
    else if constexpr (sizeof(T) == 8)
        return '8';
    else
        return '4';
}
template <class... Own, class... Theirs>
constexpr bool alike(int (*)(Own...), cublasStatus_t (*)(Theirs...)) {
    if constexpr (sizeof...(Own) != sizeof...(Theirs))
        return false;
    else
        return ((kind_of<Own>() == kind_of<Theirs>()) and ...);
}
#define SAME(name)                                                                                 \
    static_assert(                                                                                 \
        alike(decltype(abi::functions::name)(nullptr), decltype (&cublasLt##name)(nullptr)))
SAME(Create);
SAME(MatrixLayoutCreate);
SAME(MatrixLayoutDestroy);
SAME(MatrixLayoutSetAttribute);
SAME(MatmulDescCreate);
SAME(MatmulDescDestroy);
SAME(MatmulDescSetAttribute);
SAME(MatmulPreferenceDestroy);
SAME(MatmulPreferenceCreate);
SAME(MatmulPreferenceSetAttribute);
SAME(MatmulAlgoGetHeuristic);
SAME(MatmulAlgoCheck);
SAME(Matmul);
#undef SAME

#endif

} // namespace
