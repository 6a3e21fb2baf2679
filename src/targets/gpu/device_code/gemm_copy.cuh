// SPDX-License-Identifier: MIT
// Tiles of an operand on their way to shared memory, 16 bytes at a time and a step of k after the
// other. What a thread copies differs between steps by constants, so that a copy is an addition.
#pragma once
#include "tensor_cores.cuh"

namespace mgx {

// `Lines` lines of `Length` neighbours. Place::at(line, piece): where a piece of 16 bytes lies, in
// pieces; it repeats every eight lines but for a constant.
template <class T, int Threads, int Lines, int Length, class Place>
class line_copier {
    static constexpr int V = 16 / sizeof(T), pieces = Length / V;
    static constexpr int each = Lines * pieces / Threads, gap = Threads / pieces;
    static_assert(Threads % pieces == 0 && Lines * pieces % Threads == 0 && gap % 8 == 0,
                  "every thread copies the same piece of lines a multiple of eight apart");

    const T* source;
    i64 between, next;
    int line, first, target;
    bool whole;

public:
    // `step`: from one line to the next; `advance`: from one step of k to the next.
    MGX_DEVICE line_copier(const T* from, i64 step, i64 advance)
        : between(gap * step), next(advance) {
        const int me = static_cast<int>(threadIdx.x);
        line = me / pieces;
        first = me % pieces * V;
        target = Place::at(line, me % pieces) * V;
        source = from + line * step + first;
        whole = (reinterpret_cast<u64>(from) | static_cast<u64>(step * i64(sizeof(T))) |
                 static_cast<u64>(advance * i64(sizeof(T)))) %
                    16 ==
                0;
    }

    // The next step: `lines` lines of `length` elements exist, the others are 0.
    MGX_DEVICE void fetch(T* to, int lines, int length) {
        const int left = length - first;
        const int count = left < 0 ? 0 : (left < V ? left : V);
        const T* at = source;
        source += next;
        constexpr int step = (Place::at(gap, 0) - Place::at(0, 0)) * V;
        T* const first_target = to + target;
        if (whole) {
#pragma unroll
            for (int u = 0; u < each; u++, at += between)
                copy_16_async(first_target + u * step, at,
                              line + u * gap < lines ? count * static_cast<int>(sizeof(T)) : 0);
            return;
        }
        for (int u = 0; u < each; u++, at += between) {
            const int here = line + u * gap < lines ? count : 0;
#pragma unroll
            for (int i = 0; i < V; i++)
                first_target[u * step + i] = i < here ? at[i] : T{};
        }
    }
};

} // namespace mgx
