// SPDX-License-Identifier: MIT
// D = tail(A W) for few rows of A and weights of 4 or 8 bits in blocks that share a scale and a zero
// point. Weights are read once, as they are, a word of neighbours along k by each lane.
#pragma once
#include "gemv.cuh"

namespace mgx {

// Words of weights. Q: i8 for signed ones, u8 for others.
template <class Q, int Bits>
struct weight_words {
    static constexpr int each = 32 / Bits, places = 16 / Bits;
    static constexpr u32 mask = (u32{1} << Bits) - 1;
    // Signed numbers are moved up to begin at 0.
    static constexpr int moved = static_cast<Q>(-1) < static_cast<Q>(0) ? 1 << (Bits - 1) : 0;
    static constexpr u32 moved_all = 0xffffffffu / mask * static_cast<u32>(moved);

    // The weights less the zero point of their block; `zero` may be null. A number v < 2^16 becomes
    // a float as the last bits of 2^23; what stands p places higher in its half word is 2^(Bits p)
    // times as large, which the multiply-add that takes 2^23 and the zero point off undoes. All of
    // this is exact.
    static MGX_DEVICE void read(u32 word, const Q* zero, i64 block, f32 (&to)[each]) {
        word ^= moved_all;
        const f32 lowest =
            static_cast<f32>(moved + (zero == nullptr ? 0 : static_cast<int>(zero[block])));
#pragma unroll
        for (int e = 0; e < each; e++) {
            const int place = e % places * Bits;
            const u32 half_word = e < places ? word : word >> 16;
            const f32 size = static_cast<f32>(1 << place);
            to[e] = fma(bits_as<f32>((half_word & mask << place) | 0x4b000000u), 1 / size,
                        -(8388608 / size + lowest));
        }
    }
};

// X: elements of A and of scales. Columns: of W by each group of `Split` warps. A column begins at
// a whole word, a block too.
template <class X, class Q, int Bits, int Rows, int Columns, int Split, int Warps, class Tail>
MGX_DEVICE void block_gemv(const X* x, const Q* q, const X* scale, const Q* zero,
                           const block_params& b, const Tail& tail) {
    static_assert(Warps % Split == 0, "whole groups of warps");
    using words = weight_words<Q, Bits>;
    constexpr int each = words::each;
    const gemm_params& p = b.product;
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const int group = warp / Split, part = warp % Split;
    const auto at = gemm_place_of<Tail::operands>(p, 0);
    const int j0 = (static_cast<int>(blockIdx.x) * (Warps / Split) + group) * Columns;
    const int i0 = static_cast<int>(blockIdx.y) * Rows;
    constexpr u64 line = sizeof(X) * each < 16 ? sizeof(X) * each : 16;
    const bool whole =
        (reinterpret_cast<u64>(x) | static_cast<u64>(p.a.row) * sizeof(X)) % line == 0;
    const u32* column[Columns];
    i64 first_block[Columns];
#pragma unroll
    for (int j = 0; j < Columns; j++) {
        const i64 here = j0 + j < p.n ? j0 + j : p.n - 1;
        column[j] = reinterpret_cast<const u32*>(q) + here * (p.k / each);
        first_block[j] = here * b.blocks;
    }
    f32 sums[Rows][Columns] = {};
    constexpr int stride = 32 * Split * each;
#pragma unroll 4
    for (int k = (part * 32 + lane) * each; k < p.k; k += stride) {
        const int block = k / b.block;
        f32 w[Columns][each], scales[Columns];
#pragma unroll
        for (int j = 0; j < Columns; j++) {
            scales[j] = to_compute(scale[first_block[j] + block]);
            words::read(column[j][k / each], zero, first_block[j] + block, w[j]);
        }
#pragma unroll
        for (int i = 0; i < Rows; i++) {
            const int row = i0 + i < p.m ? i0 + i : p.m - 1;
            const auto a = load_some<each>(x + row * p.a.row + k, whole);
#pragma unroll
            for (int j = 0; j < Columns; j++) {
                f32 sum = 0;
#pragma unroll
                for (int e = 0; e < each; e++)
                    sum = fma(to_compute(a[e]), w[j][e], sum);
                sums[i][j] = fma(sum, scales[j], sums[i][j]);
            }
        }
    }
    finish_columns<Split, Warps>(sums, p, at, i0, tail);
}

// The weights as elements of X, those of a column one after the other: a thread for each word.
template <class X, class Q, int Bits>
MGX_DEVICE void block_weights(const Q* q, const X* scale, const Q* zero, X* to,
                              const block_params& b) {
    using words = weight_words<Q, Bits>;
    const i64 in_column = b.product.k / words::each, all = in_column * b.product.n;
    for (i64 i = global_thread<i64>(); i < all; i += global_threads<i64>()) {
        const i64 block = i / in_column * b.blocks + i % in_column * words::each / b.block;
        f32 w[words::each];
        words::read(reinterpret_cast<const u32*>(q)[i], zero, block, w);
        const f32 factor = to_compute(scale[block]);
        vec<X, words::each> r;
#pragma unroll
        for (int e = 0; e < words::each; e++)
            r[e] = convert<X>(w[e] * factor);
        store<words::each>(to + i * words::each, r);
    }
}

} // namespace mgx
