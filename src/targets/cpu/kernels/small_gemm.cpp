// SPDX-License-Identifier: MIT
// Products with few rows: b streams once from memory, in the order it lies there.
#include "targets/cpu/kernels/small_gemm.hpp"
#include "targets/cpu/kernels/micro_gemm.hpp"
#include "targets/cpu/kernels/pack_columns.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

constexpr int64_t panel_columns = tile_vectors * lanes;

// So that a panel is read in the order it lies in.
int64_t panel_for(int64_t rows) {
    return vectors_for(rows) * lanes;
}

void pack(const small_gemm_params& p, float* to, int64_t begin, int64_t end) {
    pack_columns(p.b, p.b_k, p.b_n, p.k, p.n, panel_for(p.m), to, begin, end);
}

inline void start_from_bias(const small_gemm_params& p, int64_t first, int64_t cols) {
    for (int64_t r = 0; r < p.m; ++r) {
        float* c = p.c + r * p.c_row + first;
        for (int64_t j = 0; j < cols; ++j)
            c[j] = p.bias == nullptr ? 0.0f : p.bias[first + j];
    }
}

inline void finish(const small_gemm_params& p, int64_t first, int64_t cols) {
    if (!p.relu)
        return;
    for (int64_t r = 0; r < p.m; ++r) {
        float* c = p.c + r * p.c_row + first;
        for (int64_t j = 0; j < cols; ++j)
            c[j] = c[j] < 0 ? 0 : c[j]; // keeps NaN
    }
}

void packed(const small_gemm_params& p, int64_t begin, int64_t end) {
    const int64_t columns = panel_for(p.m);
    for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t first = panel * columns;
        const int64_t cols = p.n - first < columns ? p.n - first : columns;
        const float* b = p.b + panel * columns * p.k;
        const bool add = p.bias != nullptr;
        if (add)
            start_from_bias(p, first, cols);
        const gemm_operands g{p.a, p.a_row, p.a_k, b, columns, p.c + first, p.c_row, p.k};
        gemm_block(g, p.m, cols, add);
        finish(p, first, cols);
    }
}

// c[0 .. cols) += sum of a[i] * b[i] over U rows of b.
template <int U>
inline void add_rows(const float* a, int64_t a_k, const float* b, int64_t b_k, float* c,
                     int64_t cols) {
    vf x[U];
    for (int u = 0; u < U; ++u)
        x[u] = splat(a[u * a_k]);
    int64_t j = 0;
    for (; j + lanes <= cols; j += lanes) {
        vf s = load(c + j);
        for (int u = 0; u < U; ++u)
            s = fma(x[u], load(b + u * b_k + j), s);
        store(c + j, s);
    }
    if (j < cols) {
        vf s = load_first(c + j, cols - j);
        for (int u = 0; u < U; ++u)
            s = fma(x[u], load_first(b + u * b_k + j, cols - j), s);
        store_first(c + j, s, cols - j);
    }
}

void rows(const small_gemm_params& p, int64_t begin, int64_t end) {
    constexpr int64_t block = small_gemm_kernels::row_block;
    constexpr int unroll = 8;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = unit * block;
        const int64_t cols = p.n - first < block ? p.n - first : block;
        if (p.m > 2) { // enough arithmetic for register tiles
            if (p.bias != nullptr)
                start_from_bias(p, first, cols);
            gemm_block({p.a, p.a_row, p.a_k, p.b + first, p.b_k, p.c + first, p.c_row, p.k}, p.m,
                       cols, p.bias != nullptr);
            finish(p, first, cols);
            continue;
        }
        start_from_bias(p, first, cols);
        int64_t k = 0;
        for (; k + unroll <= p.k; k += unroll)
            for (int64_t r = 0; r < p.m; ++r)
                add_rows<unroll>(p.a + r * p.a_row + k * p.a_k, p.a_k, p.b + k * p.b_k + first,
                                 p.b_k, p.c + r * p.c_row + first, cols);
        for (; k < p.k; ++k)
            for (int64_t r = 0; r < p.m; ++r)
                add_rows<1>(p.a + r * p.a_row + k * p.a_k, p.a_k, p.b + k * p.b_k + first, p.b_k,
                            p.c + r * p.c_row + first, cols);
        finish(p, first, cols);
    }
}

