// SPDX-License-Identifier: MIT
// Threads that work together: exchange within a warp, reductions and scans over warps and blocks.
// Every thread of the warp (or the block) that has not ended must call these. Blocks are launched
// with whole warps wherever one of these is used.
#pragma once

namespace mgx {

#if defined(MGX_HIP) && defined(__AMDGCN_WAVEFRONT_SIZE__)
constexpr int warp_size = __AMDGCN_WAVEFRONT_SIZE__;
#elif defined(MGX_HIP) && defined(__AMDGCN_WAVEFRONT_SIZE)
constexpr int warp_size = __AMDGCN_WAVEFRONT_SIZE;
#elif defined(MGX_HIP)
constexpr int warp_size = 64;
#else
constexpr int warp_size = 32;
#endif
constexpr int most_warps = 1024 / warp_size; // of one block

// One bit for each lane.
using lane_mask = typename choose<warp_size == 64, u64, u32>::type;

// Position in the block, x fastest.
MGX_DEVICE int thread_rank() {
#ifdef MGX_HOST
    return static_cast<int>(host_me->rank);
#else
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
#endif
}
MGX_DEVICE int block_threads() {
    return blockDim.x * blockDim.y * blockDim.z;
}
MGX_DEVICE int lane_id() {
    return thread_rank() % warp_size;
}
MGX_DEVICE int warp_id() {
    return thread_rank() / warp_size;
}
MGX_DEVICE int block_warps() {
    return (block_threads() + warp_size - 1) / warp_size;
}

#ifdef MGX_HOST
// Shows `x` to the warp's other lanes. `other(i)` afterwards is what lane i shows; `mask`: which
// lanes do.
template <class T>
struct host_exchange {
    static_assert(sizeof(T) <= host_slot_bytes, "too much for an exchange between lanes");
    unsigned char* slots;
    u32 mask;

