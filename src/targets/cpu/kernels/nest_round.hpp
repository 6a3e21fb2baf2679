// SPDX-License-Identifier: MIT
// Vectors of half and bf16 elements: conversion to and from vf, rounding to nearest even, NaN kept
// quiet. For kernel files only.
#pragma once

#include "targets/cpu/kernels/vec.hpp"

namespace migraphx::cpu::KERNEL_ISA::vec {

typedef uint16_t vh __attribute__((vector_size(MIGRAPHX_VEC_BYTES / 2))); // vf_width half or bf16

MIGRAPHX_VEC_INLINE vf bf16_to_float(vh x) {
    return from_bits(__builtin_convertvector(x, vi) << 16);
}

MIGRAPHX_VEC_INLINE vi bf16_bits(vf x) {
    const vi b = bits(x);
    const vi rounded = (vi)(((vui)b + 0x7fff + (vui)((b >> 16) & 1)) >> 16);
    return x != x ? (b >> 16) | 0x40 : rounded;
}

MIGRAPHX_VEC_INLINE vh float_to_bf16(vf x) {
    return __builtin_convertvector(bf16_bits(x) & 0xffff, vh);
}
MIGRAPHX_VEC_INLINE vf round_to_bf16(vf x) {
    return from_bits(bf16_bits(x) << 16);
}

#if MIGRAPHX_VEC_BYTES == 64
MIGRAPHX_VEC_INLINE vf half_to_float(vh x) {
    return (vf)_mm512_cvtph_ps((__m256i)x);
}
MIGRAPHX_VEC_INLINE vh float_to_half(vf x) {
    return (vh)_mm512_cvtps_ph((__m512)x, 8);
}
#elif MIGRAPHX_VEC_BYTES == 32
MIGRAPHX_VEC_INLINE vf half_to_float(vh x) {
    return (vf)_mm256_cvtph_ps((__m128i)x);
}
MIGRAPHX_VEC_INLINE vh float_to_half(vf x) {
    return (vh)_mm256_cvtps_ph((__m256)x, 8);
}
#else
MIGRAPHX_VEC_INLINE vf half_to_float(vh x) {
    const vi h = __builtin_convertvector(x, vi) & 0xffff;
    const vi magnitude = h & 0x7fff;
    const vi normal = (magnitude << 13) + ((127 - 15) << 23);
    const vi denormal = bits(to_float(magnitude) * 5.9604644775390625e-8f); // 2^-24
    const vi special =
        (magnitude << 13) | (magnitude > 0x7c00 ? splat_int(0x7fc00000) : splat_int(0x7f800000));
    vi r = magnitude < 0x400 ? denormal : normal;
    r = magnitude >= 0x7c00 ? special : r;
    return from_bits(r | (h & 0x8000) << 16);
}
MIGRAPHX_VEC_INLINE vh float_to_half(vf x) {
    const vi b = bits(x);
    const vi u = b & 0x7fffffff;
    const vi normal = (u - ((127 - 15) << 23) + 0xfff + ((u >> 13) & 1)) >> 13;
    // Adding 0.5 leaves the last bit of the sum at the weight of a half denormal.
    const vi denormal = bits(from_bits(u) + 0.5f) - bits(splat(0.5f));
    vi r = u < (113 << 23) ? denormal : normal;
    r = u >= 0x477ff000 ? splat_int(0x7c00) : r; // rounds to infinity from 65520 on
    r = u > 0x7f800000 ? ((u >> 13) & 0x3ff) | 0x7e00 : r;
    return __builtin_convertvector(r | ((b >> 16) & 0x8000), vh);
}
#endif

MIGRAPHX_VEC_INLINE vf round_to_half(vf x) {
    return half_to_float(float_to_half(x));
}

} // namespace migraphx::cpu::KERNEL_ISA::vec
