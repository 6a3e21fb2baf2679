// SPDX-License-Identifier: MIT
// Chains of cheap float operators: blocks of several vectors stay in registers from the first
// operand to the last step, so a chain of any length reads and writes its tile once.

#include "targets/cpu/kernels/nest_parts.hpp"
#include "targets/cpu/kernels/nest_round.hpp"
#include "targets/cpu/kernels/vec.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

using namespace vec;

constexpr int chain_block = 8; // vectors

struct chain_sources {
    const float* const* p;
    uint32_t splats;

    bool is_splat(int k) const { return (splats >> k & 1) != 0; }
};

// N vectors from element `at` on, or one partial vector of `part` lanes.
template <int N, bool Partial>
struct chain_window {
    int64_t at;
    int part;

    MIGRAPHX_VEC_INLINE vf load(const float* p, int b) const {
        if constexpr (Partial)
            return vec::load_part(p + at, part);
        else
            return vec::load(p + at + b * vf_width);
    }
    MIGRAPHX_VEC_INLINE void store(float* p, int b, vf v) const {
        if constexpr (Partial)
            store_part(p + at, v, part);
        else
            vec::store(p + at + b * vf_width, v);
    }
};

template <int N, class F>
MIGRAPHX_VEC_INLINE void unary(vf (&a)[N], F f) {
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b)
        a[b] = f(a[b]);
}

template <int N, class W, class F>
MIGRAPHX_VEC_INLINE void binary(vf (&a)[N], const W& w, const chain_sources& s, int x, F f) {
    const float* px = s.p[x];
    if (s.is_splat(x)) {
        const vf v = splat(*px);
#pragma GCC unroll 8
        for (int b = 0; b < N; ++b)
            a[b] = f(a[b], v);
    } else {
#pragma GCC unroll 8
        for (int b = 0; b < N; ++b)
            a[b] = f(a[b], w.load(px, b));
    }
}

template <int N, class W, class F>
MIGRAPHX_VEC_INLINE void ternary(vf (&a)[N], const W& w, const chain_sources& s, int x, int y,
                                 F f) {
    const float* py = s.p[y];
    if (s.is_splat(y)) {
        const vf v = splat(*py);
        binary(
            a, w, s,
            x, [&](vf acc, vf vx) __attribute__((always_inline)) { return f(acc, vx, v); });
        return;
    }
    const float* px = s.p[x];
    const bool x_is_splat = s.is_splat(x);
    const vf fixed = splat(*px);
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b)
        a[b] = f(a[b], x_is_splat ? fixed : w.load(px, b), w.load(py, b));
}

#define STEP(...) [](__VA_ARGS__) __attribute__((always_inline))

