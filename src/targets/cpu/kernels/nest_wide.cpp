// SPDX-License-Identifier: MIT
// Tiles of double and int64, and the changes between classes: loops for the compiler to vectorise.

#include "targets/cpu/kernels/nest_parts.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

template <class T, class F>
void wide_unary(const vm_args& args, F f) {
    const T* x = static_cast<const T*>(args.src[0]);
    T* y = static_cast<T*>(args.dst);
#pragma GCC ivdep
    for (int64_t i = 0; i < args.n; ++i)
        y[i] = f(x[i]);
}

template <class T, class F>
void wide_binary(const vm_args& args, F f) {
    const T* a = static_cast<const T*>(args.src[0]);
    const T* b = static_cast<const T*>(args.src[1]);
    T* y = static_cast<T*>(args.dst);
    const int64_t n = args.n;
    if ((args.splats & 2) != 0) {
        const T v = *b;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i)
            y[i] = f(a[i], v);
    } else if ((args.splats & 1) != 0) {
        const T v = *a;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i)
            y[i] = f(v, b[i]);
    } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i)
            y[i] = f(a[i], b[i]);
    }
}

template <class T, class F>
void wide_ternary(const vm_args& args, F f) {
    const T* a = static_cast<const T*>(args.src[0]);
    const T* b = static_cast<const T*>(args.src[1]);
    const T* c = static_cast<const T*>(args.src[2]);
    T* y = static_cast<T*>(args.dst);
    const int64_t sa = (args.splats & 1) != 0 ? 0 : 1;
    const int64_t sb = (args.splats & 2) != 0 ? 0 : 1;
    const int64_t sc = (args.splats & 4) != 0 ? 0 : 1;
#pragma GCC ivdep
    for (int64_t i = 0; i < args.n; ++i)
        y[i] = f(a[i * sa], b[i * sb], c[i * sc]);
}

template <class T>
T wide_max(T a, T b) {
    return a != a or a > b ? a : b;
}
template <class T>
T wide_min(T a, T b) {
    return a != a or a < b ? a : b;
}

int64_t divide(int64_t a, int64_t b) {
    if (b == 0)
        return 0;
    return b == -1 ? int64_t(-uint64_t(a)) : a / b;
}
double divide(double a, double b) {
    return a / b;
}

int64_t absolute(int64_t a) {
    return a < 0 ? int64_t(-uint64_t(a)) : a;
}
double absolute(double a) {
    return __builtin_fabs(a);
}

#define WIDE_UNARY(name, expression)                                                               \
    template <class T>                                                                             \
    void wide_##name(const vm_args& args) {                                                        \
        using W = wrap_t<T>;                                                                       \
        (void)sizeof(W);                                                                           \
        wide_unary<T>(args, [](T a) { return T(expression); });                                    \
    }
#define WIDE_BINARY(name, expression)                                                              \
    template <class T>                                                                             \
    void wide_##name(const vm_args& args) {                                                        \
        using W = wrap_t<T>;                                                                       \
        (void)sizeof(W);                                                                           \
        wide_binary<T>(args, [](T a, T b) { return T(expression); });                              \
    }

WIDE_BINARY(add, W(a) + W(b))
WIDE_BINARY(sub, W(a) - W(b))
WIDE_BINARY(mul, W(a) * W(b))
WIDE_BINARY(div, divide(a, b))
WIDE_BINARY(larger, wide_max(a, b))
WIDE_BINARY(smaller, wide_min(a, b))
WIDE_BINARY(sqdiff, (W(a) - W(b)) * (W(a) - W(b)))
WIDE_BINARY(equal, a == b)
WIDE_BINARY(greater, a > b)
WIDE_BINARY(less, a < b)
WIDE_BINARY(both, a != 0 and b != 0)
WIDE_BINARY(either, a != 0 or b != 0)
WIDE_BINARY(differ, (a != 0) != (b != 0))
WIDE_UNARY(abs, absolute(a))
WIDE_UNARY(neg, -W(a))
WIDE_UNARY(relu, a < 0 ? T(0) : a)
WIDE_UNARY(not, a == 0)
WIDE_UNARY(sign, (a > 0) - (a < 0))

#undef WIDE_UNARY
#undef WIDE_BINARY

template <class T>
void wide_where(const vm_args& args) {
    wide_ternary<T>(args, [](T c, T x, T y) { return c != 0 ? x : y; });
}

template <class T>
void wide_clip(const vm_args& args) {
    wide_ternary<T>(args, [](T x, T lo, T hi) { return wide_min(wide_max(x, lo), hi); });
}

