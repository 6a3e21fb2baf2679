// SPDX-License-Identifier: MIT
// Preloaded into a process (LD_PRELOAD), makes it see a processor of LIMIT_ISA (avx2 or baseline): CPUID
// faults, and the handler answers without the features above that level. So engines without a switch of
// their own choose the kernels that such a processor would get. Needs Linux on a processor with CPUID
// faulting (`cpuid_fault` in /proc/cpuinfo); ends the process with status 3 where there is none. Leaves
// and bits: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(n) (1u << (n))

static int avx_hidden;

static long cpuid_allowed(int yes) {
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, yes);
}

static void hide(uint32_t leaf, uint32_t part, uint32_t r[4]) {
    uint32_t *a = &r[0], *b = &r[1], *c = &r[2], *d = &r[3];
    if (leaf == 7 && part == 0) {
        *b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31)); // AVX-512
        *c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14));                                // its later parts
        *d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));             // and AMX
        if (avx_hidden)
            *b &= ~(BIT(3) | BIT(5) | BIT(8)); // BMI, AVX2
        if (avx_hidden)
            *c &= ~(BIT(9) | BIT(10)); // VAES, VPCLMULQDQ
    } else if (leaf == 7) {
        *a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23));         // AVX-VNNI, bf16, AMX-FP16, AVX-IFMA
        *d &= ~(BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19)); // other AVX-VNNI, AVX-NE-CONVERT, AVX10
    } else if (leaf == 1 && avx_hidden) {
        *c &= ~(BIT(12) | BIT(28) | BIT(29)); // FMA, AVX, F16C
    } else if (leaf == 0xd && part == 0) {
        *a &= ~(BIT(5) | BIT(6) | BIT(7) | BIT(17) | BIT(18) | (avx_hidden ? BIT(2) : 0u)); // saved state
    } else if (leaf == 0x1d || leaf == 0x1e || leaf == 0x24) {
        memset(r, 0, 4 * sizeof(r[0])); // tiles, AVX10
    }
}

static void answer(int number, siginfo_t* info, void* context) {
    (void)info;
    greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
    const unsigned char* code = (const unsigned char*)regs[REG_RIP];
    // Where memory faulted, the same instruction faults again, and the process ends as it would have.
    const int may_be = info->si_code == SI_KERNEL;
    if (!may_be || code[0] != 0x0f || code[1] != 0xa2) {
        signal(number, SIG_DFL);
        return;
    }
    const uint32_t leaf = (uint32_t)regs[REG_RAX], part = (uint32_t)regs[REG_RCX];
    uint32_t r[4];
    cpuid_allowed(1);
    __cpuid_count(leaf, part, r[0], r[1], r[2], r[3]);
    cpuid_allowed(0);
    hide(leaf, part, r);
    regs[REG_RAX] = r[0];
    regs[REG_RBX] = r[1];
    regs[REG_RCX] = r[2];
    regs[REG_RDX] = r[3];
    regs[REG_RIP] += 2;
}

__attribute__((constructor)) static void limit(void) {
    const char* level = getenv("LIMIT_ISA");
    if (level == NULL || (strcmp(level, "avx2") != 0 && strcmp(level, "baseline") != 0)) {
        fprintf(stderr, "LIMIT_ISA: avx2 or baseline was expected, got '%s'\n", level ? level : "");
        _exit(3);
    }
    avx_hidden = level[0] == 'b';
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    if (sigaction(SIGSEGV, &action, NULL) != 0 || cpuid_allowed(0) != 0) {
        fprintf(stderr, "CPUID cannot be made to fault here: see cpuid_fault in /proc/cpuinfo\n");
        _exit(3);
    }
}
