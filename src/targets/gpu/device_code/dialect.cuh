// SPDX-License-Identifier: MIT
// What all generated kernels start from, the same on CUDA (NVRTC, no toolkit headers), HIP and the
// host (g++, no headers at all). Kernels are written as CUDA is: threadIdx, __shared__,
// __syncthreads(); an entry is `MGX_KERNEL void name(...)` or, with the largest block it is
// launched with, `MGX_KERNEL_BOUNDS(256) void name(...)`. All else is in namespace mgx; code may be
// written inside of it.
#pragma once

#define MGX_DEVICE_CODE 1

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define MGX_CUDA 1
#elif defined(__HIPCC__) || defined(__HIPCC_RTC__)
#define MGX_HIP 1
#else
#define MGX_HOST 1
#endif

#ifdef MGX_HOST
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
// The threads of a block are fibers of one thread of the system.
#define __shared__ static thread_local
#define MGX_DEVICE inline
#define threadIdx (mgx::host_me->thread_index)
#define blockIdx (mgx::host_me->block_index)
#define blockDim (mgx::host_me->block_size)
#define gridDim (mgx::host_me->grid_size)
#define __syncthreads() mgx::host_me->block_barrier(mgx::host_me)
#define MGX_DYNAMIC_SHARED(type, name)                                                             \
    type* const name = reinterpret_cast<type*>(mgx::host_me->shared)
#else
#define MGX_DEVICE __device__ __forceinline__
// The block's dynamic shared memory, aligned to 128 bytes.
#define MGX_DYNAMIC_SHARED(type, name)                                                             \
    extern __shared__ __attribute__((aligned(128))) unsigned char mgx_dynamic_shared[];            \
    type* const name = reinterpret_cast<type*>(mgx_dynamic_shared)
#endif

#define MGX_KERNEL extern "C" __global__
#define MGX_KERNEL_BOUNDS(...) extern "C" __global__ __launch_bounds__(__VA_ARGS__)

#ifdef MGX_HOST
#include "host_abi.cuh"
namespace mgx {
static thread_local host_thread* host_me;
}
#endif
#include "fast_div.cuh"
#include "types.cuh"
#include "math.cuh"
#include "vectors.cuh"
#include "warp.cuh"
#include "atomics.cuh"

#ifdef MGX_HOST
// How the host calls a kernel; the compiler appends these functions for each entry.
namespace mgx {

template <int... I>
struct host_indices {};
template <int N, int... I>
struct host_count : host_count<N - 1, N - 1, I...> {};
template <int... I>
struct host_count<0, I...> {
    using type = host_indices<I...>;
};

template <class... A, int... I>
inline void host_call(void (*f)(A...), void** a, host_indices<I...>) {
    f(*static_cast<typename plain<A>::type*>(a[I])...);
}
template <class... A>
inline void host_run(host_thread* t, void (*f)(A...), void** a) {
    host_me = t;
    host_call(f, a, typename host_count<sizeof...(A)>::type{});
}
template <class... A>
inline const unsigned* host_sizes_of(void (*)(A...)) {
    static const unsigned sizes[] = {sizeof(A)..., 0};
    return sizes;
}

} // namespace mgx
#define MGX_HOST_ENTRY(name)                                                                       \
    extern "C" __attribute__((visibility("default"))) void mgx_run_##name(mgx::host_thread* t,     \
                                                                          void** a) {              \
        using namespace mgx;                                                                       \
        host_run(t, name, a);                                                                      \
    }                                                                                              \
    extern "C" __attribute__((visibility("default"))) const unsigned* mgx_sizes_##name() {         \
        using namespace mgx;                                                                       \
        return host_sizes_of(name);                                                                \
    }
#endif
