// SPDX-License-Identifier: MIT
// Walks a row-major index over up to 8 axes and keeps one offset for each of several stride sets.
#pragma once

#include <cstdint>

namespace migraphx::cpu::KERNEL_ISA {

template <int Offsets>
struct walker {
    int rank;
    const int64_t* lens;
    const int64_t* steps[Offsets];
    int64_t at[Offsets];
    int64_t index[8];

    // lens[d] > 0 for every axis.
    inline void seek(int64_t item) {
        for (int k = 0; k < Offsets; ++k)
            at[k] = 0;
        for (int d = rank - 1; d >= 0; --d) {
            index[d] = item % lens[d];
            item /= lens[d];
            for (int k = 0; k < Offsets; ++k)
                at[k] += index[d] * steps[k][d];
        }
    }

    // After the last index comes the first again.
    inline void next() {
        for (int d = rank - 1; d >= 0; --d) {
            for (int k = 0; k < Offsets; ++k)
                at[k] += steps[k][d];
            if (++index[d] < lens[d])
                return;
            for (int k = 0; k < Offsets; ++k)
                at[k] -= lens[d] * steps[k][d];
            index[d] = 0;
        }
    }
};

} // namespace migraphx::cpu::KERNEL_ISA
