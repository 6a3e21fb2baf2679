// SPDX-License-Identifier: MIT
// Random numbers: the sequence of the Mersenne Twister (Matsumoto and Nishimura, 1998) that
// ops/random.cpp makes numbers of, and seeds that differ from run to run.
#pragma once
#include "walk.cuh"

namespace mgx {

template <int R, class I>
struct random_params {
    walk<R, 1, I> at; // in row-major order
    I n;
};

// Element i of draw k, which is draw i, or its upper (even k) or lower half of 64 bits.
template <class T>
MGX_DEVICE void write_random(T* to, u32 draw, bool upper_half) {
    if constexpr (is_float<T> || same<T, bool>) {
        const f32 x = static_cast<f32>(draw) / 4294967296.0f;
        const f32 below = x < 1 ? x : 0.99999994f;
        *to = convert<T>(below);
        if constexpr (is_small_float<T>)
            if (to_compute(*to) >= 1) // after rounding
                *to = convert<T>(0.9375f);
    } else if constexpr (sizeof(T) == 8) {
        reinterpret_cast<u32*>(to)[upper_half] = upper_half ? draw >> 1 : draw;
    } else {
        constexpr int sign = static_cast<T>(-1) < static_cast<T>(0) ? 1 : 0;
        *to = static_cast<T>(draw >> (32 - (8 * sizeof(T) - sign)));
    }
}

// One block. The state is a ring of the last numbers: 227 at a time follow from what is there.
template <class T, class S, int R, class I>
MGX_DEVICE void random_elements(T* y, const S* seed, const random_params<R, I>& p) {
    constexpr int length = 624, ahead = 397, step = length - ahead, ring = 1024;
    constexpr int draws = sizeof(T) == 8 && !is_float<T> ? 2 : 1;
    __shared__ u32 state[ring];
    if (threadIdx.x == 0) {
        u32 x = static_cast<u32>(*seed);
        for (u32 i = 0; i < length; i++) {
            state[i] = x;
            x = 1812433253u * (x ^ x >> 30) + i + 1;
        }
    }
    __syncthreads();
    const i64 n = static_cast<i64>(p.n) * draws;
    const int t = static_cast<int>(threadIdx.x);
    for (i64 first = 0; first < n; first += step) {
        const i64 k = first + t;
        if (t < step) {
            const u32 both = (state[k % ring] & 0x80000000u) | (state[(k + 1) % ring] & 0x7fffffffu);
            u32 x = state[(k + ahead) % ring] ^ both >> 1 ^ ((both & 1u) != 0 ? 0x9908b0dfu : 0u);
            state[(k + length) % ring] = x;
            if (k < n) {
                x ^= x >> 11;
                x ^= x << 7 & 0x9d2c5680u;
                x ^= x << 15 & 0xefc60000u;
                x ^= x >> 18;
                I at[1];
                p.at.offsets(static_cast<I>(k / draws), at);
                write_random(y + at[0], x, draws == 2 && k % 2 == 0);
            }
        }
        __syncthreads();
    }
}

// Each run takes the next state: steps of the golden ratio, mixed (Steele, Lea and Flood: splitmix,
// 2014). Types that hold no integers get small numbers.
template <class T>
MGX_DEVICE void next_seed(T* y, u64* state) {
    if (first_position<i32>() != 0)
        return;
    u64 x = atomic_add(state, static_cast<u64>(0x9e3779b97f4a7c15u));
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    if constexpr (is_float<T> || same<T, bool>)
        *y = convert<T>(static_cast<f32>(static_cast<u32>(x) & 0x7fffu));
    else
        *y = static_cast<T>(x);
}

} // namespace mgx
