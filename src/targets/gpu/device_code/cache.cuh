// SPDX-License-Identifier: MIT
// Rows of a cache of keys or values replaced, from a position on that each batch has of its own.
// Elements of E bytes, B bytes at a time. Device code cannot fail: what would lie outside is not
// written.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

template <int R, class I>
struct cache_params {
    walk<R, 5, I> at; // y, cache, update (at its row 0), the position's place, the row
    I update_row;     // the update's step from row to row, in accesses
    I rows;           // of the update
    I room;           // rows of the cache
    I circular;
    I n;
};

// y = cache, but rows position, position + 1, ... are those of the update. Where y is the cache,
// only these are touched. A null `positions` stands for zeros.
template <int B, int E, class P, int R, class I>
MGX_DEVICE void replace_rows(char* y, const char* cache, const char* update, const P* positions,
                             const cache_params<R, I>& p) {
    const bool aligned = aligned_to<B>(y) && aligned_to<B>(cache) && aligned_to<B>(update);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[5];
        p.at.offsets(i, at);
        const i64 first = positions == nullptr ? 0 : static_cast<i64>(positions[at[3]]);
        i64 row = static_cast<i64>(at[4]) - first;
        if (row < 0 && p.circular != 0)
            row += p.room;
        if (row >= 0 && row < p.rows)
            store_elements<B, E>(
                y + static_cast<i64>(at[0]) * B,
                load_elements<B, E>(
                    update + (static_cast<i64>(at[2]) + row * p.update_row) * B, aligned),
                aligned);
        else if (y != cache)
            store_elements<B, E>(
                y + static_cast<i64>(at[0]) * B,
                load_elements<B, E>(cache + static_cast<i64>(at[1]) * B, aligned), aligned);
    }
}

} // namespace mgx