template <int N, bool Partial>
MIGRAPHX_VEC_INLINE void run_window(const vm_args& args, const chain_program& program,
                                    chain_window<N, Partial> w) {
    const chain_sources s{reinterpret_cast<const float* const*>(args.src), args.splats};
    vf a[N];
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b)
        a[b] = w.load(s.p[0], b);
    const chain_step* end = program.steps + program.count;
    for (const chain_step* t = program.steps; t != end; ++t) {
        const int x = t->x;
        const int y = t->y;
        switch (t->op) {
        case chain_op::add:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return p + q; });
            break;
        case chain_op::sub:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return p - q; });
            break;
        case chain_op::rsub:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return q - p; });
            break;
        case chain_op::mul:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return p * q; });
            break;
        case chain_op::div:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return p / q; });
            break;
        case chain_op::rdiv:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return q / p; });
            break;
        case chain_op::max:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return vec::max(p, q); });
            break;
        case chain_op::min:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return vec::min(p, q); });
            break;
        case chain_op::sqdiff:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return (p - q) * (p - q); });
            break;
        case chain_op::prelu:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return p < 0.0f ? p * q : p; });
            break;
        case chain_op::rprelu:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return q < 0.0f ? p * q : q; });
            break;
        case chain_op::leaky_relu:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return p > 0.0f ? p : p * q; });
            break;
        case chain_op::equal:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return one_where(p == q); });
            break;
        case chain_op::greater:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return one_where(p > q); });
            break;
        case chain_op::less:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return one_where(p < q); });
            break;
        case chain_op::logical_and:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return one_where((p != 0.0f) & (q != 0.0f)); });
            break;
        case chain_op::logical_or:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return one_where((p != 0.0f) | (q != 0.0f)); });
            break;
        case chain_op::logical_xor:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return one_where((p != 0.0f) ^ (q != 0.0f)); });
            break;
        case chain_op::where_cond:
            ternary(
                a, w, s, x, y, STEP(vf c, vf p, vf q) { return c != 0.0f ? p : q; });
            break;
        case chain_op::where_then:
            ternary(
                a, w, s, x, y, STEP(vf p, vf c, vf q) { return c != 0.0f ? p : q; });
            break;
        case chain_op::where_else:
            ternary(
                a, w, s, x, y, STEP(vf q, vf c, vf p) { return c != 0.0f ? p : q; });
            break;
        case chain_op::clip:
            ternary(
                a, w, s, x, y, STEP(vf p, vf lo, vf hi) { return vec::min(vec::max(p, lo), hi); });
            break;
        case chain_op::mul_add:
            ternary(
                a, w, s, x, y, STEP(vf p, vf q, vf r) { return fma(p, q, r); });
            break;
        case chain_op::max_number:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return raw_max(q, p); });
            break;
        case chain_op::min_number:
            binary(
                a, w, s, x, STEP(vf p, vf q) { return raw_min(q, p); });
            break;
        case chain_op::clip_number:
            ternary(
                a, w, s, x, y, STEP(vf p, vf lo, vf hi) { return raw_min(hi, raw_max(lo, p)); });
            break;
        case chain_op::abs:
            unary(
                a, STEP(vf p) { return vec::abs(p); });
            break;
        case chain_op::neg:
            unary(
                a, STEP(vf p) { return -p; });
            break;
        case chain_op::relu:
            unary(
                a, STEP(vf p) { return raw_max(splat(0.0f), p); });
            break;
        case chain_op::logical_not:
            unary(
                a, STEP(vf p) { return one_where(p == 0.0f); });
            break;
        case chain_op::sign:
            unary(
                a, STEP(vf p) { return one_where(p > 0.0f) - one_where(p < 0.0f); });
            break;
        case chain_op::square:
            unary(
                a, STEP(vf p) { return p * p; });
            break;
        case chain_op::sqrt:
            unary(
                a, STEP(vf p) { return vec::sqrt(p); });
            break;
        case chain_op::rsqrt:
            unary(
                a, STEP(vf p) { return 1.0f / vec::sqrt(p); });
            break;
        case chain_op::recip:
            unary(
                a, STEP(vf p) { return 1.0f / p; });
            break;
        case chain_op::ceil:
            unary(
                a, STEP(vf p) { return vec::ceil(p); });
            break;
        case chain_op::floor:
            unary(
                a, STEP(vf p) { return vec::floor(p); });
            break;
        case chain_op::nearbyint:
            unary(
                a, STEP(vf p) { return nearest(p); });
            break;
        case chain_op::isnan:
            unary(
                a, STEP(vf p) { return one_where(p != p); });
            break;
        case chain_op::isinf:
            unary(
                a, STEP(vf p) { return one_where(vec::abs(p) == float_infinity); });
            break;
        case chain_op::positive:
            unary(
                a, STEP(vf p) { return one_where(p > 0.0f); });
            break;
        case chain_op::nonzero:
            unary(
                a, STEP(vf p) { return one_where(p != 0.0f); });
            break;
        case chain_op::clamp_finite:
            binary(
                a, w, s, x, STEP(vf p, vf q) {
                    const vf inside = raw_max(-q, raw_min(q, p)); // NaN stays
                    return vec::abs(p) == float_infinity ? p : inside;
                });
            break;
        case chain_op::round_half:
            unary(
                a, STEP(vf p) { return round_to_half(p); });
            break;
        case chain_op::round_bf16:
            unary(
                a, STEP(vf p) { return round_to_bf16(p); });
            break;
        }
    }
    float* dst = static_cast<float*>(args.dst);
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b)
        w.store(dst, b, a[b]);
}

#undef STEP

__attribute__((noinline)) void run_tail(const vm_args& args, const chain_program& program,
                                        int64_t i) {
    for (; i + vf_width <= args.n; i += vf_width)
        run_window<1, false>(args, program, {i, 0});
    if (i < args.n)
        run_window<1, true>(args, program, {i, int(args.n - i)});
}

void run_chain(const vm_args& args) {
    const chain_program& program = *static_cast<const chain_program*>(args.data);
    int64_t i = 0;
    for (; i + chain_block * vf_width <= args.n; i += chain_block * vf_width)
        run_window<chain_block, false>(args, program, {i, 0});
    if (i < args.n)
        run_tail(args, program, i);
}

} // namespace

void fill_nest(nest_kernels& k) {
    k.chain = run_chain;
    fill_nest_math(k);
    fill_nest_memory(k);
    fill_nest_wide(k);
}

} // namespace migraphx::cpu::KERNEL_ISA
