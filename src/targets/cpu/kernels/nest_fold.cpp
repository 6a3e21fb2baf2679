// SPDX-License-Identifier: MIT
// Folds of tiles. A row's elements go round a few accumulators of as many lanes as a vector of
// float has, what is left after whole rounds into the first; generated code does the same in
// registers, so both give the same bits.

#include "targets/cpu/kernels/nest_parts.hpp"
#include "targets/cpu/kernels/vec.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

using namespace vec;

// The lanes of one accumulator.
template <class T>
struct pack {
    typedef T part __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));
    static constexpr int parts = int(sizeof(T)) / 4;

    part p[parts];

    static MIGRAPHX_VEC_INLINE pack at(const T* from) {
        pack r;
        __builtin_memcpy(&r, from, sizeof(r));
        return r;
    }
    static MIGRAPHX_VEC_INLINE pack all(T x) {
        pack r;
        for (auto& v : r.p)
            v = x - part{};
        return r;
    }
};

struct add_up {
    template <class T>
    static constexpr T start = T(0);
    template <class V>
    static MIGRAPHX_VEC_INLINE V join(V x, V a) {
        return x + a;
    }
    static MIGRAPHX_VEC_INLINE vl join(vl x, vl a) { return (vl)((vu)x + (vu)a); }
};
struct multiply {
    template <class T>
    static constexpr T start = T(1);
    template <class V>
    static MIGRAPHX_VEC_INLINE V join(V x, V a) {
        return x * a;
    }
    static MIGRAPHX_VEC_INLINE vl join(vl x, vl a) { return (vl)((vu)x * (vu)a); }
};

template <class T>
constexpr T top = T(__builtin_inf());
template <>
constexpr int64_t top<int64_t> = INT64_MAX;
template <class T>
constexpr T bottom = T(-__builtin_inf());
template <>
constexpr int64_t bottom<int64_t> = INT64_MIN;

struct largest {
    template <class T>
    static constexpr T start = bottom<T>;
    template <class V>
    static MIGRAPHX_VEC_INLINE V join(V x, V a) {
        return x != x ? x : x > a ? x : a;
    }
};
struct smallest {
    template <class T>
    static constexpr T start = top<T>;
    template <class V>
    static MIGRAPHX_VEC_INLINE V join(V x, V a) {
        return x != x ? x : x < a ? x : a;
    }
};

template <class Op, class T>
MIGRAPHX_VEC_INLINE pack<T> join(pack<T> x, pack<T> a) {
    for (int i = 0; i < pack<T>::parts; ++i)
        a.p[i] = Op::join(x.p[i], a.p[i]);
    return a;
}

template <class Op, class T>
void begin_fold(void* acc, int vectors) {
    const auto start = pack<T>::all(Op::template start<T>);
    for (int k = 0; k < vectors; ++k)
        __builtin_memcpy(static_cast<T*>(acc) + k * vf_width, &start, sizeof(start));
}

template <class Op, class T, int K>
MIGRAPHX_VEC_INLINE void fold_tile(T* acc, const T* tile, int64_t n, bool splat) {
    pack<T> a[K];
    const auto same = pack<T>::all(splat ? *tile : T(0));
    for (int k = 0; k < K; ++k)
        a[k] = pack<T>::at(acc + k * vf_width);
    int64_t i = 0;
    for (; i + K * vf_width <= n; i += K * vf_width)
        for (int k = 0; k < K; ++k)
            a[k] = join<Op>(splat ? same : pack<T>::at(tile + i + k * vf_width), a[k]);
    for (; i + vf_width <= n; i += vf_width)
        a[0] = join<Op>(splat ? same : pack<T>::at(tile + i), a[0]);
    if (i < n) {
        T rest[vf_width];
        for (int l = 0; l < vf_width; ++l)
            rest[l] = l >= n - i ? Op::template start<T> : splat ? *tile : tile[i + l];
        a[0] = join<Op>(pack<T>::at(rest), a[0]);
    }
    for (int k = 0; k < K; ++k)
        __builtin_memcpy(acc + k * vf_width, &a[k], sizeof(a[k]));
}

template <class Op, class T>
void step_fold(void* acc, const void* tile, int64_t n, int vectors, bool splat) {
    auto* a = static_cast<T*>(acc);
    const auto* x = static_cast<const T*>(tile);
    if (vectors == 4)
        fold_tile<Op, T, 4>(a, x, n, splat);
    else if (vectors == 2)
        fold_tile<Op, T, 2>(a, x, n, splat);
    else
        fold_tile<Op, T, 1>(a, x, n, splat);
}

template <class Op, class T>
void end_fold(void* result, const void* acc, int vectors) {
    using W = wrap_t<T>;
    T lane[4 * vf_width];
    const int n = vectors * vf_width;
    __builtin_memcpy(lane, acc, std::size_t(n) * sizeof(T));
    for (int half = n / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l)
            lane[l] = T(Op::join(W(lane[l + half]), W(lane[l])));
    *static_cast<T*>(result) = lane[0];
}
// Order of integers is that of signed ones.
template <>
void end_fold<largest, int64_t>(void* result, const void* acc, int vectors) {
    const auto* lane = static_cast<const int64_t*>(acc);
    int64_t most = lane[0];
    for (int l = 1; l < vectors * vf_width; ++l)
        most = lane[l] > most ? lane[l] : most;
    *static_cast<int64_t*>(result) = most;
}
template <>
void end_fold<smallest, int64_t>(void* result, const void* acc, int vectors) {
    const auto* lane = static_cast<const int64_t*>(acc);
    int64_t least = lane[0];
    for (int l = 1; l < vectors * vf_width; ++l)
        least = lane[l] < least ? lane[l] : least;
    *static_cast<int64_t*>(result) = least;
}

template <class Op>
void fill(vm_fold_kernel (&row)[vm_class_count]) {
    row[int(vm_class::f32)] = {begin_fold<Op, float>, step_fold<Op, float>, end_fold<Op, float>};
    row[int(vm_class::f64)] = {begin_fold<Op, double>, step_fold<Op, double>, end_fold<Op, double>};
    row[int(vm_class::i64)] = {begin_fold<Op, int64_t>, step_fold<Op, int64_t>,
                               end_fold<Op, int64_t>};
}

} // namespace

void fill_nest_folds(nest_kernels& k) {
    fill<add_up>(k.fold[int(vm_fold::sum)]);
    fill<multiply>(k.fold[int(vm_fold::prod)]);
    fill<largest>(k.fold[int(vm_fold::max)]);
    fill<smallest>(k.fold[int(vm_fold::min)]);
}

} // namespace migraphx::cpu::KERNEL_ISA
