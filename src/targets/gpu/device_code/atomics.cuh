// SPDX-License-Identifier: MIT
// Atomic updates of memory, global or shared, and the order of accesses to it. Each returns the
// value before.
#pragma once

namespace mgx {

// Accesses of this thread before it are seen by others before those after it.
MGX_DEVICE void memory_fence() {
#ifdef MGX_HOST
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#else
    __threadfence();
#endif
}

// Replaces *p by `value` if it is `expected`. T: an integer of 32 or 64 bits.
template <class T>
MGX_DEVICE T atomic_swap_if(T* p, T expected, T value) {
#ifdef MGX_HOST
    __atomic_compare_exchange_n(p, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
#else
    using word = typename choose<sizeof(T) == 8, unsigned long long, unsigned>::type;
    return static_cast<T>(atomicCAS(reinterpret_cast<word*>(p), static_cast<word>(expected),
                                    static_cast<word>(value)));
#endif
}

// *p = f(*p). Elements of 1 and 2 bytes are changed within the aligned word that holds them.
template <class T, class F>
MGX_DEVICE T atomic_update(T* p, F f) {
    if constexpr (sizeof(T) >= 4) {
        using word = typename choose<sizeof(T) == 8, u64, u32>::type;
        word* const w = reinterpret_cast<word*>(p);
        word seen = *reinterpret_cast<volatile word*>(w);
        while (true) {
            const T old = bits_as<T>(seen);
            const word found = atomic_swap_if(w, seen, bits_as<word>(f(old)));
            if (found == seen)
                return old;
            seen = found;
        }
    } else {
        const u64 address = reinterpret_cast<u64>(p);
        u32* const w = reinterpret_cast<u32*>(address & ~u64{3});
        const u32 shift = (address & 3u) * 8u;
        using part = typename choose<sizeof(T) == 2, u16, u8>::type;
        const u32 mask = static_cast<u32>(static_cast<part>(~0u)) << shift;
        u32 seen = *reinterpret_cast<volatile u32*>(w);
        while (true) {
            const T old = bits_as<T>(static_cast<part>(seen >> shift));
            const u32 value = static_cast<u32>(bits_as<part>(f(old))) << shift;
            const u32 found = atomic_swap_if(w, seen, (seen & ~mask) | value);
            if (found == seen)
                return old;
            seen = found;
        }
    }
}

template <class T>
MGX_DEVICE T atomic_add(T* p, T x) {
#ifndef MGX_HOST
    if constexpr (same<T, i32> || same<T, u32> || same<T, u64> || same<T, f32>)
        return atomicAdd(p, x);
    else if constexpr (same<T, i64>)
        return static_cast<i64>(atomicAdd(reinterpret_cast<u64*>(p), static_cast<u64>(x)));
#if !defined(MGX_CUDA) || __CUDA_ARCH__ >= 600
    else if constexpr (same<T, f64>)
        return atomicAdd(p, x);
#endif
    else
#endif
        return atomic_update(p, [=](T old) {
            return convert<T>(static_cast<compute<T>>(to_compute(old) + to_compute(x)));
        });
}
template <class T>
MGX_DEVICE T atomic_mul(T* p, T x) {
    return atomic_update(p, [=](T old) {
        return convert<T>(static_cast<compute<T>>(to_compute(old) * to_compute(x)));
    });
}
template <class T>
MGX_DEVICE T atomic_max(T* p, T x) {
    return atomic_update(p, [=](T old) {
        return convert<T>(max_op{}(to_compute(old), to_compute(x)));
    });
}
template <class T>
MGX_DEVICE T atomic_min(T* p, T x) {
    return atomic_update(p, [=](T old) {
        return convert<T>(min_op{}(to_compute(old), to_compute(x)));
    });
}

// Reads what other blocks may write at the same time.
template <class T>
MGX_DEVICE T load_volatile(const T* p) {
    return *reinterpret_cast<const volatile T*>(p);
}

} // namespace mgx
