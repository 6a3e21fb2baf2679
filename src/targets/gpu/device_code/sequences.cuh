// SPDX-License-Identifier: MIT
// Sequences of different lengths along a time axis: states moved to its start or end, and those at a
// sequence's end.
#pragma once
#include "dialect.cuh"
#include "walk.cuh"

namespace mgx {

enum class sequence_move { last, to_start, to_end };

template <int R, class I>
struct sequence_params {
    walk<R, 5, I> at; // y, x at time 0, the length's place, the time, the direction
    I time_step;      // of x
    I steps;
    I reversed; // whether the first direction reads backward; the second always does
    I n;
};

// Zero where a sequence has nothing.
template <sequence_move Move, class T, class L, int R, class I>
MGX_DEVICE void move_sequences(T* y, const T* x, const L* lengths,
                               const sequence_params<R, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[5];
        p.at.offsets(i, at);
        const i64 given = static_cast<i64>(lengths[at[2]]);
        const I length = static_cast<I>(given < 0 ? 0 : given > p.steps ? p.steps : given);
        const bool backward = p.reversed != 0 || at[4] == 1;
        I from = 0;
        bool there = true;
        if constexpr (Move == sequence_move::last) {
            there = length > 0;
            from = backward || length == 0 ? 0 : length - 1;
        } else if constexpr (Move == sequence_move::to_start) {
            there = at[3] < length;
            from = backward ? at[3] + p.steps - length : at[3];
        } else {
            there = at[3] >= p.steps - length;
            from = at[3] - (p.steps - length);
        }
        y[at[0]] = there ? x[static_cast<i64>(at[1]) + static_cast<i64>(from) * p.time_step] : T{};
    }
}

} // namespace mgx
