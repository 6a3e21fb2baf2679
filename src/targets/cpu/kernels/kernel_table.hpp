// SPDX-License-Identifier: MIT
// The table of hand-vectorised kernels, one copy per instruction set level, and its choice at
// start-up.
//
// Each kernels/*.cpp is compiled once per level with -DKERNEL_ISA=<level> into namespace
// migraphx::cpu::<level>, where it defines `void fill_<family>(<family>_kernels&)`.
// To add a family: declare `struct <family>_kernels` (function pointers only) in its own small
// header, include it here, add a member to kernel_table and two lines to dispatch/dispatch.cpp.
#pragma once

#include "targets/cpu/kernels/amx/split_product.hpp"
#include "targets/cpu/kernels/attention.hpp"
#include "targets/cpu/kernels/copy.hpp"
#include "targets/cpu/kernels/gather.hpp"
#include "targets/cpu/kernels/gemm.hpp"
#include "targets/cpu/kernels/lrn.hpp"
#include "targets/cpu/kernels/nest_vm.hpp"
#include "targets/cpu/kernels/norm.hpp"
#include "targets/cpu/kernels/overlap.hpp"
#include "targets/cpu/kernels/planes.hpp"
#include "targets/cpu/kernels/pooling.hpp"
#include "targets/cpu/kernels/recurrent.hpp"
#include "targets/cpu/kernels/reduce.hpp"
#include "targets/cpu/kernels/resize.hpp"
#include "targets/cpu/kernels/rotary.hpp"
#include "targets/cpu/kernels/scan.hpp"
#include "targets/cpu/kernels/separable.hpp"
#include "targets/cpu/kernels/small_gemm.hpp"
#include "targets/cpu/kernels/softmax.hpp"
#include "targets/cpu/kernels/windows.hpp"
#include "targets/cpu/kernels/winograd.hpp"

namespace migraphx::cpu {

// Levels in rising order. avx2 also needs fma and f16c; avx512 needs f, bw, dq and vl; amx adds
// matrix tiles of bf16 (kernels/amx) to avx512.
enum class isa { baseline, avx2, avx512, amx };
inline constexpr isa isa_levels[] = {isa::baseline, isa::avx2, isa::avx512, isa::amx};

// The level that has the same vectors, and nothing beside them.
constexpr isa vector_level(isa level) {
    return level == isa::amx ? isa::avx512 : level;
}

struct kernel_table {
    copy_kernels copy;
    reduce_kernels reduce;
    softmax_kernels softmax;
    norm_kernels norm;
    gather_kernels gather;
    attention_kernels attention;
    small_gemm_kernels small_gemm;
    gemm_kernels gemm;
    resize_kernels resize;
    recurrent_kernels recurrent;
    pooling_kernels pooling;
    rotary_kernels rotary;
    scan_kernels scan;
    lrn_kernels lrn;
    overlap_kernels overlap;
    nest_kernels nest;
    winograd_kernels winograd;
    windows_kernels windows;
    planes_kernels planes;
    separable_kernels separable;
    amx_kernels amx; // null below level amx
};

// True if this build contains the level and the processor (with its operating system) has it.
bool isa_supported(isa level);

const char* to_string(isa level);

// True if vectors are added by other units than those of multiply-adds, so that sums among products
// take no time of theirs: cores of AMD from the first with AVX2 and FMA on (two pipes each,
// "Software Optimization Guide for AMD Family 17h", 2.11, and 19h, 2.11). Those of Intel share
// ports between them.
bool adds_beside_multiplies();

// The table of one level; throws `unsupported` unless isa_supported(level).
const kernel_table& kernels_for(isa level);

// The level in use: the highest supported one, or the one that the environment variable
// MIGRAPHX_CPU_ISA names (baseline, avx2, avx512 or amx); throws when that one is unknown or
// unsupported.
isa kernels_isa();
const kernel_table& kernels();
const char* isa_name();

} // namespace migraphx::cpu
