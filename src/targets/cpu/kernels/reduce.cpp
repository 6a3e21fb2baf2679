// SPDX-License-Identifier: MIT
// Reductions. Float sums run in several vector accumulators for a few dozen steps at most and are
// then added in double, which keeps the error near one rounding whatever the length.
#include "targets/cpu/kernels/reduce.hpp"
#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {

void fill_reduce_general(reduce_kernels& table); // reduce_general.cpp

namespace {

constexpr float not_a_number = __builtin_nanf("");

struct add_values {
    static constexpr float start = 0;
    static vf join(vf a, vf x) { return a + x; }
    static float fold_lanes(vf v) { return sum_of(v); }
    static double join_wide(double a, double x) { return a + x; }
};

struct max_values {
    static constexpr float start = -infinity;
    static vf join(vf a, vf x) { return max(x, a); }
    static float fold_lanes(vf v) { return any(v != v) ? not_a_number : largest_of(v); }
    static double join_wide(double a, double x) { return x > a || x != x ? x : a; }
};

struct min_values {
    static constexpr float start = infinity;
    static vf join(vf a, vf x) { return min(x, a); }
    static float fold_lanes(vf v) { return any(v != v) ? not_a_number : smallest_of(v); }
    static double join_wide(double a, double x) { return x < a || x != x ? x : a; }
};

// ---- contiguous rows

template <class Op>
double reduce_row(const float* p, int64_t n) {
    constexpr int wide = 8;
    constexpr int64_t step = wide * lanes;
    constexpr int64_t block = 64 * step;
    double total = Op::start;
    int64_t i = 0;
    while (n - i >= step) {
        vf a[wide];
        for (auto& v : a)
            v = splat(Op::start);
        const int64_t stop = n - i < block ? i + (n - i) / step * step : i + block;
        for (; i < stop; i += step)
            for (int k = 0; k < wide; ++k)
                a[k] = Op::join(a[k], load(p + i + k * lanes));
        for (int k = wide / 2; k > 0; k /= 2)
            for (int j = 0; j < k; ++j)
                a[j] = Op::join(a[j], a[j + k]);
        total = Op::join_wide(total, Op::fold_lanes(a[0]));
    }
    if (i < n) {
        vf a = splat(Op::start);
        for (; n - i >= lanes; i += lanes)
            a = Op::join(a, load(p + i));
        if (i < n)
            a = Op::join(a, load_first(p + i, n - i, Op::start));
        total = Op::join_wide(total, Op::fold_lanes(a));
    }
    return total;
}

// ---- vectors across outputs

// Where results of columns go: added to doubles, or (n <= 64 rows in all) written straight to the
// output.
struct wide_columns {
    double* to;
    wide_columns at(int64_t i) const { return {to + i}; }
    template <class Op>
    void put(int64_t i, vf v, int64_t) const {
        float b[lanes];
        store(b, v);
        for (int l = 0; l < lanes; ++l)
            to[i + l] = Op::join_wide(to[i + l], double(b[l]));
    }
};

struct direct_columns {
    float* to;
    direct_columns at(int64_t i) const { return {to + i}; }
    template <class Op>
    void put(int64_t i, vf v, int64_t n) const {
        if (n < lanes)
            store_first(to + i, v, n);
        else
            store(to + i, v);
    }
};

// n rows of K vectors, `stride` floats apart; the last vector has `part` lanes. Every column is
// summed in the same order, whatever K is: equal columns have equal results.
template <class Op, int K, bool Part, class Out>
inline void reduce_columns_block(const float* p, int64_t n, int64_t stride, int64_t part, Out out) {
    constexpr int unroll = 2;
    constexpr int64_t block = 64 * unroll;
    const auto row = [&](const float* q, int k) {
        if (Part && k == K - 1)
            return load_first(q + k * lanes, part, Op::start);
        return load(q + k * lanes);
    };
    for (int64_t i = 0; i < n;) {
        vf a[unroll][K];
        for (auto& u : a)
            for (auto& v : u)
                v = splat(Op::start);
        const int64_t stop = n - i < block ? n : i + block;
        for (; i + unroll <= stop; i += unroll)
            for (int u = 0; u < unroll; ++u)
                for (int k = 0; k < K; ++k)
                    a[u][k] = Op::join(a[u][k], row(p + (i + u) * stride, k));
        for (; i < stop; ++i)
            for (int k = 0; k < K; ++k)
                a[0][k] = Op::join(a[0][k], row(p + i * stride, k));
        for (int k = 0; k < K; ++k) {
            for (int u = 1; u < unroll; ++u)
                a[0][k] = Op::join(a[0][k], a[u][k]);
            out.template put<Op>(k * lanes, a[0][k], Part && k == K - 1 ? part : lanes);
        }
    }
}

constexpr int column_vectors = 8;

template <class Op, class Out>
void reduce_columns_dispatch(const float* p, int64_t n, int64_t stride, int64_t width, Out out) {
    const int64_t vectors = width / lanes;
    int64_t v = 0;
    for (; v + 8 <= vectors; v += 8)
        reduce_columns_block<Op, 8, false>(p + v * lanes, n, stride, lanes, out.at(v * lanes));
    if (v + 4 <= vectors) {
        reduce_columns_block<Op, 4, false>(p + v * lanes, n, stride, lanes, out.at(v * lanes));
        v += 4;
    }
    if (v + 2 <= vectors) {
        reduce_columns_block<Op, 2, false>(p + v * lanes, n, stride, lanes, out.at(v * lanes));
        v += 2;
    }
    if (v < vectors) {
        reduce_columns_block<Op, 1, false>(p + v * lanes, n, stride, lanes, out.at(v * lanes));
        ++v;
    }
    const int64_t part = width - v * lanes;
    if (part > 0)
        reduce_columns_block<Op, 1, true>(p + v * lanes, n, stride, part, out.at(v * lanes));
}

inline double finish_mean(const reduce_params& p, double v) {
    return p.op == reduce_op::mean && p.partial == nullptr ? v / double(p.count) : v;
}

template <class Op>
void reduce_rows_with(const reduce_params& p, int64_t begin, int64_t end) {
    walker<2> kept{p.kept_rank, p.kept_lens, {p.kept_src, p.kept_dst}, {}, {}};
    walker<1> reduced{p.reduced_rank, p.reduced_lens, {p.reduced_src}, {}, {}};
    int64_t rows = 1;
    for (int d = 0; d < p.reduced_rank; ++d)
        rows *= p.reduced_lens[d];
    kept.seek(begin);
    for (int64_t unit = begin; unit < end; ++unit, kept.next()) {
        const float* s = static_cast<const float*>(p.src) + kept.at[0];
        double total = Op::start;
        reduced.seek(0);
        for (int64_t r = 0; r < rows; ++r, reduced.next())
            total = Op::join_wide(total, reduce_row<Op>(s + reduced.at[0], p.n));
        total = finish_mean(p, total);
        if (p.partial != nullptr)
            p.partial[unit] = total;
        else
            static_cast<float*>(p.dst)[kept.at[1]] = float(total);
    }
}

template <class Op>
void reduce_columns_with(const reduce_params& p, int64_t begin, int64_t end) {
    constexpr int64_t most = column_vectors * 16;
    walker<2> kept{p.kept_rank, p.kept_lens, {p.kept_src, p.kept_dst}, {}, {}};
    // The last reduced axis is the row loop of the inner kernel.
    const int outer_rank = p.reduced_rank > 0 ? p.reduced_rank - 1 : 0;
    const int64_t n = p.reduced_rank > 0 ? p.reduced_lens[outer_rank] : 1;
    const int64_t stride = p.reduced_rank > 0 ? p.reduced_src[outer_rank] : 0;
    walker<1> reduced{outer_rank, p.reduced_lens, {p.reduced_src}, {}, {}};
    int64_t blocks = 1;
    for (int d = 0; d < outer_rank; ++d)
        blocks *= p.reduced_lens[d];
    const bool direct = blocks == 1 && n <= 64 && p.partial == nullptr && p.dst_n == 1;
    const float scale = 1.0f / float(p.count);
    kept.seek(begin / p.n_blocks);
    int64_t part = begin % p.n_blocks;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = part * p.n_block;
        const int64_t last = p.n - first < p.n_block ? p.n : first + p.n_block;
        for (int64_t c = first; c < last; c += most) {
            const int64_t width = last - c < most ? last - c : most;
            const float* s = static_cast<const float*>(p.src) + kept.at[0] + c;
            if (direct) {
                float* d = static_cast<float*>(p.dst) + kept.at[1] + c;
                reduce_columns_dispatch<Op>(s, n, stride, width, direct_columns{d});
                if (p.op == reduce_op::mean)
                    for (int64_t i = 0; i < width; ++i)
                        d[i] *= scale;
                continue;
            }
            double out[most];
            for (auto& v : out)
                v = Op::start;
            reduced.seek(0);
            for (int64_t b = 0; b < blocks; ++b, reduced.next())
                reduce_columns_dispatch<Op>(s + reduced.at[0], n, stride, width, wide_columns{out});
            if (p.partial != nullptr) {
                double* d = p.partial + unit / p.n_blocks * p.n + c;
                for (int64_t i = 0; i < width; ++i)
                    d[i] = out[i];
            } else {
                float* d = static_cast<float*>(p.dst) + kept.at[1] + c * p.dst_n;
                for (int64_t i = 0; i < width; ++i)
                    d[i * p.dst_n] = float(finish_mean(p, out[i]));
            }
        }
        if (++part == p.n_blocks) {
            part = 0;
            kept.next();
        }
    }
}

void rows(const reduce_params& p, int64_t begin, int64_t end) {
    switch (p.op) {
    case reduce_op::max:
        reduce_rows_with<max_values>(p, begin, end);
        break;
    case reduce_op::min:
        reduce_rows_with<min_values>(p, begin, end);
        break;
    default:
        reduce_rows_with<add_values>(p, begin, end);
        break;
    }
}

void columns(const reduce_params& p, int64_t begin, int64_t end) {
    switch (p.op) {
    case reduce_op::max:
        reduce_columns_with<max_values>(p, begin, end);
        break;
    case reduce_op::min:
        reduce_columns_with<min_values>(p, begin, end);
        break;
    default:
        reduce_columns_with<add_values>(p, begin, end);
        break;
    }
}

} // namespace

void fill_reduce(reduce_kernels& table) {
    table.rows = rows;
    table.columns = columns;
    fill_reduce_general(table);
}

} // namespace migraphx::cpu::KERNEL_ISA
