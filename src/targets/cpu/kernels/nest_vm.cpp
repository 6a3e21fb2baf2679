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
#define UNARY_STEP(name, expression)                                                               \
    case chain_op::name:                                                                           \
        unary(                                                                                     \
            a, [](vf p) __attribute__((always_inline)) { return expression; });                    \
        break;
#define BINARY_STEP(name, expression)                                                              \
    case chain_op::name:                                                                           \
        binary(                                                                                    \
            a, w, s, x, [](vf p, vf q) __attribute__((always_inline)) { return expression; });     \
        break;
#define TERNARY_STEP(name, expression)                                                             \
    case chain_op::name:                                                                           \
        ternary(                                                                                   \
            a, w, s, x, y, [](vf p, vf q, vf r) __attribute__((always_inline)) {                   \
                return expression;                                                                 \
            });                                                                                    \
        break;
#include "targets/cpu/kernels/nest_steps.inc"
#undef UNARY_STEP
#undef BINARY_STEP
#undef TERNARY_STEP
        }
    }
    float* dst = static_cast<float*>(args.dst);
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b)
        w.store(dst, b, a[b]);
}

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
    fill_nest_folds(k);
    fill_nest_math(k);
    fill_nest_memory(k);
    fill_nest_wide(k);
}

} // namespace migraphx::cpu::KERNEL_ISA
