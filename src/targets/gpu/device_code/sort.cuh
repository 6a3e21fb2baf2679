// SPDX-License-Identifier: MIT
// The first `keep` elements of rows in sorted order, and where they were. NaN counts as the largest
// number, zeros of both signs as equal; of equal elements the lower index comes first, so there are
// no ties: an element is ranked by a key and its index. Rows of up to C elements are sorted by one
// block (bitonic, in shared memory); longer ones in chunks of C, of which only what may be among
// the first is kept: either sorted again, or merged by ranks in pairs.
#pragma once
#include "walk.cuh"

namespace mgx {

// Keys whose order as unsigned integers is that of the elements.
template <class T>
using order_key = typename choose<sizeof(T) == 8, u64, u32>::type;

template <bool largest, class T>
MGX_DEVICE order_key<T> key_of(T x) {
    using key = order_key<T>;
    const key top = static_cast<key>(1) << (8 * sizeof(key) - 1);
    key k;
    if constexpr (is_float<T>) {
        const auto v = to_compute(x);
        k = v != v ? ~static_cast<key>(0) : bits_as<key>(v == 0 ? v * v : v);
        if (v == v)
            k = (k & top) != 0 ? ~k : k | top;
    } else if constexpr (same<T, bool> || static_cast<T>(-1) > static_cast<T>(0)) {
        k = static_cast<key>(x);
    } else {
        k = static_cast<key>(static_cast<typename choose<sizeof(T) == 8, i64, i32>::type>(x)) ^ top;
    }
    return largest ? ~k : k;
}

template <class K>
struct ranked;
template <>
struct ranked<u32> {
    u64 both;
    static MGX_DEVICE ranked of(u32 key, u32 index) {
        return {static_cast<u64>(key) << 32 | index};
    }
    MGX_DEVICE u32 index() const { return static_cast<u32>(both); }
    MGX_DEVICE bool before(const ranked& o) const { return both < o.both; }
};
template <>
struct ranked<u64> {
    u64 key;
    u64 where;
    static MGX_DEVICE ranked of(u64 key, u32 index) { return {key, index}; }
    MGX_DEVICE u32 index() const { return static_cast<u32>(where); }
    MGX_DEVICE bool before(const ranked& o) const {
        return key < o.key || (key == o.key && where < o.where);
    }
};
// After all elements.
template <class K>
MGX_DEVICE ranked<K> no_element() {
    return ranked<K>::of(~static_cast<K>(0), ~0u);
}

// Ascending; C is a power of 2. All threads of the block call it.
template <int C, class K>
MGX_DEVICE void sort_shared(ranked<K>* s) {
    for (int size = 2; size <= C; size *= 2)
        for (int by = size / 2; by > 0; by /= 2) {
            __syncthreads();
            for (int t = threadIdx.x; t < C / 2; t += blockDim.x) {
                const int low = 2 * t - (t & (by - 1)), high = low + by;
                const ranked<K> a = s[low], b = s[high];
                if (b.before(a) == ((low & size) == 0)) {
                    s[low] = b;
                    s[high] = a;
                }
            }
        }
    __syncthreads();
}

// Rows: offsets in x, values, indices, names. Along a row: the strides.
template <int R, class I>
struct sort_params {
    walk<R, 4, I> rows;
    index_divider<I> chunks; // of a row
    I steps[4];
    I blocks;   // rows * chunks
    I count;    // elements of a row, or what is left of them
    I keep;     // of a chunk
    I from, to; // items of the scratch memory, where ranked elements are read and written
};

// What the results are, element j of a row being ranked `r`.
template <class T, int R, class I, class K>
MGX_DEVICE void write_ranked(const T* x, T* y, i64* indices, const i64* names, const I (&at)[4],
                             const sort_params<R, I>& p, I j, const ranked<K>& r) {
    const i64 i = r.index();
    y[at[1] + j * p.steps[1]] = x[at[0] + i * p.steps[0]];
    indices[at[2] + j * p.steps[2]] = names == nullptr ? i : names[at[3] + i * p.steps[3]];
}

// One chunk for each block. FromItems: of what an earlier launch kept; else of x. Last: there is
// one chunk in a row, and its first `keep` are the result.
template <int C, bool largest, bool FromItems, bool Last, class T, int R, class I>
MGX_DEVICE void sort_chunks(const T* x, T* y, i64* indices, const i64* names, char* scratch,
                            const sort_params<R, I>& p) {
    using key = order_key<T>;
    using item = ranked<key>;
    __shared__ item s[C];
    item* items = reinterpret_cast<item*>(scratch);
    for (I block = blockIdx.x; block < p.blocks; block += gridDim.x) {
        const I row = p.chunks.quotient(block);
        const I first = (block - row * p.chunks.size()) * C;
        I at[4];
        p.rows.offsets(row, at);
        __syncthreads();
        for (int t = threadIdx.x; t < C; t += blockDim.x) {
            const I i = first + t;
            if (i >= p.count)
                s[t] = no_element<key>();
            else if constexpr (FromItems)
                s[t] = items[p.from + row * p.count + i];
            else
                s[t] = item::of(key_of<largest>(x[at[0] + (i64)i * p.steps[0]]), (u32)i);
        }
        sort_shared<C>(s);
        for (I j = threadIdx.x; j < p.keep; j += blockDim.x) {
            if constexpr (Last)
                write_ranked(x, y, indices, names, at, p, j, s[j]);
            else
                items[p.to + block * p.keep + j] = s[j];
        }
    }
}

// Pairs of neighbouring runs of `count` elements become runs of `keep`, at most twice as many.
// `runs` of a row; the last one may have no neighbour.
template <class I>
struct merge_params {
    index_divider<I> positions; // 2 * count
    index_divider<I> pairs;     // of a row
    I n;                        // rows * pairs * positions
    I runs, count, keep;
    I from, to; // items
};
template <class K, class I>
MGX_DEVICE void merge_runs(char* scratch, const merge_params<I>& p) {
    using item = ranked<K>;
    item* items = reinterpret_cast<item*>(scratch);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        const I pair_number = p.positions.quotient(i);
        const I e = i - pair_number * p.positions.size();
        const I row = p.pairs.quotient(pair_number);
        const I pair = pair_number - row * p.pairs.size();
        const item* a = items + p.from + (row * p.runs + 2 * pair) * p.count;
        const item* b = a + p.count;
        const bool alone = 2 * pair + 1 == p.runs;
        const bool second = e >= p.count;
        item mine = no_element<K>();
        I place = e;
        if (!(second && alone))
            mine = a[e];
        if (!alone) {
            // How many of the other run come before: of equal ones (there are only those that stand
            // for nothing) the first run's do.
            const item* other = second ? a : b;
            I low = 0, high = p.count;
            while (low < high) {
                const I middle = (low + high) / 2;
                const bool before =
                    second ? !mine.before(other[middle]) : other[middle].before(mine);
                low = before ? middle + 1 : low;
                high = before ? high : middle;
            }
            place = (second ? e - p.count : e) + low;
        }
        if (place < p.keep)
            items[p.to + pair_number * p.keep + place] = mine;
    }
}

// The first `keep` items of each row's only run of `count`.
template <class T, int R, class I>
MGX_DEVICE void write_sorted(const T* x, T* y, i64* indices, const i64* names, const char* scratch,
                             const sort_params<R, I>& p) {
    const auto* items = reinterpret_cast<const ranked<order_key<T>>*>(scratch) + p.from;
    // `chunks` counts what is kept of a row here.
    for (I i = first_position<I>(); i < p.blocks; i += position_step<I>()) {
        const I row = p.chunks.quotient(i), j = i - row * p.chunks.size();
        I at[4];
        p.rows.offsets(row, at);
        write_ranked(x, y, indices, names, at, p, j, items[row * p.count + j]);
    }
}

} // namespace mgx
