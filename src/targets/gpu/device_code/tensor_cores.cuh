// SPDX-License-Identifier: MIT
// Products of small tiles by the 32 lanes of a warp, and copies to shared memory that go on behind
// a kernel's back. Fragments lie in registers as PTX orders them (PTX ISA, "Matrix fragments for
// mma.m16n8k16"): with g = lane / 4 and t = lane % 4, two elements of 16 bits in each register,
//   a (16 x 16)  a[0]: row g, columns 2t, 2t + 1;  a[1]: row g + 8;  a[2], a[3]: columns + 8
//   b (16 x 8)   b[0]: rows 2t, 2t + 1 of column g;  b[1]: rows + 8
//   c (16 x 8)   c[0], c[1]: row g, columns 2t, 2t + 1;  c[2], c[3]: row g + 8
// On wavefronts of 64 lanes each half is a warp of its own.
#pragma once
#include "dialect.cuh"

namespace mgx {

// Two values in the order in which they lie in memory.
template <class T>
MGX_DEVICE u32 pack2(f32 first, f32 second) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
    u32 r;
    if constexpr (same<T, half>)
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(second), "f"(first));
    else
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(second), "f"(first));
    return r;
#else
    return static_cast<u32>(from_f32<T>(first).bits) |
           static_cast<u32>(from_f32<T>(second).bits) << 16;
#endif
}
template <class T>
MGX_DEVICE f32 unpack2(u32 pair, int which) {
    return to_f32(T{static_cast<u16>(which == 0 ? pair & 0xffffu : pair >> 16)});
}

// What products are summed in: integers wrap.
template <class T>
using mma_sum = typename choose<is_float<T>, f32, u32>::type;
// Along k by one instruction: two pieces of 16 bytes.
template <class T>
constexpr int mma_depth = 32 / static_cast<int>(sizeof(T));

#ifndef MGX_CUDA
// Element i of those of a register.
template <class T>
MGX_DEVICE mma_sum<T> unpack_factor(u32 word, int i) {
    if constexpr (sizeof(T) == 2)
        return unpack2<T>(word, i);
    else if constexpr (is_float<T>)
        return to_f32(T{static_cast<u8>(word >> 8 * i)});
    else
        return static_cast<u32>(static_cast<i32>(static_cast<T>(word >> 8 * i)));
}

// One lane's part of a product, given what the lanes of its row and its two columns hold:
// rows[t] is a of lane 4g + t, columns[n][t] is b of lane 4 (2t' + n) + t.
template <class T>
MGX_DEVICE void multiply_fragments(mma_sum<T> (&c)[4], const u32 (&rows)[4][4],
                                   const u32 (&columns)[2][4][2]) {
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < 2; n++) {
            mma_sum<T> sum = 0;
            for (int half_k = 0; half_k < 2; half_k++)
                for (int t = 0; t < 4; t++)
                    for (int w = 0; w < static_cast<int>(4 / sizeof(T)); w++) {
                        const auto x = unpack_factor<T>(rows[t][2 * half_k + i], w);
                        const auto y = unpack_factor<T>(columns[n][t][half_k], w);
                        if constexpr (is_float<T>)
                            sum = fma(x, y, sum);
                        else
                            sum += x * y;
                    }
            c[2 * i + n] += sum;
        }
}

