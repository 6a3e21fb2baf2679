// SPDX-License-Identifier: MIT
// Normalises reductions to (kept, reduced) axes, picks rows, columns or the general loop, and
// splits few long reductions over threads through partial results.
#include "targets/cpu/kernels/dispatch/run_reduce.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include <migraphx/errors.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace migraphx::cpu {

namespace {

struct reduce_axis {
    int64_t len, src, dst;
};

constexpr int64_t reduce_grain = 64 * 1024; // elements read by a unit of parallel work
constexpr int64_t fewest_in_slices = 64;    // elements of an output

// Merges neighbours that are one axis in memory; slowest first by `key`.
int merge_reduce_axes(reduce_axis* a, int n, bool kept) {
    if (not kept)
        std::stable_sort(a, a + n, [](const reduce_axis& x, const reduce_axis& y) {
            return std::llabs(x.src) > std::llabs(y.src);
        });
    int out = 0;
    for (int i = 0; i < n; ++i) {
        if (out > 0) {
            reduce_axis& last = a[out - 1];
            if (last.src == a[i].src * a[i].len and (not kept or last.dst == a[i].dst * a[i].len)) {
                last = {last.len * a[i].len, a[i].src, a[i].dst};
                continue;
            }
        }
        a[out++] = a[i];
    }
    return out;
}

// partial[i] and the same place of each of the other slices are joined; a loop for each operation.
template <class F>
void join_slices(std::vector<double>& partial, int64_t slices, int64_t outputs, F f) {
    for (int64_t s = 1; s < slices; ++s)
        for (int64_t i = 0; i < outputs; ++i)
            partial[size_t(i)] = f(partial[size_t(i)], partial[size_t(s * outputs + i)]);
}

void join_partials(reduce_op op, std::vector<double>& partial, int64_t slices, int64_t outputs) {
    const auto join = [&](auto f) { join_slices(partial, slices, outputs, f); };
    switch (op) {
    case reduce_op::max:
        return join([](double a, double x) { return x > a or x != x ? x : a; });
    case reduce_op::min:
        return join([](double a, double x) { return x < a or x != x ? x : a; });
    case reduce_op::prod:
        return join([](double a, double x) { return a * x; });
    case reduce_op::all:
        return join([](double a, double x) { return a != 0 and x != 0 ? 1.0 : 0.0; });
    case reduce_op::any:
        return join([](double a, double x) { return a != 0 or x != 0 ? 1.0 : 0.0; });
    default:
        return join([](double a, double x) { return a + x; });
    }
}

using reduce_function = void (*)(const reduce_params&, int64_t, int64_t);

// Slices of the longest reduced axis give partial results that are joined here; how many there are
// depends on sizes only.
void reduce_in_slices(const reduce_params& whole, reduce_function f, bool rows, int64_t units,
                      int64_t outputs) {
    constexpr int64_t fewest = 4, most = 16;
    const int64_t wanted = round_up(whole.count * outputs / (reduce_grain / 2), fewest);
    int longest = -1; // -1: the innermost loop of rows
    int64_t len = rows ? whole.n : 0;
    for (int d = 0; d < whole.reduced_rank; ++d)
        if (whole.reduced_lens[d] > len) {
            len = whole.reduced_lens[d];
            longest = d;
        }
    const int64_t slices = std::min(std::clamp(wanted, fewest, most), len);
    std::vector<double> partial(size_t(slices * outputs));
    parallel_for(slices, 1, [&](int64_t begin, int64_t end) {
        for (int64_t s = begin; s < end; ++s) {
            reduce_params p = whole;
            const int64_t from = len * s / slices;
            const int64_t part = len * (s + 1) / slices - from;
            const int64_t stride = longest < 0 ? p.src_n : p.reduced_src[longest];
            (longest < 0 ? p.n : p.reduced_lens[longest]) = part;
            p.src = static_cast<const float*>(p.src) + from * stride;
            p.partial = partial.data() + s * outputs;
            f(p, 0, units);
        }
    });
    join_partials(whole.op, partial, slices, outputs);
    int64_t index[reduce_params::max_rank] = {};
    const int64_t columns = rows ? 1 : whole.n;
    for (int64_t i = 0; i < outputs; i += columns) {
        int64_t at = 0;
        for (int d = 0; d < whole.kept_rank; ++d)
            at += index[d] * whole.kept_dst[d];
        for (int64_t c = 0; c < columns; ++c) {
            double v = partial[size_t(i + c)];
            if (whole.op == reduce_op::mean)
                v /= double(whole.count);
            static_cast<float*>(whole.dst)[at + c * whole.dst_n] = float(v);
        }
        for (int d = whole.kept_rank - 1; d >= 0; --d) {
            if (++index[d] < whole.kept_lens[d])
                break;
            index[d] = 0;
        }
    }
}

void check_reduce_rank(const char* what, int rank) {
    if (rank > reduce_params::max_rank)
        fail(error_kind::unsupported,
             std::string(what) + ": expected at most 8 dimensions, got " + std::to_string(rank));
}

} // namespace

