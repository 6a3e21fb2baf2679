// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/cublaslt_terms.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <limits>

namespace migraphx::gpu {

namespace cublaslt {

namespace {

std::optional<data_type> type_of(shape::type_t t) {
    switch (t) {
    case shape::float_type:
        return r_32f;
    case shape::double_type:
        return r_64f;
    case shape::half_type:
        return r_16f;
    case shape::bf16_type:
        return r_16bf;
    case shape::int8_type:
        return r_8i;
    case shape::int32_type:
        return r_32i;
    case shape::fp8e4m3fn_type:
        return r_8f_e4m3;
    case shape::fp8e5m2_type:
        return r_8f_e5m2;
    default:
        return std::nullopt;
    }
}

bool is_fp8(shape::type_t t) {
    return t == shape::fp8e4m3fn_type or t == shape::fp8e5m2_type;
}

// Matrices of `rows` x `columns`, walked by x, as columns of neighbours; `transposed` when the
// rows are those. Steps below the length of a column overlap: not a matrix to the library.
std::optional<matrix_terms> stored(const gemm_matrix& x, int64_t rows, int64_t columns,
                                   bool& transposed) {
    matrix_terms t;
    t.type = *type_of(x.type);
    t.batch_step = x.batch.empty() ? 0 : x.batch.back();
    transposed = not(x.row == 1 and (columns == 1 or x.column >= rows));
    if (not transposed) {
        t.rows = uint64_t(rows);
        t.columns = uint64_t(columns);
        t.step = columns == 1 ? std::max(x.column, rows) : x.column;
        return t;
    }
    if (x.column != 1 or (rows != 1 and x.row < columns))
        return std::nullopt;
    t.rows = uint64_t(columns);
    t.columns = uint64_t(rows);
    t.step = rows == 1 ? std::max(x.row, columns) : x.row;
    return t;
}

std::string type_refusal(const gemm_problem& p) {
    for (auto t : {p.a.type, p.b.type, p.d.type})
        if (not type_of(t))
            return "elements of " + shape::name(t);
    const bool has_epilogue = p.bias != gemm_bias::none or p.activation != gemm_activation::none;
    if (p.c and p.c->type != p.d.type)
        return "a matrix to add of another type than the result";
    if (p.bias != gemm_bias::none and p.bias_type != p.d.type)
        return "a bias of another type than the result";
    if (is_fp8(p.a.type) or is_fp8(p.b.type)) {
        if (not is_fp8(p.a.type) or not is_fp8(p.b.type))
            return "fp8 with another type";
        if (p.a.type == shape::fp8e5m2_type and p.b.type == shape::fp8e5m2_type)
            return "both operands e5m2";
        if (p.d.type != shape::float_type and p.d.type != shape::half_type and
            p.d.type != shape::bf16_type)
            return "fp8 with a result of " + shape::name(p.d.type);
        if (p.d.type == shape::float_type and p.bias != gemm_bias::none)
            return "a float bias after fp8";
        return "";
    }
    if (p.scaled)
        return "scales of other types than fp8";
    if (p.a.type != p.b.type)
        return "operands of two types";
    switch (p.a.type) {
    case shape::int8_type:
        if (p.d.type != shape::int32_type)
            return "int8 with a result of " + shape::name(p.d.type);
        return has_epilogue or p.alpha != 1 or (p.c and p.beta != 1) ? "an epilogue on integers"
                                                                     : "";
    case shape::double_type:
        return has_epilogue ? "an epilogue on doubles" : "";
    case shape::half_type:
    case shape::bf16_type:
        return p.d.type == p.a.type or p.d.type == shape::float_type
                   ? ""
                   : "a result of " + shape::name(p.d.type);
    case shape::float_type:
        return p.d.type == shape::float_type ? "" : "a result of " + shape::name(p.d.type);
    default:
        return "elements of " + shape::name(p.a.type);
    }
}

// The matrix units for bytes read both operands along k, in pieces of 16 bytes (int8: 4).
std::string byte_refusal(const gemm_problem& p, const terms& t) {
    const bool fp8 = is_fp8(p.a.type);
    if (not fp8 and p.a.type != shape::int8_type)
        return "";
    if (t.op_a != op_t or t.op_b != op_n)
        return "bytes whose neighbours are not along k";
    const int64_t piece = fp8 ? 16 : 4;
    const auto whole = [&](int64_t x) { return x % piece == 0; };
    // Rows of activations may be any number; weights and the results' rows are whole pieces.
    const bool fits = whole(t.swapped ? p.n : p.m) and whole(p.k) and whole(t.a.step) and
                      whole(t.b.step) and whole(t.d.step);
    return fits ? "" : str("bytes in numbers that ", piece, " does not divide");
}

epilogue epilogue_of(gemm_activation f, bool biased) {
    switch (f) {
    case gemm_activation::relu:
        return biased ? epilogue_relu_bias : epilogue_relu;
    case gemm_activation::gelu_tanh:
        return biased ? epilogue_gelu_bias : epilogue_gelu;
    case gemm_activation::none:
        break;
    }
    return biased ? epilogue_bias : epilogue_default;
}

} // namespace

std::optional<terms> terms_of(const gemm_problem& p, std::string& reason) {
    const auto refuse = [&](std::string why) -> std::optional<terms> {
        reason = std::move(why);
        return std::nullopt;
    };
    if (auto r = type_refusal(p); not r.empty())
        return refuse(std::move(r));
    if (not p.operands.empty())
        return refuse("operands of own kernels");
    if (p.m == 0 or p.n == 0 or p.k == 0 or p.batches() == 0)
        return refuse("nothing to compute");
    constexpr int64_t most = std::numeric_limits<int32_t>::max();
    if (p.m > most or p.n > most or p.k > most)
        return refuse("more than 2^31 rows or columns");
    // Every other axis of the batch is a loop of calls.
    constexpr int64_t most_calls = 16;
    terms t;
    t.batch = 1;
    if (not p.batch.empty()) {
        if (p.batch.back() > most or p.batches() / p.batch.back() > most_calls)
            return refuse("a batch that takes too many calls");
        t.batch = int(p.batch.back());
    }
    const bool by_rows = p.d.column == 1 and (p.m == 1 or p.d.row >= p.n);
    const bool by_columns = p.d.row == 1 and (p.n == 1 or p.d.column >= p.m);
    if (not by_rows and not by_columns)
        return refuse("a result in another order");
    if (p.bias == gemm_bias::along_n)
        t.swapped = true;
    else if (p.bias == gemm_bias::along_m)
        t.swapped = false;
    else
        t.swapped = by_rows;
    if (t.swapped ? not by_rows : not by_columns)
        return refuse("a bias across the result's neighbours");
    bool ta = false, tb = false, td = false;
    const auto a = stored(p.a, p.m, p.k, ta), b = stored(p.b, p.k, p.n, tb);
    if (not a or not b)
        return refuse("an operand without neighbours along rows or columns");
    // D transposed is B transposed times A transposed.
    t.a = t.swapped ? *b : *a;
    t.b = t.swapped ? *a : *b;
    t.op_a = t.swapped ? (tb ? op_n : op_t) : (ta ? op_t : op_n);
    t.op_b = t.swapped ? (ta ? op_n : op_t) : (tb ? op_t : op_n);
    const auto result = [&](const gemm_matrix& x) -> std::optional<matrix_terms> {
        auto y = x;
        if (t.swapped)
            std::swap(y.row, y.column);
        auto s = stored(y, t.swapped ? p.n : p.m, t.swapped ? p.m : p.n, td);
        return td ? std::nullopt : s;
    };
    const auto d = result(p.d);
    const auto c = p.c ? result(*p.c) : d;
    if (not d or not c)
        return refuse("a matrix to add in another order than the result");
    t.d = *d;
    t.c = *c;
    if (t.batch > 1 and t.d.batch_step == 0)
        return refuse("a batch of one result");
    t.scale = p.a.type == shape::double_type ? r_64f : p.a.type == shape::int8_type ? r_32i : r_32f;
    t.compute = p.a.type == shape::double_type             ? compute_64f
                : p.a.type == shape::int8_type             ? compute_32i
                : p.a.type == shape::float_type and p.tf32 ? compute_32f_fast_tf32
                                                           : compute_32f;
    t.finish = epilogue_of(p.activation, p.bias != gemm_bias::none);
    if (p.bias != gemm_bias::none)
        t.bias = *type_of(p.bias_type);
    if (auto r = byte_refusal(p, t); not r.empty())
        return refuse(std::move(r));
    return t;
}

} // namespace cublaslt

std::string cublaslt_refusal(const gemm_problem& p) {
    std::string reason;
    return cublaslt::terms_of(p, reason) ? "" : reason;
}

} // namespace migraphx::gpu
