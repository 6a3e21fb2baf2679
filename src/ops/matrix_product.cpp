// SPDX-License-Identifier: MIT
#include "ops/matrix_product.hpp"

#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <vector>

namespace migraphx {

namespace {

constexpr std::size_t tile_m = 64;
constexpr std::size_t tile_n = 256;
constexpr std::size_t tile_k = 128;

} // namespace

template <class T>
void multiply_add(T* acc, std::size_t ldc, const T* a, std::size_t lda, const T* b, std::size_t ldb,
                  std::size_t m, std::size_t n, std::size_t k) {
    for (std::size_t i = 0; i < m; ++i) {
        T* c = acc + i * ldc;
        const T* x = a + i * lda;
        std::size_t p = 0;
        for (; p + 4 <= k; p += 4) {
            const T x0 = x[p], x1 = x[p + 1], x2 = x[p + 2], x3 = x[p + 3];
            const T *b0 = b + p * ldb, *b1 = b0 + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb;
#pragma omp simd
            for (std::size_t j = 0; j < n; ++j)
                c[j] += x0 * b0[j] + x1 * b1[j] + x2 * b2[j] + x3 * b3[j];
        }
        for (; p < k; ++p)
            for (std::size_t j = 0; j < n; ++j)
                c[j] += x[p] * b[p * ldb + j];
    }
}

template <class T>
void matrix_product(const argument& out, std::size_t k, const matrix_loader<T>& a,
                    const matrix_loader<T>& b) {
    const auto& lens = out.get_shape().lens();
    const auto m = lens[lens.size() - 2], n = lens.back();
    if (out.get_shape().elements() == 0)
        return;
    const auto batches = out.get_shape().elements() / (m * n);
    const auto tiles_m = (m + tile_m - 1) / tile_m, tiles_n = (n + tile_n - 1) / tile_n;
    const auto one_tile = [&](std::size_t tile) {
        const auto batch = tile / (tiles_m * tiles_n);
        const auto m0 = tile / tiles_n % tiles_m * tile_m, n0 = tile % tiles_n * tile_n;
        const auto ms = std::min(tile_m, m - m0), ns = std::min(tile_n, n - n0);
        std::vector<T> acc(ms * ns), x(ms * tile_k), y(tile_k * ns);
        for (std::size_t k0 = 0; k0 < k; k0 += tile_k) {
            const auto ks = std::min(tile_k, k - k0);
            for (std::size_t i = 0; i < ms; ++i)
                a((batch * m + m0 + i) * k + k0, ks, x.data() + i * ks);
            if (ns == n)
                b((batch * k + k0) * n, ks * n, y.data());
            else
                for (std::size_t i = 0; i < ks; ++i)
                    b((batch * k + k0 + i) * n + n0, ns, y.data() + i * ns);
            multiply_add(acc.data(), ns, x.data(), ks, y.data(), ns, ms, ns, ks);
        }
        for (std::size_t i = 0; i < ms; ++i)
            store(out, (batch * m + m0 + i) * n + n0, ns, acc.data() + i * ns);
    };
    parallel_for(static_cast<int64_t>(batches * tiles_m * tiles_n), 1,
                 [&](int64_t begin, int64_t end) {
                     for (auto tile = begin; tile < end; ++tile)
                         one_tile(static_cast<std::size_t>(tile));
                 });
}

template void multiply_add(double*, std::size_t, const double*, std::size_t, const double*,
                           std::size_t, std::size_t, std::size_t, std::size_t);
template void multiply_add(uint64_t*, std::size_t, const uint64_t*, std::size_t, const uint64_t*,
                           std::size_t, std::size_t, std::size_t, std::size_t);
template void matrix_product(const argument&, std::size_t, const matrix_loader<double>&,
                             const matrix_loader<double>&);
template void matrix_product(const argument&, std::size_t, const matrix_loader<uint64_t>&,
                             const matrix_loader<uint64_t>&);

shape matrix_product_shape(const shape& a, const shape& b, shape::type_t t) {
    const auto rank = a.ndim();
    if (rank < 2 or b.ndim() != rank)
        fail_shape(str("matrices of one rank of at least 2 were expected, got ranks ", rank,
                       " and ", b.ndim()));
    const auto aligned = align_kinds({a, b});
    const auto x = dims_of(aligned[0]), y = dims_of(aligned[1]);
    const auto common = [&](std::size_t i, std::size_t j) {
        const auto d = x[i] == y[j] ? x[i] : [&] {
            // A size that is known decides; others must have sizes in common.
            if (x[i].is_fixed() != y[j].is_fixed() and (x[i].is_symbolic() or y[j].is_symbolic())) {
                const auto &known = x[i].is_fixed() ? x[i] : y[j],
                           &open = x[i].is_fixed() ? y[j] : x[i];
                const auto size = known.get_interval().min;
                const auto range = open.get_interval();
                if (size >= range.min and size <= range.max)
                    return known;
            }
            const auto shared = x[i].intersection(y[j]);
            if (not shared)
                fail_shape(str(i + 1 < rank ? "equal leading dimensions" : "equal inner dimensions",
                               " were expected, got ", x[i], " and ", y[j]));
            return *shared;
        }();
        return d;
    };
    std::vector<shape::dynamic_dimension> dims;
    for (std::size_t i = 0; i + 2 < rank; ++i)
        dims.push_back(common(i, i));
    common(rank - 1, rank - 2);
    dims.push_back(x[rank - 2]);
    dims.push_back(y[rank - 1]);
    if (aligned[0].dynamic())
        return {t, dims};
    std::vector<std::size_t> lens;
    for (const auto& d : dims)
        lens.push_back(d.get_interval().min);
    return {t, lens};
}

} // namespace migraphx
