// SPDX-License-Identifier: MIT
// Vectors of elements and their loads and stores, 16 bytes at a time. Addresses are multiples of
// the vector's size, up to 16 bytes.
#pragma once

namespace mgx {

// The position that an index names; negative ones count from the end, others outside are the
// nearest.
template <class I, class T>
MGX_DEVICE I chosen(T index, I extent) {
    const i64 v = (i64)index, n = (i64)extent;
    const i64 at = v < 0 ? v + n : v;
    return (I)(at < 0 ? 0 : at < n ? at : n - 1);
}

template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vec {
    T v[N];
    static constexpr int size = N;

    MGX_DEVICE T& operator[](int i) { return v[i]; }
    MGX_DEVICE const T& operator[](int i) const { return v[i]; }
};

// What one instruction moves.
template <int Bytes>
struct raw;
template <>
struct raw<1> {
    using type = u8;
};
template <>
struct raw<2> {
    using type = u16;
};
template <>
struct raw<4> {
    using type = u32;
};
#ifdef MGX_HOST
struct alignas(8) raw8 {
    u32 x, y;
};
struct alignas(16) raw16 {
    u32 x, y, z, w;
};
#else
using raw8 = uint2;
using raw16 = uint4;
#endif
template <>
struct raw<8> {
    using type = raw8;
};
template <>
struct raw<16> {
    using type = raw16;
};

template <int N, class T>
MGX_DEVICE vec<T, N> load(const T* p) {
    constexpr int bytes = sizeof(T) * N;
    vec<T, N> r;
    if constexpr (bytes <= 16 && (bytes & (bytes - 1)) == 0) {
        using piece = typename raw<bytes>::type;
        const piece x = *reinterpret_cast<const piece*>(p);
        copy_bytes(&r, &x, bytes);
    } else if constexpr (bytes % 16 == 0) {
        raw16 x[bytes / 16];
#pragma unroll
        for (int i = 0; i < bytes / 16; i++)
            x[i] = reinterpret_cast<const raw16*>(p)[i];
        copy_bytes(&r, x, bytes);
    } else {
#pragma unroll
        for (int i = 0; i < N; i++)
            r.v[i] = p[i];
    }
    return r;
}

template <int N, class T>
MGX_DEVICE void store(T* p, const vec<T, N>& x) {
    constexpr int bytes = sizeof(T) * N;
    if constexpr (bytes <= 16 && (bytes & (bytes - 1)) == 0) {
        typename raw<bytes>::type r;
        copy_bytes(&r, &x, bytes);
        *reinterpret_cast<typename raw<bytes>::type*>(p) = r;
    } else if constexpr (bytes % 16 == 0) {
        raw16 r[bytes / 16];
        copy_bytes(r, &x, bytes);
#pragma unroll
        for (int i = 0; i < bytes / 16; i++)
            reinterpret_cast<raw16*>(p)[i] = r[i];
    } else {
#pragma unroll
        for (int i = 0; i < N; i++)
            p[i] = x.v[i];
    }
}

// Each element in another type.
template <class To, class T, int N>
MGX_DEVICE vec<To, N> convert_all(const vec<T, N>& x) {
    vec<To, N> r;
#pragma unroll
    for (int i = 0; i < N; i++)
        r.v[i] = convert<To>(x.v[i]);
    return r;
}

// The index of this thread among all of the launch along x, and how many they are: for loops that
// stride over the grid.
template <class Index = u32>
MGX_DEVICE Index global_thread() {
    return static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
}
template <class Index = u32>
MGX_DEVICE Index global_threads() {
    return static_cast<Index>(gridDim.x) * blockDim.x;
}

} // namespace mgx
