// SPDX-License-Identifier: MIT
// The distinct elements of a list whose sorted order is known: heads of runs of equal elements are
// numbered; for the order of first occurrence the numbers are then ranked by that.
#pragma once
#include "scan.cuh"

namespace mgx {

// Arrays in the scratch memory, by bytes: how many heads there are before each part, where runs
// begin, where each group occurs first, ranks of positions, counts of ranked positions.
template <class I>
struct unique_params {
    counted_parts<I> parts;
    I starts, firsts, ranks, ranked;

    MGX_DEVICE I* at(char* scratch, I place) const { return reinterpret_cast<I*>(scratch + place); }
};

// NaN equals NaN, zeros of both signs are equal.
template <class T>
struct run_begins {
    const T* sorted;

    template <class I>
    MGX_DEVICE bool operator()(I i) const {
        if (i == 0)
            return true;
        const auto a = to_compute(sorted[i - 1]), b = to_compute(sorted[i]);
        return !(a == b || (a != a && b != b));
    }
};
template <class T>
MGX_DEVICE run_begins<T> begins_run(const T* sorted) {
    return {sorted};
}

template <class T, class I>
MGX_DEVICE void number_groups(const T* sorted, const i64* order, i64* inverse, char* scratch,
                              const unique_params<I>& p) {
    I* const starts = p.at(scratch, p.starts);
    I* const firsts = p.at(scratch, p.firsts);
    number_where(
        begins_run(sorted),
        [&](I i, bool here, I number) {
            inverse[order[i]] = number - 1;
            if (here) {
                starts[number - 1] = i;
                firsts[number - 1] = (I)order[i];
            }
            if (i == p.parts.n - 1)
                starts[number] = p.parts.n;
        },
        p.at(scratch, 0), p.parts);
}

// A rank for each position that is a group's first.
template <class I>
MGX_DEVICE void clear_ranks(char* scratch, const unique_params<I>& p) {
    for (I i = first_position<I>(); i < p.parts.n; i += position_step<I>())
        p.at(scratch, p.ranks)[i] = 0;
}
template <class I>
MGX_DEVICE void mark_firsts(char* scratch, const unique_params<I>& p) {
    const I found = p.at(scratch, 0)[p.parts.parts];
    for (I g = first_position<I>(); g < found; g += position_step<I>())
        p.at(scratch, p.ranks)[p.at(scratch, p.firsts)[g]] = 1;
}
template <class I>
struct has_mark {
    const I* ranks;

    MGX_DEVICE bool operator()(I i) const { return ranks[i] != 0; }
};
template <class I>
MGX_DEVICE has_mark<I> is_marked(char* scratch, const unique_params<I>& p) {
    return {p.at(scratch, p.ranks)};
}
template <class I>
MGX_DEVICE void rank_firsts(char* scratch, const unique_params<I>& p) {
    number_where(
        is_marked(scratch, p),
        [ranks = p.at(scratch, p.ranks)](I i, bool here, I number) {
            if (here)
                ranks[i] = number - 1;
        },
        p.at(scratch, p.ranked), p.parts);
}

template <bool Sorted, class T, class I>
MGX_DEVICE void write_groups(const T* x, T* y, i64* first, i64* inverse, i64* counts, char* scratch,
                             const unique_params<I>& p) {
    const I found = p.at(scratch, 0)[p.parts.parts];
    const I* const starts = p.at(scratch, p.starts);
    const I* const firsts = p.at(scratch, p.firsts);
    const I* const ranks = p.at(scratch, p.ranks);
    for (I g = first_position<I>(); g < found; g += position_step<I>()) {
        const I to = Sorted ? g : ranks[firsts[g]];
        y[to] = x[firsts[g]];
        first[to] = firsts[g];
        counts[to] = starts[g + 1] - starts[g];
    }
    if constexpr (!Sorted)
        for (I i = first_position<I>(); i < p.parts.n; i += position_step<I>())
            inverse[i] = ranks[firsts[inverse[i]]];
}

} // namespace mgx