// Without matrix units: each lane asks the others for what they hold.
template <class T>
MGX_DEVICE void multiply_shared_out(mma_sum<T> (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    const int lane = thread_rank() % 32, g = lane / 4, t0 = lane % 4;
    u32 rows[4][4], columns[2][4][2];
#ifdef MGX_HOST
    struct fragments {
        u32 a[4], b[2];
    };
    fragments mine;
    __builtin_memcpy(mine.a, a, sizeof(a));
    __builtin_memcpy(mine.b, b, sizeof(b));
    const host_exchange<fragments> e(mine);
    for (int t = 0; t < 4; t++) {
        const auto from = e.other(4 * g + t);
        __builtin_memcpy(rows[t], from.a, sizeof(rows[t]));
        for (int n = 0; n < 2; n++) {
            const auto column = e.other(4 * (2 * t0 + n) + t);
            __builtin_memcpy(columns[n][t], column.b, sizeof(columns[n][t]));
        }
    }
#else
    for (int t = 0; t < 4; t++) {
        for (int i = 0; i < 4; i++)
            rows[t][i] = shuffle<32>(a[i], 4 * g + t);
        for (int n = 0; n < 2; n++)
            for (int i = 0; i < 2; i++)
                columns[n][t][i] = shuffle<32>(b[i], 4 * (2 * t0 + n) + t);
    }
#endif
    multiply_fragments<T>(c, rows, columns);
}
#endif

#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
#define MGX_MMA(shape_and_types, constraint)                                                       \
    asm("mma.sync.aligned." shape_and_types                                                        \
        " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                                   \
        : "+" constraint(c[0]), "+" constraint(c[1]), "+" constraint(c[2]), "+" constraint(c[3])   \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#endif

// c += a b; T: half or bf16.
template <class T>
MGX_DEVICE void mma_16x8x16(f32 (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if defined(MGX_CUDA)
#if __CUDA_ARCH__ >= 800
    if constexpr (same<T, half>)
        MGX_MMA("m16n8k16.row.col.f32.f16.f16.f32", "f");
    else
        MGX_MMA("m16n8k16.row.col.f32.bf16.bf16.f32", "f");
#else
    static_assert(sizeof(T) == 0, "tensor cores of compute capability 8.0 are needed");
#endif
#else
    multiply_shared_out<T>(c, a, b);
#endif
}

// c += a b; T: i8, u8, or (capability 8.9) fp8e4m3fn, fp8e5m2. Fragments lie as those of 16 bits
// do, with four elements in a register where those have two.
template <class T>
MGX_DEVICE void mma_16x8x32(mma_sum<T> (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if defined(MGX_CUDA)
#if __CUDA_ARCH__ >= 800
    if constexpr (same<T, i8>)
        MGX_MMA("m16n8k32.row.col.s32.s8.s8.s32", "r");
    else if constexpr (same<T, u8>)
        MGX_MMA("m16n8k32.row.col.s32.u8.u8.s32", "r");
    else {
#if __CUDA_ARCH__ >= 890
        // Sums within the unit have few bits: those so far are added outside of it.
        const f32 before[4] = {c[0], c[1], c[2], c[3]};
        c[0] = c[1] = c[2] = c[3] = 0;
        if constexpr (same<T, fp8e4m3fn>)
            MGX_MMA("m16n8k32.row.col.f32.e4m3.e4m3.f32", "f");
        else
            MGX_MMA("m16n8k32.row.col.f32.e5m2.e5m2.f32", "f");
#pragma unroll
        for (int i = 0; i < 4; i++)
            c[i] += before[i];
#else
        static_assert(sizeof(T) == 0, "tensor cores of compute capability 8.9 are needed");
#endif
    }
#else
    static_assert(sizeof(T) == 0, "tensor cores of compute capability 8.0 are needed");
#endif
#else
    multiply_shared_out<T>(c, a, b);
#endif
}
#undef MGX_MMA

// c += a b, mma_depth<T> along k.
template <class T>
MGX_DEVICE void multiply_tiles(mma_sum<T> (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    if constexpr (sizeof(T) == 2)
        mma_16x8x16<T>(c, a, b);
    else
        mma_16x8x32<T>(c, a, b);
}

#ifdef MGX_CUDA
MGX_DEVICE u32 shared_address(const void* p) {
    return static_cast<u32>(__cvta_generic_to_shared(p));
}
#endif

// Four 8 x 8 tiles of 16-bit elements from shared memory: lane i gives the address of row i % 8 of
// tile i / 8 (16 bytes, aligned); r[m] is row g, columns 2t, 2t + 1 of tile m, or with Transposed
// rows 2t, 2t + 1 of column g. For elements of a byte two neighbours count as one.
template <bool Transposed>
MGX_DEVICE void load_tiles(u32 (&r)[4], const void* row) {
#if defined(MGX_CUDA)
    if constexpr (Transposed)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(shared_address(row))
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(shared_address(row))
                     : "memory");
#else
    const int lane = thread_rank() % 32, g = lane / 4, t = lane % 4;
#ifdef MGX_HOST
    const host_exchange<const void*> e(row);
#endif
    for (int m = 0; m < 4; m++) {
        u32 word = 0;
        for (int w = 0; w < 2; w++) {
            const int i = Transposed ? 2 * t + w : g, j = Transposed ? g : 2 * t + w;
#ifdef MGX_HOST
            const void* const at = e.other(8 * m + i);
#else
            const void* const at = shuffle<32>(row, 8 * m + i);
#endif
            word |= static_cast<u32>(static_cast<const u16*>(at)[j]) << (16 * w);
        }
        r[m] = word;
    }
#endif
}

// 16 bytes to shared memory, of which the first `bytes` come from `from` and the others are 0; both
// addresses are multiples of 16. Nothing is read when `bytes` is 0. Done when a wait says so.
MGX_DEVICE void copy_16_async(void* to, const void* from, int bytes) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)),
                 "l"(from), "r"(bytes)
                 : "memory");
#else
    if (bytes == 16) {
        *static_cast<raw16*>(to) = *static_cast<const raw16*>(from);
        return;
    }
    for (int i = 0; i < 16; i++)
        static_cast<u8*>(to)[i] = i < bytes ? static_cast<const u8*>(from)[i] : u8{0};
#endif
}
// The copies of this thread since the last one belong together.
MGX_DEVICE void commit_copies() {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// All but the last `Pending` groups of this thread's copies are done.
template <int Pending>
MGX_DEVICE void wait_for_copies() {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
}

} // namespace mgx
