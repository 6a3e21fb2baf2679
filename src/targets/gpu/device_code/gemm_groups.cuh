// SPDX-License-Identifier: MIT
// Tiles for mma_gemm by Hopper's groups of four warps: a group multiplies 64 rows by all columns of
// the block, and reads both operands from shared memory itself, while its threads go on (PTX ISA,
// "Asynchronous warpgroup level matrix instructions"). What the warps of mma_tile read again and
// again through their registers is more than shared memory gives at that speed. A step is waited for
// at once: of two blocks on a multiprocessor one fetches and stores while the other multiplies.
#pragma once
#include "gemm_mma.cuh"

// Code for sm_90a has them.
#if defined(MGX_CUDA) && defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define MGX_GROUPS 1
#endif

namespace mgx {

// BM x BN sums by a block, 64 x BN by each group. Operands lie along k in rows of 128 bytes whose
// pieces are swizzled as swizzle<8> does: the pattern that the unit calls that of 128 bytes.
template <class T, int M, int N, int Stages>
struct group_form : mma_form<T, M, N, 64, 16, N, Stages, true, true> {
    static_assert(sizeof(T) == 2 && M % 64 == 0 && (N == 64 || N == 128), "forms that are spelled out");
};

#ifdef MGX_GROUPS
// Where a matrix of rows of 128 bytes begins, in 16 bytes; eight rows are 1024 bytes (64 of these);
// the swizzle's code in the last bits.
MGX_DEVICE u64 group_matrix(const void* p) {
    return static_cast<u64>((shared_address(p) & 0x3ffffu) >> 4) | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

// d += a b of 64 x 16 and 16 x 8 Columns elements; types as in PTX.
#define MGX_GROUP_128(types) \
        asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." types "." types " {" \
                     "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
                     "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
                     "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
                     "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63" \
                     "}, %64, %65, 1, 1, 1, 0, 0;" \
                     : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), \
                       "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]), \
                       "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), \
                       "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]), \
                       "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), \
                       "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]), \
                       "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]), \
                       "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3]), \
                       "+f"(d[8][0]), "+f"(d[8][1]), "+f"(d[8][2]), "+f"(d[8][3]), \
                       "+f"(d[9][0]), "+f"(d[9][1]), "+f"(d[9][2]), "+f"(d[9][3]), \
                       "+f"(d[10][0]), "+f"(d[10][1]), "+f"(d[10][2]), "+f"(d[10][3]), \
                       "+f"(d[11][0]), "+f"(d[11][1]), "+f"(d[11][2]), "+f"(d[11][3]), \
                       "+f"(d[12][0]), "+f"(d[12][1]), "+f"(d[12][2]), "+f"(d[12][3]), \
                       "+f"(d[13][0]), "+f"(d[13][1]), "+f"(d[13][2]), "+f"(d[13][3]), \
                       "+f"(d[14][0]), "+f"(d[14][1]), "+f"(d[14][2]), "+f"(d[14][3]), \
                       "+f"(d[15][0]), "+f"(d[15][1]), "+f"(d[15][2]), "+f"(d[15][3]) \
                     : "l"(a), "l"(b))
#define MGX_GROUP_64(types) \
        asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." types "." types " {" \
                     "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
                     "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31" \
                     "}, %32, %33, 1, 1, 1, 0, 0;" \
                     : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), \
                       "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]), \
                       "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), \
                       "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]), \
                       "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), \
                       "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]), \
                       "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]), \
                       "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3]) \
                     : "l"(a), "l"(b))
template <class T, int Columns>
MGX_DEVICE void group_multiply(f32 (&d)[Columns][4], u64 a, u64 b) {
    if constexpr (Columns == 16) {
        if constexpr (same<T, half>)
            MGX_GROUP_128("f16");
        else
            MGX_GROUP_128("bf16");
    } else {
        if constexpr (same<T, half>)
            MGX_GROUP_64("f16");
        else
            MGX_GROUP_64("bf16");
    }
}
#undef MGX_GROUP_128
#undef MGX_GROUP_64
#endif

template <class F>
struct group_tile {
    using T = typename F::type;

    f32 sums[1][F::WN / 8][4] = {};
    const warp_place<F> warp;

    // The swizzle repeats every 1024 bytes.
    static MGX_DEVICE unsigned char* aligned(unsigned char* shared) {
        const auto at = reinterpret_cast<u64>(shared);
        return shared + ((at + 1023) / 1024 * 1024 - at);
    }
    // The units see what this thread has copied.
    MGX_DEVICE void copied() {
#ifdef MGX_GROUPS
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
    }
    MGX_DEVICE void add(const T* a, const T* b) {
#ifdef MGX_GROUPS
        const T* const rows = a + warp.row / 64 * 64 * F::BK;
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int k = 0; k < F::BK; k += 16)
            group_multiply<T>(sums[0], group_matrix(rows + k), group_matrix(b + k));
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#else
        // Fragments as the units give them.
        const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
        const auto at = [](const T* tile, int line, int k) {
            return to_f32(tile[swizzle<8>::at(line, k / 8) * 8 + k % 8]);
        };
        for (int j = 0; j < F::WN / 8; j++)
            for (int e = 0; e < 4; e++)
                for (int k = 0; k < F::BK; k++)
                    sums[0][j][e] = fma(at(a, warp.row + g + e / 2 * 8, k),
                                        at(b, j * 8 + 2 * t + e % 2, k), sums[0][j][e]);
#endif
    }
    MGX_DEVICE void put(f32* to) const { put_sums<F>(sums, warp, to); }
};

} // namespace mgx
