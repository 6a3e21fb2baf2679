// SPDX-License-Identifier: MIT
// Matrix products.
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"
#include "ir/constant_value.hpp"

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

// Vectors are a row on the left and a column on the right.
instruction_ref product(node_reader& n, const char* recipe, instruction_ref a, instruction_ref b) {
    const bool row = a->get_shape().ndim() == 1, column = b->get_shape().ndim() == 1;
    if (row)
        a = with_dimension(n, a, 0);
    if (column)
        b = with_dimension(n, b, 1);
    auto y = n.expand(recipe, {a, b});
    if (column)
        y = without_dimension(n, y, -1);
    if (row)
        y = without_dimension(n, y, column ? -1 : -2);
    return y;
}

instructions read_matmul(node_reader& n) {
    n.expect_inputs(2, 2);
    common_options types;
    types.common_lens = false;
    const auto in = add_common_args(n.mod(), n.inputs(), types);
    return {product(n, "dot", in[0], in[1])};
}

instructions read_gemm(node_reader& n) {
    n.expect_inputs(2, 3);
    return {n.expand("gemm", n.inputs(),
                     {{"alpha", n.real("alpha", 1)},
                      {"beta", n.real("beta", 1)},
                      {"transA", n.integer("transA", 0) != 0},
                      {"transB", n.integer("transB", 0) != 0}})};
}

bool known_zero(instruction_ref x) {
    const auto v = constant_value(x);
    if (not v)
        return false;
    const auto values = v->to_vector<int64_t>();
    return std::all_of(values.begin(), values.end(), [](int64_t z) { return z == 0; });
}

// x - zero point as float. A zero point of one dimension has one number for each row of A or column
// of B.
instruction_ref centred(node_reader& n, std::size_t operand, std::size_t zero, bool rows) {
    auto x = n.convert(n.input(operand), shape::float_type);
    if (not n.has(zero) or known_zero(n.input(zero)))
        return x;
    auto z = n.convert(n.input(zero), shape::float_type);
    const auto& s = z->get_shape();
    if (rows and s.ndim() == 1 and not(not s.dynamic() and s.elements() == 1))
        z = with_dimension(n, z, 1);
    return n.add_common("sub", {x, z});
}

// int32 sums of (a - za) * (b - zb). Plain int8 goes to the integer product, the rest through
// float, which is exact up to 2^24.
instruction_ref integer_product(node_reader& n, std::size_t za, std::size_t zb) {
    const auto plain = [&](std::size_t operand, std::size_t zero) {
        return n.shape_of(operand).type() == shape::int8_type and
               (not n.has(zero) or known_zero(n.input(zero)));
    };
    for (std::size_t i = 0; i < 2; i++) {
        const auto t = n.shape_of(i).type();
        if (t != shape::int8_type and t != shape::uint8_type)
            n.malformed("int8 or uint8 was expected, got " + shape::name(t));
    }
    if (plain(0, za) and plain(1, zb))
        return product(n, "quant_dot", n.input(0), n.input(1));
    const auto y = product(n, "dot", centred(n, 0, za, true), centred(n, 1, zb, false));
    return n.convert(y, shape::int32_type);
}

instructions read_matmul_integer(node_reader& n) {
    n.expect_inputs(2, 4);
    return {integer_product(n, 2, 3)};
}

// MatMulInteger, then scales and a bias: a_scale * b_scale * product + bias.
instructions read_matmul_integer_to_float(node_reader& n) {
    n.expect_inputs(4, 7);
    const auto t = n.shape_of(2).type();
    const auto sums = n.convert(integer_product(n, 4, 5), t);
    const auto scale = n.add_common("mul", {n.input(2), n.input(3)});
    auto y = n.add_common("mul", {sums, scale});
    if (n.has(6))
        y = n.add_common("add", {y, n.input(6)});
    return {y};
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
    const auto y =
        product(n, "dot", matrix(0, "transA", "transBatchA"), matrix(1, "transB", "transBatchB"));
    const auto alpha = n.real("alpha", 1);
    return {alpha == 1 ? y : n.with_number("mul", y, double(alpha))};
}

instructions read_det(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add("det", n.input(0))};
}

const operators matmul_operators{
    {"MatMul", read_matmul},
    {"Gemm", read_gemm},
    {"MatMulInteger", read_matmul_integer},
    {"Einsum", read_einsum},
    {"Det", read_det},
    {"MatMulIntegerToFloat", read_matmul_integer_to_float, "com.microsoft"},
    {"FusedMatMul", read_fused_matmul, "com.microsoft"},
    {"TransposeMatMul", read_fused_matmul, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
