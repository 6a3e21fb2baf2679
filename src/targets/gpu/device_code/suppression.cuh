// SPDX-License-Identifier: MIT
// Boxes by falling score that no chosen box overlaps by more than a limit, for each line (a batch's
// class). A block goes through a line's boxes in tiles: each box of a tile is compared with those
// that are chosen already, then a matrix of bits says which of the tile overlap, and one thread
// reads off the chosen ones in order.
#pragma once
#include "scan.cuh"

namespace mgx {

template <class I>
struct suppression_params {
    index_divider<I> classes;
    I box_steps[3]; // of a batch, a box, a coordinate
    I lines, count; // count: boxes of a line
    I rows;         // of the result
    I chosen;       // where the list of chosen boxes begins, in bytes
};

template <class N>
struct corners {
    N x0, y0, x1, y1;

    MGX_DEVICE N area() const { return greatest((N)0, x1 - x0) * greatest((N)0, y1 - y0); }
    MGX_DEVICE bool overlaps(const corners& o, N limit) const {
        const corners both{greatest(x0, o.x0), greatest(y0, o.y0), least(x1, o.x1),
                           least(y1, o.y1)};
        const N shared = both.area(), all = area() + o.area() - shared;
        return (all > 0 ? shared / all : (N)0) > limit;
    }
};

// Center: (x center, y center, width, height), else two corners (y, x, y, x).
template <bool Center, class N, class T>
MGX_DEVICE corners<N> read_corners(const T* p, i64 step) {
    const N a = convert<N>(p[0]), b = convert<N>(p[step]), c = convert<N>(p[2 * step]),
            d = convert<N>(p[3 * step]);
    if constexpr (Center)
        return {a - c / 2, b - d / 2, a + c / 2, b + d / 2};
    else
        return {least(b, d), least(a, c), greatest(b, d), greatest(a, c)};
}

// scores, order: of each line, sorted. counts[line] becomes the number of the chosen ones.
template <bool Center, bool Threshold, class T, class S, class I>
MGX_DEVICE void choose_boxes(const T* boxes, const S* scores, const i64* order, char* scratch,
                             i64 most, f64 limit, f64 threshold, const suppression_params<I>& p) {
    using number = typename choose<same<T, f64>, f64, f32>::type;
    constexpr int tile = 256, words = tile / 32;
    __shared__ corners<number> here[tile], others[tile];
    __shared__ u32 overlapped[tile][words], candidates[words];
    __shared__ u32 kept;
    I* counts = reinterpret_cast<I*>(scratch);
    const int t = static_cast<int>(threadIdx.x);
    for (I line = blockIdx.x; line < p.lines; line += gridDim.x) {
        const T* mine = boxes + static_cast<i64>(p.classes.quotient(line)) * p.box_steps[0];
        const i64 begin = static_cast<i64>(line) * p.count;
        u32* chosen = reinterpret_cast<u32*>(scratch + p.chosen) + begin;
        const auto corners_of = [&](i64 index) {
            return read_corners<Center, number>(mine + index * p.box_steps[1], p.box_steps[2]);
        };
        u32 found = 0;
        for (I start = 0; start < p.count && found < most; start += tile) {
            const I j = start + t;
            bool candidate = j < p.count, last = true; // no higher score comes after it
            if (Threshold && candidate) {
                const f64 score = convert<f64>(scores[begin + j]);
                candidate = score > threshold;
                last = score == score; // what is no number comes first
            }
            // Later ones have lower scores.
            if (block_reduce(candidate || !last ? 1 : 0, 0, add_op{}) == 0)
                break;
            corners<number> box{};
            if (candidate)
                box = corners_of(order[begin + j]);
            for (u32 k = 0; k < found; k += tile) {
                const u32 n = found - k < tile ? found - k : tile;
                __syncthreads();
                if (static_cast<u32>(t) < n)
                    others[t] = corners_of(chosen[k + t]);
                __syncthreads();
                for (u32 i = 0; i < n && candidate; i++)
                    candidate = !others[i].overlaps(box, static_cast<number>(limit));
            }
            const lane_mask alive = ballot(candidate);
            if (t % 32 == 0)
                candidates[t / 32] = static_cast<u32>(alive >> (lane_id() & 32));
            here[t] = box;
            __syncthreads();
            if (candidate)
                for (int w = t / 32; w < words; w++) {
                    u32 bits = 0;
                    for (int i = 0; i < 32; i++)
                        if (w * 32 + i > t && (candidates[w] >> i & 1u) != 0 &&
                            box.overlaps(here[w * 32 + i], static_cast<number>(limit)))
                            bits |= 1u << i;
                    overlapped[t][w] = bits;
                }
            __syncthreads();
            if (t == 0) {
                u32 gone[words] = {};
                for (int w = 0; w < words; w++)
                    for (u32 left = candidates[w] & ~gone[w]; left != 0 && found < most;
                         left &= ~gone[w]) {
                        const int i = count_bits((left & (0u - left)) - 1u);
                        const int box_number = w * 32 + i;
                        for (int v = w; v < words; v++)
                            gone[v] |= overlapped[box_number][v];
                        gone[w] |= 1u << i;
                        chosen[found++] = static_cast<u32>(order[begin + start + box_number]);
                    }
                kept = found;
            }
            __syncthreads();
            found = kept;
        }
        if (t == 0)
            counts[line] = found;
        __syncthreads();
    }
}

// Rows (batch, class, box) behind those of the lines before; zeros after the last one.
template <class I>
MGX_DEVICE void write_chosen(i64* y, const char* scratch, const suppression_params<I>& p) {
    const I* first = reinterpret_cast<const I*>(scratch);
    const u32* chosen = reinterpret_cast<const u32*>(scratch + p.chosen);
    for (I line = blockIdx.x; line < p.lines; line += gridDim.x) {
        const I batch = p.classes.quotient(line);
        const I n = first[line + 1] - first[line];
        for (I k = threadIdx.x; k < n; k += blockDim.x) {
            const i64 row = static_cast<i64>(first[line]) + k;
            if (row >= p.rows)
                break;
            y[3 * row] = batch;
            y[3 * row + 1] = line - batch * p.classes.size();
            y[3 * row + 2] = chosen[static_cast<i64>(line) * p.count + k];
        }
    }
    for (i64 i = 3 * static_cast<i64>(first[p.lines]) + first_position<i64>();
         i < 3 * static_cast<i64>(p.rows); i += position_step<i64>())
        y[i] = 0;
}

} // namespace mgx