void run_reduce(reduce_op op, elem_type type, int rank, const int64_t* lens, uint32_t axes_mask,
                const void* src, const int64_t* src_strides, void* dst, const int64_t* dst_strides,
                const kernel_table& table) {
    check_reduce_rank("reduce", rank);
    reduce_axis kept[reduce_params::max_rank], reduced[reduce_params::max_rank];
    int kept_rank = 0, reduced_rank = 0;
    int64_t outputs = 1, count = 1;
    for (int i = 0; i < rank; ++i) {
        const bool is_reduced = (axes_mask >> i & 1) != 0;
        (is_reduced ? count : outputs) *= lens[i];
        if (lens[i] == 1)
            continue;
        if (is_reduced)
            reduced[reduced_rank++] = {lens[i], src_strides[i], 0};
        else
            kept[kept_rank++] = {lens[i], src_strides[i], dst_strides[i]};
    }
    if (outputs <= 0)
        return;
    kept_rank = merge_reduce_axes(kept, kept_rank, true);
    reduced_rank = merge_reduce_axes(reduced, reduced_rank, false);

    reduce_params p{};
    p.src = src;
    p.dst = dst;
    p.op = op;
    p.type = type;
    p.count = count;
    p.n_block = p.n_blocks = 1;
    const bool vector_op = op == reduce_op::sum or op == reduce_op::mean or op == reduce_op::max or
                           op == reduce_op::min;
    const bool fast = type == elem_type::f32 and vector_op and count > 0;
    const bool rows = fast and reduced_rank > 0 and reduced[reduced_rank - 1].src == 1;
    // Columns need an output axis that is contiguous in the source; it becomes the inner loop.
    int inner = -1;
    for (int i = 0; fast and not rows and i < kept_rank; ++i)
        if (kept[i].src == 1)
            inner = i;
    for (int i = 0; i < kept_rank; ++i) {
        if (i == inner)
            continue;
        p.kept_lens[p.kept_rank] = kept[i].len;
        p.kept_src[p.kept_rank] = kept[i].src;
        p.kept_dst[p.kept_rank++] = kept[i].dst;
    }
    const int loops = inner >= 0 ? reduced_rank : reduced_rank - 1;
    for (int i = 0; i < loops; ++i) {
        p.reduced_lens[p.reduced_rank] = reduced[i].len;
        p.reduced_src[p.reduced_rank++] = reduced[i].src;
    }
    reduce_function f = table.reduce.general;
    int64_t units = outputs;
    if (inner >= 0) {
        f = table.reduce.columns;
        p.n = kept[inner].len;
        p.src_n = 1;
        p.dst_n = kept[inner].dst;
        p.n_block = p.n <= 256 ? p.n : 128;
        p.n_blocks = (p.n + p.n_block - 1) / p.n_block;
        units = outputs / p.n * p.n_blocks;
    } else {
        if (rows)
            f = table.reduce.rows;
        p.n = reduced_rank > 0 ? reduced[reduced_rank - 1].len : 1;
        p.src_n = reduced_rank > 0 ? reduced[reduced_rank - 1].src : 0;
    }
    if (count == 0)
        p.n = 0;
    // Few units leave threads idle. And a thread that wrote rows of an image finds them near, while
    // half of each column is in another core's cache.
    const bool few = units < 4 and (rows or inner >= 0), image = inner >= 0 and p.kept_rank == 0;
    if ((few or image) and count >= fewest_in_slices and count * outputs >= reduce_grain) {
        reduce_in_slices(p, f, rows, units, outputs);
        return;
    }
    const int64_t per_unit = std::max<int64_t>(1, count * outputs / units);
    parallel_for(units, std::max<int64_t>(1, reduce_grain / per_unit),
                 [&](int64_t begin, int64_t end) { f(p, begin, end); });
}

void run_arg(bool largest, bool last, elem_type type, int rank, const int64_t* lens, int axis,
             const void* src, const int64_t* src_strides, int64_t* dst, const kernel_table& table) {
    check_reduce_rank("argmax", rank);
    arg_params p{};
    p.src = src;
    p.dst = dst;
    p.type = type;
    p.largest = largest;
    p.last = last;
    p.n = lens[axis];
    p.src_n = src_strides[axis];
    p.inner = 1;
    int64_t outer = 1;
    int first_inner = rank; // axes from here on are one in memory
    while (first_inner - 1 > axis and
           (p.inner == 1 or src_strides[first_inner - 1] == p.src_inner * p.inner)) {
        --first_inner;
        if (lens[first_inner] != 1 and p.inner == 1)
            p.src_inner = src_strides[first_inner];
        p.inner *= lens[first_inner];
    }
    for (int i = 0; i < first_inner; ++i) {
        if (i == axis or lens[i] == 1)
            continue;
        outer *= lens[i];
        p.lens[p.rank] = lens[i];
        p.src_steps[p.rank++] = src_strides[i];
    }
    if (outer * p.inner <= 0 or p.n <= 0)
        return;
    p.inner_block = std::min<int64_t>(p.inner, 128);
    const int64_t blocks = (p.inner + p.inner_block - 1) / p.inner_block;
    const int64_t per_unit = p.n * p.inner_block;
    parallel_for(outer * blocks, std::max<int64_t>(1, reduce_grain / per_unit),
                 [&](int64_t begin, int64_t end) { table.reduce.arg(p, begin, end); });
}

} // namespace migraphx::cpu
