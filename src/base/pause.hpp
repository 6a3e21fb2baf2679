// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_GUARD_BASE_PAUSE_HPP
#define MIGRAPHX_GUARD_BASE_PAUSE_HPP

namespace migraphx {

// Between two looks at what another thread is to change.
inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace migraphx
#endif
