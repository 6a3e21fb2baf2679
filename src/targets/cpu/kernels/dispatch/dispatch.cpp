// SPDX-License-Identifier: MIT
// Chooses the kernel table once, by CPUID or by MIGRAPHX_CPU_ISA.

#include "targets/cpu/kernels/dispatch/processor.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

#include "base/settings.hpp"

#include <migraphx/errors.hpp>

#include <string>

#if defined(__x86_64__) || defined(__i386__)
#define MIGRAPHX_CPU_X86 1
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif
#else
#define MIGRAPHX_CPU_X86 0
#endif

namespace migraphx::cpu {

// Two lines per kernel family: the declaration and the call.
#define DECLARE_LEVEL(level)                                                                       \
    namespace level {                                                                              \
    void fill_copy(copy_kernels&);                                                                 \
    void fill_reduce(reduce_kernels&);                                                             \
    void fill_softmax(softmax_kernels&);                                                           \
    void fill_norm(norm_kernels&);                                                                 \
    void fill_gather(gather_kernels&);                                                             \
    void fill_attention(attention_kernels&);                                                       \
    void fill_small_gemm(small_gemm_kernels&);                                                     \
    void fill_gemm(gemm_kernels&);                                                                 \
    void fill_strassen(gemm_kernels&);                                                             \
    void fill_resize(resize_kernels&);                                                             \
    void fill_recurrent(recurrent_kernels&);                                                       \
    void fill_pooling(pooling_kernels&);                                                           \
    void fill_rotary(rotary_kernels&);                                                             \
    void fill_scan(scan_kernels&);                                                                 \
    void fill_lrn(lrn_kernels&);                                                                   \
    void fill_overlap(overlap_kernels&);                                                           \
    void fill_nest(nest_kernels&);                                                                 \
    void fill_winograd(winograd_kernels&);                                                         \
    void fill_windows(windows_kernels&);                                                           \
    void fill_planes(planes_kernels&);                                                             \
    void fill_separable(separable_kernels&);                                                       \
    }                                                                                              \
    namespace {                                                                                    \
    kernel_table make_##level##_table() {                                                          \
        kernel_table t{};                                                                          \
        level::fill_copy(t.copy);                                                                  \
        level::fill_reduce(t.reduce);                                                              \
        level::fill_softmax(t.softmax);                                                            \
        level::fill_norm(t.norm);                                                                  \
        level::fill_gather(t.gather);                                                              \
        level::fill_attention(t.attention);                                                        \
        level::fill_small_gemm(t.small_gemm);                                                      \
        level::fill_gemm(t.gemm);                                                                  \
        level::fill_strassen(t.gemm);                                                              \
        level::fill_resize(t.resize);                                                              \
        level::fill_recurrent(t.recurrent);                                                        \
        level::fill_pooling(t.pooling);                                                            \
        level::fill_rotary(t.rotary);                                                              \
        level::fill_scan(t.scan);                                                                  \
        level::fill_lrn(t.lrn);                                                                    \
        level::fill_overlap(t.overlap);                                                            \
        level::fill_nest(t.nest);                                                                  \
        level::fill_winograd(t.winograd);                                                          \
        level::fill_windows(t.windows);                                                            \
        level::fill_planes(t.planes);                                                              \
        level::fill_separable(t.separable);                                                        \
        return t;                                                                                  \
    }                                                                                              \
    }

DECLARE_LEVEL(baseline)
#if MIGRAPHX_CPU_X86
DECLARE_LEVEL(avx2)
DECLARE_LEVEL(avx512)
#endif
#undef DECLARE_LEVEL
#if MIGRAPHX_CPU_X86
namespace amx {
void fill_split_product(amx_kernels&);
}
#endif

namespace {

// Level amx is avx512 with matrix tiles. Linux lets a process use their registers, 8 KiB a thread,
// once it has asked for them (arch_prctl, ARCH_REQ_XCOMP_PERM).
bool has_matrix_tiles() {
#if MIGRAPHX_CPU_X86 && defined(__linux__)
    static const bool granted = [] {
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
            return false;
        constexpr unsigned bf16 = 1u << 22, tile = 1u << 24; // of edx
        if ((d & bf16) == 0 or (d & tile) == 0)
            return false;
        constexpr long request_permission = 0x1023, tile_data = 18;
        return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    }();
    return granted;
#else
    return false;
#endif
}

} // namespace

const char* to_string(isa level) {
    switch (level) {
    case isa::avx2:
        return "avx2";
    case isa::avx512:
        return "avx512";
    case isa::amx:
        return "amx";
    case isa::baseline:
        break;
    }
    return "baseline";
}

bool adds_beside_multiplies() {
    static const bool beside = this_processor().adds_aside and isa_supported(isa::avx2);
    return beside;
}

bool isa_supported(isa level) {
#if MIGRAPHX_CPU_X86
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") and __builtin_cpu_supports("fma") and
                      __builtin_cpu_supports("f16c");
    const bool avx512 = avx2 and __builtin_cpu_supports("avx512f") and
                        __builtin_cpu_supports("avx512bw") and
                        __builtin_cpu_supports("avx512dq") and __builtin_cpu_supports("avx512vl");
    switch (level) {
    case isa::avx2:
        return avx2;
    case isa::avx512:
        return avx512;
    case isa::amx:
        return avx512 and has_matrix_tiles();
    case isa::baseline:
        break;
    }
#endif
    return level == isa::baseline;
}

const kernel_table& kernels_for(isa level) {
    if (not isa_supported(level))
        fail(error_kind::unsupported, std::string("MIGRAPHX_CPU_ISA: instructions of level ") +
                                          to_string(level) +
                                          " were expected of this processor, got none");
        // Each table is filled by code of its own level, so only on first use.
#if MIGRAPHX_CPU_X86
    if (level == isa::amx) {
        static const kernel_table table = [] {
            auto t = make_avx512_table();
            amx::fill_split_product(t.amx);
            return t;
        }();
        return table;
    }
    if (level == isa::avx512) {
        static const kernel_table table = make_avx512_table();
        return table;
    }
    if (level == isa::avx2) {
        static const kernel_table table = make_avx2_table();
        return table;
    }
#endif
    static const kernel_table table = make_baseline_table();
    return table;
}

namespace {
isa chosen_isa() {
    static const setting<std::string> forced_level{"MIGRAPHX_CPU_ISA", "",
                                                   "level of instructions for cpu: baseline, avx2, "
                                                   "avx512 or amx (default: the machine's best)"};
    if (const std::string& forced = forced_level; not forced.empty()) {
        for (isa level : isa_levels) {
            if (forced == to_string(level)) {
                kernels_for(level);
                return level;
            }
        }
        fail(error_kind::invalid_argument,
             "MIGRAPHX_CPU_ISA: baseline, avx2, avx512 or amx was expected, got '" + forced + "'");
    }
    for (isa level : {isa::amx, isa::avx512, isa::avx2})
        if (isa_supported(level))
            return level;
    return isa::baseline;
}
} // namespace

isa kernels_isa() {
    static const isa level = chosen_isa();
    return level;
}

const kernel_table& kernels() {
    static const kernel_table& table = kernels_for(kernels_isa());
    return table;
}

const char* isa_name() {
    return to_string(kernels_isa());
}

} // namespace migraphx::cpu
