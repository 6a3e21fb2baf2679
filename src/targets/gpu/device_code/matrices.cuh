// SPDX-License-Identifier: MIT
// Determinants and inverses of matrices, a block for each, and discrete Fourier transforms as sums.
#pragma once
#include "walk.cuh"

namespace mgx {

// The row of the largest magnitude in column k, from row k on; the first of equal ones. All threads
// of the block call it.
struct pivot_candidate {
    f64 magnitude;
    i64 row;
};
struct better_pivot {
    MGX_DEVICE pivot_candidate operator()(pivot_candidate a, pivot_candidate b) const {
        const bool first = a.magnitude > b.magnitude ||
                           (a.magnitude == b.magnitude && a.row < b.row) ||
                           !(b.magnitude == b.magnitude);
        return first ? a : b;
    }
};
template <class I>
MGX_DEVICE pivot_candidate find_pivot(const f64* a, I n, I k) {
    pivot_candidate best{-1, n};
    for (I i = k + threadIdx.x; i < n; i += blockDim.x) {
        const f64 m = fabs(a[(i64)i * n + k]);
        if (m > best.magnitude)
            best = {m, i};
    }
    best = block_reduce(best, pivot_candidate{-1, n}, better_pivot{});
    return best.row < n ? best : pivot_candidate{fabs(a[(i64)k * n + k]), k};
}

// Rounded before it is used, so that equal columns cancel.
MGX_DEVICE f64 rounded_product(f64 a, f64 b) {
#ifdef MGX_HOST
    return a * b;
#else
    return __dmul_rn(a, b);
#endif
}

// Tensors: output, input (without the matrix' rows and columns).
template <int R, class I>
struct matrix_params {
    walk<R, 2, I> at;
    I size;     // of a matrix
    I steps[4]; // rows and columns of the output, then of the input
    I count;    // of matrices
};

// `work`: size * size for each block.
template <class T, int R, class I>
MGX_DEVICE void determinants(T* y, const T* x, f64* work, const matrix_params<R, I>& p) {
    const I n = p.size;
    f64* const a = work + (i64)blockIdx.x * n * n;
    for (I m = blockIdx.x; m < p.count; m += gridDim.x) {
        I at[2];
        p.at.offsets(m, at);
        __syncthreads();
        for (I i = threadIdx.x; i < n * n; i += blockDim.x)
            a[i] = convert<f64>(x[at[1] + (i64)(i / n) * p.steps[2] + (i64)(i % n) * p.steps[3]]);
        __syncthreads();
        f64 result = 1;
        for (I k = 0; k < n && result != 0; k++) {
            const auto pivot = find_pivot(a, n, k).row;
            const f64 top = a[pivot * n + k];
            __syncthreads();
            result = top == 0 ? 0 : pivot != k ? -result * top : result * top;
            if (top == 0)
                break;
            if (pivot != k)
                for (I j = k + threadIdx.x; j < n; j += blockDim.x) {
                    const f64 v = a[(i64)k * n + j];
                    a[(i64)k * n + j] = a[pivot * n + j];
                    a[pivot * n + j] = v;
                }
            __syncthreads();
            const I left = n - k - 1;
            for (I e = threadIdx.x; e < left * left; e += blockDim.x) {
                const I i = k + 1 + e / left, j = k + 1 + e % left;
                a[(i64)i * n + j] -= rounded_product(a[(i64)i * n + k] / top, a[(i64)k * n + j]);
            }
            __syncthreads();
        }
        if (threadIdx.x == 0)
            y[at[0]] = convert<T>(result);
    }
}

// `work`: 2 * size * size + size for each block.
template <class T, int R, class I>
MGX_DEVICE void inverses(T* y, const T* x, f64* work, const matrix_params<R, I>& p) {
    const I n = p.size;
    f64* const a = work + (i64)blockIdx.x * (2 * n * n + n);
    f64* const r = a + (i64)n * n;
    f64* const multiples = r + (i64)n * n;
    for (I m = blockIdx.x; m < p.count; m += gridDim.x) {
        I at[2];
        p.at.offsets(m, at);
        __syncthreads();
        for (I i = threadIdx.x; i < n * n; i += blockDim.x) {
            a[i] = convert<f64>(x[at[1] + (i64)(i / n) * p.steps[2] + (i64)(i % n) * p.steps[3]]);
            r[i] = i / n == i % n ? 1 : 0;
        }
        __syncthreads();
        bool singular = false;
        for (I c = 0; c < n && !singular; c++) {
            const auto pivot = find_pivot(a, n, c).row;
            const f64 top = a[pivot * n + c];
            singular = top == 0;
            __syncthreads();
            const f64 factor = 1 / top;
            for (I j = threadIdx.x; j < 2 * n; j += blockDim.x) {
                f64* const half_row = j < n ? a + j : r + (j - n);
                const f64 v = half_row[(i64)c * n];
                half_row[(i64)c * n] = half_row[pivot * n] * factor;
                if (pivot != c)
                    half_row[pivot * n] = v;
            }
            __syncthreads();
            for (I i = threadIdx.x; i < n; i += blockDim.x)
                multiples[i] = a[(i64)i * n + c];
            __syncthreads();
            for (I e = threadIdx.x; e < 2 * n * n; e += blockDim.x) {
                const I i = e / (2 * n), j = e % (2 * n);
                if (i == c || multiples[i] == 0)
                    continue;
                f64* const half_row = j < n ? a + j : r + (j - n);
                half_row[(i64)i * n] -= rounded_product(multiples[i], half_row[(i64)c * n]);
            }
            __syncthreads();
        }
        for (I i = threadIdx.x; i < n * n; i += blockDim.x)
            y[at[0] + (i64)(i / n) * p.steps[0] + (i64)(i % n) * p.steps[1]] =
                convert<T>(singular ? infinity<f64>() - infinity<f64>() : r[i]);
    }
}

// ---- discrete Fourier transforms

// Tensors: output, input (without the axis and the two parts), the frequency.
template <int R, class I>
struct fourier_params {
    walk<R, 3, I> at;
    I length; // of the transform
    I given;  // elements that there are
    I step, part_step, out_part_step;
    I parts, out_parts;
    I n;
};
// `roots`: the real parts of exp(-2 pi i k / length), then the imaginary parts. `inverse`: divided
// by the length, of the conjugate roots. `mirrored`: frequency length - k is the conjugate of k,
// and those that are their own are real.
template <bool inverse, bool mirrored, class T, class N, int R, class I>
MGX_DEVICE void fourier_sums(T* y, const T* x, const N* roots, const fourier_params<R, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3];
        p.at.offsets(i, at);
        const I k = at[2];
        N re = 0, im = 0;
        I turn = 0; // j * k, modulo the length
        for (I j = 0; j < p.given; j++) {
            const T* v = x + at[1] + (i64)j * p.step;
            const N a = convert<N>(v[0]);
            const bool own = mirrored && (j == 0 || 2 * j == p.length);
            const N b = p.parts == 2 && !own ? convert<N>(v[p.part_step]) : static_cast<N>(0);
            const N c = roots[turn];
            const N s = inverse ? -roots[p.length + turn] : roots[p.length + turn];
            const N twice = mirrored && !own ? 2 : 1;
            re += twice * (a * c - b * s);
            im += a * s + b * c;
            turn += k;
            turn -= turn >= p.length ? p.length : 0;
        }
        const N scale = inverse ? static_cast<N>(1) / static_cast<N>(p.length) : static_cast<N>(1);
        y[at[0]] = convert<T>(re * scale);
        if (p.out_parts == 2)
            y[at[0] + p.out_part_step] = convert<T>(im * scale);
    }
}

} // namespace mgx
