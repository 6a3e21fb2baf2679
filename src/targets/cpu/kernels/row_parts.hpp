// SPDX-License-Identifier: MIT
// Rows in even parts, and functions of a number of rows that the compiler knows. For kernel files
// only.
#pragma once

#include "targets/cpu/kernels/vec.hpp"

#include <cstdint>

namespace migraphx::cpu::KERNEL_ISA {

// Rows in parts of about the same size.
struct row_parts {
    int64_t count, base, extra;
    // n rows, no part above `most`.
    row_parts(int64_t n, int64_t most) : row_parts(in_parts(n, (n + most - 1) / most)) {}
    static row_parts in_parts(int64_t n, int64_t count) {
        row_parts p;
        p.count = count;
        p.base = count == 0 ? 0 : n / count;
        p.extra = count == 0 ? 0 : n % count;
        return p;
    }
    int64_t start(int64_t i) const { return i * base + (i < extra ? i : extra); }
    int64_t size(int64_t i) const { return base + (i < extra ? 1 : 0); }

private:
    row_parts() = default;
};

template <int N>
struct row_count {
    static constexpr int value = N;
};

// f(row_count<rows>) for rows in [1, Most], with the number known to the compiler.
template <int Most, class F>
MIGRAPHX_VEC_INLINE void with_rows(int64_t rows, F f) {
    static_assert(Most <= 28);
    switch (rows) {
#define MIGRAPHX_ROWS(n)                                                                           \
    case n:                                                                                        \
        f(row_count<(n <= Most ? n : 1)>{});                                                       \
        break;
        MIGRAPHX_ROWS(1)
        MIGRAPHX_ROWS(2)
        MIGRAPHX_ROWS(3)
        MIGRAPHX_ROWS(4)
        MIGRAPHX_ROWS(5)
        MIGRAPHX_ROWS(6)
        MIGRAPHX_ROWS(7)
        MIGRAPHX_ROWS(8)
        MIGRAPHX_ROWS(9)
        MIGRAPHX_ROWS(10)
        MIGRAPHX_ROWS(11)
        MIGRAPHX_ROWS(12)
        MIGRAPHX_ROWS(13)
        MIGRAPHX_ROWS(14)
        MIGRAPHX_ROWS(15)
        MIGRAPHX_ROWS(16)
        MIGRAPHX_ROWS(17)
        MIGRAPHX_ROWS(18)
        MIGRAPHX_ROWS(19)
        MIGRAPHX_ROWS(20)
        MIGRAPHX_ROWS(21)
        MIGRAPHX_ROWS(22)
        MIGRAPHX_ROWS(23)
        MIGRAPHX_ROWS(24)
        MIGRAPHX_ROWS(25)
        MIGRAPHX_ROWS(26)
        MIGRAPHX_ROWS(27)
        MIGRAPHX_ROWS(28)
#undef MIGRAPHX_ROWS
    default:
        break;
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