void sqrt_f64(const vm_args& args) {
    wide_unary<double>(args, [](double a) { return __builtin_sqrt(a); });
}

void bitwise_and_i64(const vm_args& args) {
    wide_binary<int64_t>(args, [](int64_t a, int64_t b) { return a & b; });
}

template <class E>
void wrap_tile(const vm_args& args) {
    wide_unary<int64_t>(args, [](int64_t a) { return int64_t(E(a)); });
}

template <class T>
void fill_wide(vm_fn* table) {
    const auto set = [&](vm_wide op, vm_fn fn) { table[int(op)] = fn; };
    set(vm_wide::add, wide_add<T>);
    set(vm_wide::sub, wide_sub<T>);
    set(vm_wide::mul, wide_mul<T>);
    set(vm_wide::div, wide_div<T>);
    set(vm_wide::max, wide_larger<T>);
    set(vm_wide::min, wide_smaller<T>);
    set(vm_wide::sqdiff, wide_sqdiff<T>);
    set(vm_wide::equal, wide_equal<T>);
    set(vm_wide::greater, wide_greater<T>);
    set(vm_wide::less, wide_less<T>);
    set(vm_wide::logical_and, wide_both<T>);
    set(vm_wide::logical_or, wide_either<T>);
    set(vm_wide::logical_xor, wide_differ<T>);
    set(vm_wide::abs, wide_abs<T>);
    set(vm_wide::neg, wide_neg<T>);
    set(vm_wide::relu, wide_relu<T>);
    set(vm_wide::logical_not, wide_not<T>);
    set(vm_wide::sign, wide_sign<T>);
    set(vm_wide::where, wide_where<T>);
    set(vm_wide::clip, wide_clip<T>);
}

template <class To, class From, class F>
void cast_tile(const vm_args& args, F f) {
    const From* x = static_cast<const From*>(args.src[0]);
    To* y = static_cast<To*>(args.dst);
#pragma GCC ivdep
    for (int64_t i = 0; i < args.n; ++i)
        y[i] = f(x[i]);
}

template <class From>
int64_t truncate(From x) {
    if (x != x)
        return 0;
    if (x >= From(0x1p63))
        return INT64_MAX;
    return x < From(-0x1p63) ? INT64_MIN : int64_t(x);
}

template <class To, class From>
void plain_cast(const vm_args& args) {
    cast_tile<To, From>(args, [](From x) { return To(x); });
}

void saturating_cast(const vm_args& args) {
    cast_tile<float, double>(args, [](double x) {
        constexpr double top = 0x1.fffffep127;
        const double inside = x > top ? top : x < -top ? -top : x;
        return float(__builtin_fabs(x) == __builtin_inf() ? x : inside);
    });
}

template <class From>
void truncating_cast(const vm_args& args) {
    cast_tile<int64_t, From>(args, [](From x) { return truncate(x); });
}

template <class From>
void truth_cast(const vm_args& args) {
    cast_tile<float, From>(args, [](From x) { return x != 0 ? 1.0f : 0.0f; });
}

} // namespace

void fill_nest_wide(nest_kernels& k) {
    fill_wide<double>(k.wide_f64);
    fill_wide<int64_t>(k.wide_i64);
    k.wide_f64[int(vm_wide::sqrt)] = sqrt_f64;
    k.wide_i64[int(vm_wide::bitwise_and)] = bitwise_and_i64;
    k.wide_i64[int(vm_wide::wrap_u8)] = wrap_tile<uint8_t>;
    k.wide_i64[int(vm_wide::wrap_i8)] = wrap_tile<int8_t>;
    k.wide_i64[int(vm_wide::wrap_u16)] = wrap_tile<uint16_t>;
    k.wide_i64[int(vm_wide::wrap_i16)] = wrap_tile<int16_t>;
    k.wide_i64[int(vm_wide::wrap_u32)] = wrap_tile<uint32_t>;
    k.wide_i64[int(vm_wide::wrap_i32)] = wrap_tile<int32_t>;
    const auto set = [&](vm_cast c, vm_fn fn) { k.cast[int(c)] = fn; };
    set(vm_cast::f32_f64, plain_cast<double, float>);
    set(vm_cast::f64_f32, saturating_cast);
    set(vm_cast::i64_f32, plain_cast<float, int64_t>);
    set(vm_cast::i64_f64, plain_cast<double, int64_t>);
    set(vm_cast::f32_i64, truncating_cast<float>);
    set(vm_cast::f64_i64, truncating_cast<double>);
    set(vm_cast::f64_truth, truth_cast<double>);
    set(vm_cast::i64_truth, truth_cast<int64_t>);
}

} // namespace migraphx::cpu::KERNEL_ISA