// One row of a with N columns of b.
template <int N>
inline void dot_columns(const small_gemm_params& p, const float* a, const float* b,
                        const float* bias, float* c) {
    vf s[N][2] = {};
    int64_t k = 0;
    for (; k + 2 * lanes <= p.k; k += 2 * lanes) {
        const vf x = load(a + k), y = load(a + k + lanes);
        for (int n = 0; n < N; ++n) {
            s[n][0] = fma(x, load(b + n * p.b_n + k), s[n][0]);
            s[n][1] = fma(y, load(b + n * p.b_n + k + lanes), s[n][1]);
        }
    }
    for (; k < p.k; k += lanes) {
        const int64_t m = p.k - k < lanes ? p.k - k : lanes;
        const vf x = load_first(a + k, m);
        for (int n = 0; n < N; ++n)
            s[n][0] = fma(x, load_first(b + n * p.b_n + k, m), s[n][0]);
    }
    for (int n = 0; n < N; ++n)
        c[n] = sum_of(s[n][0] + s[n][1]) + (bias == nullptr ? 0.0f : bias[n]);
}

void dots(const small_gemm_params& p, int64_t begin, int64_t end) {
    constexpr int64_t block = small_gemm_kernels::dot_block;
    const int64_t last = end * block < p.n ? end * block : p.n;
    const int64_t first = begin * block;
    int64_t j = first;
    for (; j + 4 <= last; j += 4)
        for (int64_t r = 0; r < p.m; ++r)
            dot_columns<4>(p, p.a + r * p.a_row, p.b + j * p.b_n,
                           p.bias == nullptr ? nullptr : p.bias + j, p.c + r * p.c_row + j);
    for (; j < last; ++j)
        for (int64_t r = 0; r < p.m; ++r)
            dot_columns<1>(p, p.a + r * p.a_row, p.b + j * p.b_n,
                           p.bias == nullptr ? nullptr : p.bias + j, p.c + r * p.c_row + j);
    finish(p, first, last - first);
}

void batched(const small_gemm_params& p, int64_t begin, int64_t end) {
    constexpr int64_t tiny = small_gemm_params::tiny;
    walker<3> w{p.rank, p.lens, {p.a_steps, p.b_steps, p.c_steps}, {}, {}};
    w.seek(begin);
    for (int64_t item = begin; item < end; ++item, w.next()) {
        small_gemm_params q = p;
        q.a += w.at[0];
        q.b += w.at[1];
        q.c += w.at[2];
        const bool add = p.bias != nullptr;
        if (add)
            start_from_bias(q, 0, p.n);
        if (p.b_n == 1) {
            gemm_block({q.a, p.a_row, p.a_k, q.b, p.b_k, q.c, p.c_row, p.k}, p.m, p.n, add);
            continue;
        }
        float copy[tiny * panel_columns]; // panels of b, straightened
        for (int64_t j = 0; j < p.n; j += panel_columns) {
            const int64_t cols = p.n - j < panel_columns ? p.n - j : panel_columns;
            if (p.b_k == 1)
                transpose_floats(q.b + j * p.b_n, p.b_n, copy, panel_columns, p.k, cols);
            else
                for (int64_t i = 0; i < cols; ++i)
                    for (int64_t k = 0; k < p.k; ++k)
                        copy[k * panel_columns + i] = q.b[k * p.b_k + (j + i) * p.b_n];
            gemm_block({q.a, p.a_row, p.a_k, copy, panel_columns, q.c + j, p.c_row, p.k}, p.m, cols,
                       add);
        }
    }
}

} // namespace

void fill_small_gemm(small_gemm_kernels& table) {
    table.panel = panel_for;
    table.pack = pack;
    table.packed = packed;
    table.rows = rows;
    table.dots = dots;
    table.batched = batched;
}

} // namespace migraphx::cpu::KERNEL_ISA
