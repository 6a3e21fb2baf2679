// SPDX-License-Identifier: MIT
// Vectors whose operations become instructions of the function under construction: the interface of
// kernels/vec.hpp as far as kernels/vec_math.hpp and kernels/nest_steps.inc use it, so that formulas
// are written once and give equal bits either way.
#pragma once

#include "targets/cpu/jit/llvm/ir.hpp"

#define KERNEL_ISA jit
#define MIGRAPHX_VEC_SYMBOLIC
#define MIGRAPHX_VEC_INLINE inline

namespace migraphx::cpu::jit::vec {

// The function that operators add to; one for each thread.
inline thread_local ir* target = nullptr;

constexpr float float_infinity = __builtin_inff();

struct vf { // float
    value v;
};
struct vi { // int32
    value v;
};
struct mask {
    value v;
};

inline vf splat(float x) {
    return {target->number(elem::f32, x, target->lanes())};
}
inline vi splat_int(int32_t x) {
    return {target->integer(elem::i32, x, target->lanes())};
}
inline vi bits(vf x) {
    return {target->convert(change::bits, x.v, elem::i32)};
}
inline vf from_bits(vi x) {
    return {target->convert(change::bits, x.v, elem::f32)};
}

#define MIGRAPHX_SYMBOLIC_FLOAT(op, code)                                                          \
    inline vf operator op(vf a, vf b) { return {target->apply(code, a.v, b.v)}; }                  \
    inline vf operator op(vf a, float b) { return a op splat(b); }                                 \
    inline vf operator op(float a, vf b) { return splat(a) op b; }
MIGRAPHX_SYMBOLIC_FLOAT(+, binary::fadd)
MIGRAPHX_SYMBOLIC_FLOAT(-, binary::fsub)
MIGRAPHX_SYMBOLIC_FLOAT(*, binary::fmul)
MIGRAPHX_SYMBOLIC_FLOAT(/, binary::fdiv)
#undef MIGRAPHX_SYMBOLIC_FLOAT

#define MIGRAPHX_SYMBOLIC_COMPARE(op, code)                                                        \
    inline mask operator op(vf a, vf b) { return {target->apply(code, a.v, b.v)}; }                \
    inline mask operator op(vf a, float b) { return a op splat(b); }
MIGRAPHX_SYMBOLIC_COMPARE(<, compare::flt)
MIGRAPHX_SYMBOLIC_COMPARE(>, compare::fgt)
MIGRAPHX_SYMBOLIC_COMPARE(==, compare::feq)
MIGRAPHX_SYMBOLIC_COMPARE(!=, compare::fne)
MIGRAPHX_SYMBOLIC_COMPARE(>=, compare::fge)
#undef MIGRAPHX_SYMBOLIC_COMPARE

#define MIGRAPHX_SYMBOLIC_INT(op, code)                                                            \
    inline vi operator op(vi a, vi b) { return {target->apply(code, a.v, b.v)}; }                  \
    inline vi operator op(vi a, int32_t b) { return a op splat_int(b); }
MIGRAPHX_SYMBOLIC_INT(+, binary::add)
MIGRAPHX_SYMBOLIC_INT(-, binary::sub)
MIGRAPHX_SYMBOLIC_INT(&, binary::bit_and)
MIGRAPHX_SYMBOLIC_INT(|, binary::bit_or)
MIGRAPHX_SYMBOLIC_INT(<<, binary::shl)
MIGRAPHX_SYMBOLIC_INT(>>, binary::ashr)
#undef MIGRAPHX_SYMBOLIC_INT

inline mask operator<(vi a, int32_t b) {
    return {target->apply(compare::slt, a.v, splat_int(b).v)};
}
inline mask operator>(vi a, int32_t b) {
    return {target->apply(compare::sgt, a.v, splat_int(b).v)};
}
inline mask operator&(mask a, mask b) {
    return {target->apply(binary::bit_and, a.v, b.v)};
}
inline mask operator|(mask a, mask b) {
    return {target->apply(binary::bit_or, a.v, b.v)};
}
inline mask operator^(mask a, mask b) {
    return {target->apply(binary::bit_xor, a.v, b.v)};
}

inline vf operator-(vf x) {
    return {target->apply(unary::neg, x.v)};
}
inline vf select(mask m, vf a, vf b) {
    return {target->select(m.v, a.v, b.v)};
}
inline vi select(mask m, vi a, vi b) {
    return {target->select(m.v, a.v, b.v)};
}
inline vi wrapping_sub(vi a, vi b) {
    return a - b;
}
inline vf one_where(mask m) {
    return select(m, splat(1.0f), splat(0.0f));
}
inline vf abs(vf x) {
    return from_bits(bits(x) & 0x7fffffff);
}
inline vf copysign(vf magnitude, vf sign) {
    return from_bits((bits(magnitude) & 0x7fffffff) | (bits(sign) & int32_t(0x80000000)));
}
inline vf raw_max(vf x, vf y) {
    return {target->raw_max(x.v, y.v)};
}
inline vf raw_min(vf x, vf y) {
    return {target->raw_min(x.v, y.v)};
}
inline vf max(vf x, vf y) {
    return select(x != x, x, raw_max(x, y));
}
inline vf min(vf x, vf y) {
    return select(x != x, x, raw_min(x, y));
}
inline vf clamp_finite(vf x, vf top) {
    const vf inside = raw_max(-top, raw_min(top, x));
    return select(abs(x) == float_infinity, x, inside);
}
inline vf sqrt(vf x) {
    return {target->apply(unary::sqrt, x.v)};
}
inline vf fma(vf a, vf b, vf c) {
    return {target->fma(a.v, b.v, c.v)};
}
inline vf nearest(vf x) {
    return {target->apply(unary::nearest, x.v)};
}
inline vf floor(vf x) {
    return {target->apply(unary::floor, x.v)};
}
inline vf ceil(vf x) {
    return {target->apply(unary::ceil, x.v)};
}
inline vi to_int(vf x) {
    return {target->to_int(x.v)};
}
inline vf to_float(vi x) {
    return {target->convert(change::sitofp, x.v, elem::f32)};
}
inline vf scale_by_power(vf x, vf n) {
    if (target->level() == isa::avx512)
        return {target->scale_by_power(x.v, n.v)};
    const vi k = to_int(n);
    const vi first = k >> 1;
    const vf a = from_bits((first + 127) << 23);
    const vf b = from_bits((k - first + 127) << 23);
    return x * a * b;
}

// The bits of bf16, in 32.
inline vi bf16_bits(vf x) {
    const vi b = bits(x);
    const vi odd = (b >> 16) & 1;
    const vi rounded = {target->apply(binary::lshr, (b + 0x7fff + odd).v, splat_int(16).v)};
    return select(x != x, (b >> 16) | 0x40, rounded);
}
inline vf round_to_bf16(vf x) {
    return from_bits(bf16_bits(x) << 16);
}

// Vectors of half are i16. The baseline has no instruction for them.
inline vf half_to_float(value halves) {
    if (target->level() != isa::baseline)
        return {target->convert(change::fpext, target->convert(change::bits, halves, elem::f16),
                                elem::f32)};
    const vi h{target->convert(change::zext, halves, elem::i32)};
    const vi magnitude = h & 0x7fff;
    const vi normal = (magnitude << 13) + ((127 - 15) << 23);
    const vi denormal = bits(to_float(magnitude) * 5.9604644775390625e-8f); // 2^-24
    const vi special = (magnitude << 13) | select(magnitude > 0x7c00, splat_int(0x7fc00000),
                                                  splat_int(0x7f800000));
    vi r = select(magnitude < 0x400, denormal, normal);
    r = select(magnitude > 0x7bff, special, r);
    return from_bits(r | ((h & 0x8000) << 16));
}
inline value float_to_half(vf x) {
    if (target->level() != isa::baseline)
        return target->convert(change::bits, target->convert(change::fptrunc, x.v, elem::f16),
                               elem::i16);
    const vi b = bits(x);
    const vi u = b & 0x7fffffff;
    const vi normal = (u - ((127 - 15) << 23) + 0xfff + ((u >> 13) & 1)) >> 13;
    const vi denormal = bits(from_bits(u) + 0.5f) - bits(splat(0.5f));
    vi r = select(u < (113 << 23), denormal, normal);
    r = select(u > 0x477fefff, splat_int(0x7c00), r); // rounds to infinity from 65520 on
    r = select(u > 0x7f800000, ((u >> 13) & 0x3ff) | 0x7e00, r);
    return target->convert(change::trunc, (r | ((b >> 16) & 0x8000)).v, elem::i16);
}
inline vf round_to_half(vf x) {
    return half_to_float(float_to_half(x));
}

} // namespace migraphx::cpu::jit::vec
