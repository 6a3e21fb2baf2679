// SPDX-License-Identifier: MIT
// Blocks that run at the same time, side by side, and reach each other's shared memory: clusters of
// Hopper. Elsewhere a cluster is one block.
#pragma once
#include "dialect.cuh"

#ifdef MGX_CUDA
// After MGX_KERNEL_BOUNDS: the grid is cut into clusters of n blocks along x. Not for n = 1.
#define MGX_CLUSTER(n) __attribute__((cluster_dims(n, 1, 1)))
// Along z.
#define MGX_CLUSTER_Z(n) __attribute__((cluster_dims(1, 1, n)))
#else
#define MGX_CLUSTER(n)
#define MGX_CLUSTER_Z(n)
#endif

namespace mgx {

// The blocks of a cluster of Size meet; what they wrote to shared memory before is seen after.
template <int Size>
MGX_DEVICE void cluster_barrier() {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 900
    if constexpr (Size > 1) {
        // Not the aligned forms: the lanes of a warp may come from different branches.
        asm volatile("barrier.cluster.arrive.release;\n"
                     "barrier.cluster.wait.acquire;" ::
                         : "memory");
        return;
    }
#endif
    __syncthreads();
}

// `x` at the place of `p`, an address of this block's shared memory, in each block of the cluster.
template <int Size, class T>
MGX_DEVICE void cluster_store(T* p, T x) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 900
    if constexpr (Size > 1) {
        const u32 own = static_cast<u32>(__cvta_generic_to_shared(p));
#pragma unroll
        for (int i = 0; i < Size; i++) {
            u32 there;
            asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(own), "r"(i));
            if constexpr (sizeof(T) == 4)
                asm volatile("st.shared::cluster.b32 [%0], %1;" ::"r"(there), "r"(bits_as<u32>(x))
                             : "memory");
            else
                asm volatile("st.shared::cluster.b64 [%0], %1;" ::"r"(there), "l"(bits_as<u64>(x))
                             : "memory");
        }
        return;
    }
#endif
    *p = x;
}

// Four neighbours of 4 bytes at the place of `p`, an address of this block's shared memory that 16
// divides, in the block of this rank of the cluster.
template <int Size, class T>
MGX_DEVICE vec<T, 4> cluster_load(const T* p, int rank) {
    static_assert(sizeof(T) == 4, "16 bytes");
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 900
    if constexpr (Size > 1) {
        const u32 own = static_cast<u32>(__cvta_generic_to_shared(p));
        u32 there, w[4];
        asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(own), "r"(rank));
        asm volatile("ld.shared::cluster.v4.b32 {%0, %1, %2, %3}, [%4];"
                     : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                     : "r"(there)
                     : "memory");
        vec<T, 4> r;
#pragma unroll
        for (int i = 0; i < 4; i++)
            r[i] = bits_as<T>(w[i]);
        return r;
    }
#endif
    return load<4>(p);
}

} // namespace mgx
