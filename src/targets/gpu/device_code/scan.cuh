// SPDX-License-Identifier: MIT
// Running sums and products along an axis; positions that a running count numbers, such as those of
// nonzero elements.
#pragma once
#include "walk.cuh"

namespace mgx {

// Integers wrap round, as they do in the element type.
template <class T>
using scan_number = typename choose<is_float<T>, compute<T>, u64>::type;

struct scan_sum {
    template <class N>
    static MGX_DEVICE N identity() {
        return 0;
    }
    template <class N>
    MGX_DEVICE N operator()(N a, N b) const {
        return a + b;
    }
};
struct scan_product {
    template <class N>
    static MGX_DEVICE N identity() {
        return 1;
    }
    template <class N>
    MGX_DEVICE N operator()(N a, N b) const {
        return a * b;
    }
};

// Tensors: output, input. `step`: along the line.
template <int R, class I>
struct scan_params {
    walk<R, 2, I> lines;
    I step[2];
    I count; // of lines
    I length;
};

// A thread for each line.
template <class Op, bool exclusive, bool backwards, class T, int R, class I>
MGX_DEVICE void scan_lines(T* y, const T* x, const scan_params<R, I>& p) {
    using number = scan_number<T>;
    const Op op;
    for (I line = first_position<I>(); line < p.count; line += position_step<I>()) {
        I at[2];
        p.lines.offsets(line, at);
        number total = Op::template identity<number>();
        for (I k = 0; k < p.length; k++) {
            const I i = backwards ? p.length - 1 - k : k;
            const number before = total;
            total = op(total, convert<number>(x[at[1] + (i64)i * p.step[1]]));
            y[at[0] + (i64)i * p.step[0]] = convert<T>(exclusive ? before : total);
        }
    }
}

// The value of the thread before this one, `first` for the first. All threads of the block call it.
template <class N>
MGX_DEVICE N from_thread_before(N x, N first) {
    __shared__ N values[1024];
    __syncthreads();
    values[threadIdx.x] = x;
    __syncthreads();
    return threadIdx.x == 0 ? first : values[threadIdx.x - 1];
}

// A block for each line: every thread has `each` neighbours at a time.
template <class Op, bool exclusive, bool backwards, class T, int R, class I>
MGX_DEVICE void scan_line_by_block(T* y, const T* x, const scan_params<R, I>& p) {
    using number = scan_number<T>;
    constexpr int each = 4;
    const Op op;
    const number identity = Op::template identity<number>();
    for (I line = blockIdx.x; line < p.count; line += gridDim.x) {
        I at[2];
        p.lines.offsets(line, at);
        number carry = identity;
        for (I start = 0; start < p.length; start += (I)blockDim.x * each) {
            const I first = start + (I)threadIdx.x * each;
            number v[each], sum = identity;
#pragma unroll
            for (int k = 0; k < each; k++) {
                const I i = backwards ? p.length - 1 - (first + k) : first + k;
                v[k] = first + k < p.length ? convert<number>(x[at[1] + (i64)i * p.step[1]])
                                            : identity;
                sum = op(sum, v[k]);
            }
            number all = identity;
            const number through = block_scan(sum, identity, op, all);
            number total = op(carry, from_thread_before(through, identity));
#pragma unroll
            for (int k = 0; k < each; k++) {
                const I i = backwards ? p.length - 1 - (first + k) : first + k;
                const number before = total;
                total = op(total, v[k]);
                if (first + k < p.length)
                    y[at[0] + (i64)i * p.step[0]] = convert<T>(exclusive ? before : total);
            }
            carry = op(carry, all);
        }
    }
}

// ---- numbering: each block counts a part, one block adds the counts up, each block numbers its part

// Positions 0 .. n, in parts.
template <class I>
struct counted_parts {
    I n, part, parts;
};

// counts[k] becomes in how many positions of part k it holds.
template <class Holds, class I>
MGX_DEVICE void count_where(Holds holds, I* counts, const counted_parts<I>& p) {
    for (I part = blockIdx.x; part < p.parts; part += gridDim.x) {
        const I first = part * p.part;
        I mine = 0;
        for (I k = threadIdx.x; k < p.part; k += blockDim.x)
            if (first + k < p.n && holds(first + k))
                mine++;
        const I sum = block_reduce(mine, (I)0, add_op{});
        if (threadIdx.x == 0)
            counts[part] = sum;
    }
}

// counts[k] becomes how many there are before part k; counts[parts] how many in all. One block.
template <class I>
MGX_DEVICE void add_up_counts(I* counts, I parts) {
    I carry = 0;
    for (I start = 0; start < parts; start += blockDim.x) {
        const I k = start + (I)threadIdx.x;
        const I mine = k < parts ? counts[k] : 0;
        I all = 0;
        const I through = block_scan(mine, (I)0, add_op{}, all);
        if (k < parts)
            counts[k] = carry + through - mine;
        carry += all;
    }
    if (threadIdx.x == 0)
        counts[parts] = carry;
}

// use(position, whether it holds there, how many there are up to there, itself included).
template <class Holds, class Use, class I>
MGX_DEVICE void number_where(Holds holds, Use use, const I* counts, const counted_parts<I>& p) {
    for (I part = blockIdx.x; part < p.parts; part += gridDim.x) {
        const I first = part * p.part;
        I before = counts[part];
        for (I start = 0; start < p.part; start += blockDim.x) {
            const I i = first + start + (I)threadIdx.x;
            const bool inside = i < p.n && start + (I)threadIdx.x < p.part;
            const bool here = inside && holds(i);
            I all = 0;
            const I through = block_scan((I)here, (I)0, add_op{}, all);
            if (inside)
                use(i, here, before + through);
            before += all;
        }
    }
}

template <int R, int D, class I>
struct nonzero_params {
    walk<R, 1, I> at;         // in row-major order
    index_divider<I> lens[D]; // of the dimensions, for the indices
    counted_parts<I> parts;
    I columns;
};

template <class T, int R, int D, class I>
struct nonzero_at {
    const T* x;
    const nonzero_params<R, D, I>& p;

    MGX_DEVICE bool operator()(I i) const {
        I at[1];
        p.at.offsets(i, at);
        return !(to_compute(x[at[0]]) == 0);
    }
};
template <class T, int R, int D, class I>
MGX_DEVICE nonzero_at<T, R, D, I> is_nonzero(const T* x, const nonzero_params<R, D, I>& p) {
    return {x, p};
}

// Exact: the result ends with its last column, wherever its memory does.
template <bool Exact, class T, int R, int D, class I>
MGX_DEVICE void write_nonzero(const T* x, i64* y, const I* counts,
                              const nonzero_params<R, D, I>& p) {
    const I columns = Exact ? counts[p.parts.parts] : p.columns;
    const auto write = [&](I i, bool here, I number) {
        if (!here || number > columns)
            return;
        I rest = i;
#pragma unroll
        for (int d = D - 1; d >= 0; d--) {
            const I q = p.lens[d].quotient(rest);
            y[(i64)d * columns + number - 1] = rest - q * p.lens[d].size();
            rest = q;
        }
    };
    number_where(is_nonzero(x, p), write, counts, p.parts);
    // Columns without an element.
    for (I c = counts[p.parts.parts] + first_position<I>(); c < columns; c += position_step<I>())
#pragma unroll
        for (int d = 0; d < D; d++)
            y[(i64)d * columns + c] = 0;
}

} // namespace mgx
