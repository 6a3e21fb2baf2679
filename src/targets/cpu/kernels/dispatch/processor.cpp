// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/processor.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <cstring>
#endif

namespace migraphx::cpu {

processor detect_processor() {
    processor p;
#if defined(__x86_64__) || defined(__i386__)
    unsigned most = 0, vendor[3] = {};
    if (__get_cpuid(0, &most, &vendor[0], &vendor[2], &vendor[1]) == 0)
        return p;
    // Measured on Zen 4.
    const bool amd = std::memcmp(vendor, "AuthenticAMD", sizeof(vendor)) == 0;
    p.adds_aside = amd;
    p.divides_aside = amd;
    p.fetches_beyond = amd;
#endif
    return p;
}

const processor& this_processor() {
    static const processor p = detect_processor();
    return p;
}

} // namespace migraphx::cpu
