// SPDX-License-Identifier: MIT
// Matrix products.
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::onnx {

namespace {

instruction_ref without_dimension(node_reader& n, instruction_ref x, int64_t axis) {
    return n.add(make_op("squeeze", {{"axes", std::vector<int64_t>{axis}}}), {x});
}

instruction_ref with_dimension(node_reader& n, instruction_ref x, int64_t axis) {
    return n.add(make_op("unsqueeze", {{"axes", std::vector<int64_t>{axis}}}), {x});
}

} // namespace

instruction_ref product_of(node_reader& n, const char* recipe, instructions in) {
    const bool row = in[0]->get_shape().ndim() == 1, column = in[1]->get_shape().ndim() == 1;
    if (row)
        in[0] = with_dimension(n, in[0], 0);
    if (column)
        in[1] = with_dimension(n, in[1], 1);
    auto y = n.expand(recipe, in);
    if (column)
        y = without_dimension(n, y, -1);
    if (row)
        y = without_dimension(n, y, column ? -1 : -2);
    return y;
}

namespace {

instructions read_matmul(node_reader& n) {
    n.expect_inputs(2, 2);
    common_options types;
    types.common_lens = false;
    const auto in = add_common_args(n.mod(), n.inputs(), types);
    return {product_of(n, "dot", {in[0], in[1]})};
}

instructions read_gemm(node_reader& n) {
    n.expect_inputs(2, 3);
    return {n.expand("gemm", n.inputs(),
                     {{"alpha", n.real("alpha", 1)},
                      {"beta", n.real("beta", 1)},
                      {"transA", n.integer("transA", 0) != 0},
                      {"transB", n.integer("transB", 0) != 0}})};
}

instructions read_einsum(node_reader& n) {
    return {n.expand("einsum", n.inputs(), {{"equation", n.text("equation", "")}})};
}

// alpha * A' * B' with transposed matrices or with the batch dimension moved (com.microsoft).
instructions read_fused_matmul(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto matrix = [&](std::size_t i, const char* flag, const char* batch_flag) {
        const auto rank = n.rank_of(i);
        std::vector<int64_t> perm(rank);
        std::iota(perm.begin(), perm.end(), int64_t{0});
        // (rows, batches…, columns) → (batches…, rows, columns)
        if (n.integer(batch_flag, 0) != 0 and rank > 2)
            std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
        if (n.integer(flag, 0) != 0 and rank > 1)
            std::swap(perm[rank - 1], perm[rank - 2]);
        return std::is_sorted(perm.begin(), perm.end())
                   ? n.input(i)
                   : n.add(make_op("transpose", {{"permutation", perm}}), {n.input(i)});
    };
    const auto y = product_of(
        n, "dot", {matrix(0, "transA", "transBatchA"), matrix(1, "transB", "transBatchB")});
    const auto alpha = n.real("alpha", 1);
    return {alpha == 1 ? y : n.with_number("mul", y, double(alpha))};
}

instructions read_det(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add("det", n.input(0))};
}

const operators matmul_operators{{"MatMul", read_matmul},
                                 {"Gemm", read_gemm},
                                 {"Einsum", read_einsum},
                                 {"Det", read_det},
                                 {"FusedMatMul", read_fused_matmul, "com.microsoft"},
                                 {"TransposeMatMul", read_fused_matmul, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