    explicit host_exchange(const T& x) : slots(host_me->slots(host_me)) {
        __builtin_memcpy(slots + lane_id() * host_slot_bytes, &x, sizeof(T));
        mask = host_me->warp_barrier(host_me);
    }
    bool has(int i) const { return (mask >> i & 1u) != 0; }
    T other(int i) const {
        T r;
        __builtin_memcpy(&r, slots + i * host_slot_bytes, sizeof(T));
        return r;
    }
};
#else
template <class T, class F>
MGX_DEVICE T by_words(const T& x, F exchange) {
    constexpr int words = (sizeof(T) + 3) / 4;
    u32 w[words] = {};
    copy_bytes(w, &x, sizeof(T));
#pragma unroll
    for (int i = 0; i < words; i++)
        w[i] = exchange(w[i]);
    T r;
    copy_bytes(&r, w, sizeof(T));
    return r;
}
#endif

// Lanes wait for each other; what they wrote before is seen by all of them afterwards.
MGX_DEVICE void warp_barrier() {
#if defined(MGX_CUDA)
    __syncwarp();
#elif defined(MGX_HIP)
    __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
    __builtin_amdgcn_wave_barrier();
#else
    host_me->warp_barrier(host_me);
#endif
}

MGX_DEVICE void block_barrier() {
    __syncthreads();
}

// The value of lane `from`. Width: the exchange stays within groups of so many lanes, and `from`
// counts within the group.
template <int Width = warp_size, class T>
MGX_DEVICE T shuffle(const T& x, int from) {
#if defined(MGX_CUDA)
    return by_words(x, [=](u32 w) { return __shfl_sync(0xffffffffu, w, from, Width); });
#elif defined(MGX_HIP)
    return by_words(x, [=](u32 w) {
        return static_cast<u32>(__shfl(static_cast<int>(w), from, Width));
    });
#else
    const host_exchange<T> e(x);
    const int i = lane_id() / Width * Width + from % Width;
    return e.has(i) ? e.other(i) : x;
#endif
}

template <int Width = warp_size, class T>
MGX_DEVICE T shuffle_xor(const T& x, int mask) {
    return shuffle<warp_size>(x, lane_id() ^ mask);
}
// The value of the lane `by` above (below), one's own where there is none.
template <int Width = warp_size, class T>
MGX_DEVICE T shuffle_down(const T& x, int by) {
    const int lane = lane_id() % Width;
    return shuffle<Width>(x, lane + by < Width ? lane + by : lane);
}
template <int Width = warp_size, class T>
MGX_DEVICE T shuffle_up(const T& x, int by) {
    const int lane = lane_id() % Width;
    return shuffle<Width>(x, lane >= by ? lane - by : lane);
}

MGX_DEVICE lane_mask ballot(bool x) {
#if defined(MGX_CUDA)
    return __ballot_sync(0xffffffffu, x);
#elif defined(MGX_HIP)
    return static_cast<lane_mask>(__ballot(x));
#else
    const host_exchange<bool> e(x);
    u32 r = 0;
    for (int i = 0; i < warp_size; i++)
        r |= e.has(i) && e.other(i) ? 1u << i : 0u;
    return r;
#endif
}
MGX_DEVICE bool any(bool x) {
    return ballot(x) != 0;
}
MGX_DEVICE bool all(bool x) {
    return ballot(!x) == 0;
}
MGX_DEVICE int count_bits(u32 x) {
#ifdef MGX_CUDA
    return __popc(x);
#else
    return __builtin_popcount(x);
#endif
}
MGX_DEVICE int count_bits(u64 x) {
#ifdef MGX_CUDA
    return __popcll(x);
#else
    return __builtin_popcountll(x);
#endif
}
// The lanes below this one.
MGX_DEVICE lane_mask lanes_below() {
    return (static_cast<lane_mask>(1) << lane_id()) - 1;
}

// All lanes of a group of Width get op over the group's values; T of up to 32 bytes. The order is
// that of a tree, so every lane has the same result.
template <int Width = warp_size, class T, class Op>
MGX_DEVICE T warp_reduce(T x, Op op) {
#ifdef MGX_HOST
    // One exchange instead of one for each level; the same tree.
    const host_exchange<T> e(x);
    const int first = lane_id() / Width * Width;
    T all[Width];
    bool has[Width];
    for (int i = 0; i < Width; i++)
        if ((has[i] = e.has(first + i)))
            all[i] = e.other(first + i);
    for (int half_width = Width / 2; half_width > 0; half_width /= 2)
        for (int i = 0; i < half_width; i++)
            if (has[i + half_width]) {
                all[i] = has[i] ? op(all[i], all[i + half_width]) : all[i + half_width];
                has[i] = true;
            }
    return all[0];
#else
#pragma unroll
    for (int by = Width / 2; by > 0; by /= 2)
        x = op(x, shuffle_xor(x, by));
    return x;
#endif
}

// All threads of the block get op over their values; `identity` changes nothing under op.
template <class T, class Op>
MGX_DEVICE T block_reduce(T x, T identity, Op op) {
    __shared__ T parts[most_warps];
    x = warp_reduce(x, op);
    const int warps = block_warps();
    if (warps == 1)
        return x;
    __syncthreads(); // those of an earlier call have been read
    if (lane_id() == 0)
        parts[warp_id()] = x;
    __syncthreads();
    return warp_reduce(lane_id() < warps ? parts[lane_id()] : identity, op);
}

// Each lane gets op over the values of the lanes up to itself, in their order.
template <class T, class Op>
MGX_DEVICE T warp_scan(T x, Op op) {
#pragma unroll
    for (int by = 1; by < warp_size; by *= 2) {
        const T below = shuffle_up(x, by);
        if (lane_id() >= by)
            x = op(below, x);
    }
    return x;
}

// Each thread gets op over the values of the threads up to itself, in the order of their ranks.
// `total`: over the whole block.
template <class T, class Op>
MGX_DEVICE T block_scan(T x, T identity, Op op, T& total) {
    __shared__ T parts[most_warps];
    x = warp_scan(x, op);
    __syncthreads();
    if (lane_id() == warp_size - 1 || thread_rank() == block_threads() - 1)
        parts[warp_id()] = x;
    __syncthreads();
    const T sums = warp_scan(lane_id() < block_warps() ? parts[lane_id()] : identity, op);
    const T before = shuffle(sums, warp_id() > 0 ? warp_id() - 1 : 0);
    total = shuffle(sums, block_warps() - 1);
    return warp_id() > 0 ? op(before, x) : x;
}

} // namespace mgx
