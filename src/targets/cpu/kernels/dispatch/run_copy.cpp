// SPDX-License-Identifier: MIT
// Plans of strided copies: flips, sorts and merges axes, chooses runs, fills, transposes or scalar
// loops.
#include "targets/cpu/kernels/dispatch/run_copy.hpp"

#include "base/parallel.hpp"
#include <migraphx/errors.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace migraphx::cpu {

namespace {

struct copy_axis {
    int64_t len, src, dst; // strides in elements
};

constexpr int64_t copy_unit_bytes = 32 * 1024;

// Axes of length 1 dropped, slowest destination stride first, neighbours merged. Returns the new
// rank.
int normalize_copy_axes(copy_axis* axes, int rank) {
    int n = 0;
    for (int i = 0; i < rank; ++i)
        if (axes[i].len != 1)
            axes[n++] = axes[i];
    std::stable_sort(axes, axes + n, [](const copy_axis& a, const copy_axis& b) {
        return std::llabs(a.dst) > std::llabs(b.dst);
    });
    int out = 0;
    for (int i = 0; i < n; ++i) {
        if (out > 0) {
            copy_axis& last = axes[out - 1];
            if (last.dst == axes[i].dst * axes[i].len && last.src == axes[i].src * axes[i].len) {
                last = {last.len * axes[i].len, axes[i].src, axes[i].dst};
                continue;
            }
        }
        axes[out++] = axes[i];
    }
    return out;
}

// Which axis becomes the rows of the rectangle (the last one is its columns); -1 for none.
int pick_copy_rows(const copy_axis* axes, int n, copy_kind& kind) {
    const copy_axis& inner = axes[n - 1];
    kind = copy_kind::strided;
    if (inner.dst == 1) {
        if (inner.src == 1)
            kind = copy_kind::runs;
        else if (inner.src == 0)
            kind = copy_kind::fill;
        else
            for (int i = 0; i + 1 < n; ++i)
                if (axes[i].src == 1) {
                    if (axes[i].len >= 4 && inner.len >= 4)
                        kind = copy_kind::transpose;
                    return i;
                }
    }
    return n - 2;
}

void set_copy_blocks(copy_params& p) {
    int64_t outer = 1;
    for (int i = 0; i < p.rank; ++i)
        outer *= p.lens[i];
    const int64_t unit = copy_unit_bytes / p.elem;
    p.n_block = p.n;
    p.m_block = p.m;
    if (p.kind == copy_kind::transpose) {
        p.m_block = std::min<int64_t>(p.m, 16);
        p.n_block = std::min<int64_t>(p.n, std::max<int64_t>(16, unit / p.m_block / 16 * 16));
        const int64_t rows = std::max<int64_t>(1, unit / (p.m_block * p.n_block));
        p.m_block = std::min(p.m, p.m_block * rows);
    } else {
        p.n_block = std::min(p.n, 8 * unit);
        p.m_block = std::min(p.m, std::max<int64_t>(1, unit / p.n_block));
    }
    p.m_blocks = (p.m + p.m_block - 1) / p.m_block;
    p.n_blocks = (p.n + p.n_block - 1) / p.n_block;
}

int64_t copy_units(const copy_params& p) {
    int64_t units = p.m_blocks * p.n_blocks;
    for (int i = 0; i < p.rank; ++i)
        units *= p.lens[i];
    return units;
}

} // namespace

bool plan_copy(copy_params& p, int elem, int rank, const int64_t* lens, const int64_t* src_strides,
               const int64_t* dst_strides) {
    if (rank < 0 || rank > copy_params::max_rank)
        fail(error_kind::unsupported,
             "copy: expected at most 8 dimensions, got " + std::to_string(rank));
    copy_axis axes[copy_params::max_rank];
    p = {};
    p.elem = elem;
    int64_t src_offset = 0;
    int64_t dst_offset = 0;
    for (int i = 0; i < rank; ++i) {
        if (lens[i] <= 0)
            return false;
        axes[i] = {lens[i], src_strides[i], dst_strides[i]};
        if (axes[i].dst < 0) { // walk the destination upwards
            src_offset += (lens[i] - 1) * axes[i].src;
            dst_offset += (lens[i] - 1) * axes[i].dst;
            axes[i].src = -axes[i].src;
            axes[i].dst = -axes[i].dst;
        }
    }
    const int n = normalize_copy_axes(axes, rank);
    p.src_offset = src_offset * elem;
    p.dst_offset = dst_offset * elem;
    p.m = p.n = 1;
    p.src_n = p.dst_n = p.src_m = p.dst_m = elem;
    p.kind = copy_kind::runs;
    if (n > 0) {
        const int rows = pick_copy_rows(axes, n, p.kind);
        const copy_axis& inner = axes[n - 1];
        p.n = inner.len;
        p.src_n = inner.src * elem;
        p.dst_n = inner.dst * elem;
        if (rows >= 0) {
            p.m = axes[rows].len;
            p.src_m = axes[rows].src * elem;
            p.dst_m = axes[rows].dst * elem;
        }
        for (int i = 0; i + 1 < n; ++i) {
            if (i == rows)
                continue;
            p.lens[p.rank] = axes[i].len;
            p.src_steps[p.rank] = axes[i].src * elem;
            p.dst_steps[p.rank] = axes[i].dst * elem;
            ++p.rank;
        }
    }
    set_copy_blocks(p);
    return true;
}

void run_copy(const copy_params& plan, const void* src, void* dst, const kernel_table& table) {
    copy_params p = plan;
    p.src = static_cast<const char*>(src) + p.src_offset;
    p.dst = static_cast<char*>(dst) + p.dst_offset;
    const int64_t units = copy_units(p);
    const int64_t unit_bytes = p.m_block * p.n_block * p.elem;
    const int64_t grain =
        std::max<int64_t>(1, 8 * copy_unit_bytes / std::max<int64_t>(unit_bytes, 1));
    parallel_for(units, grain, [&](int64_t begin, int64_t end) { table.copy.copy(p, begin, end); });
}

void run_copy(int elem, int rank, const int64_t* lens, const void* src, const int64_t* src_strides,
              void* dst, const int64_t* dst_strides, const kernel_table& table) {
    copy_params p;
    if (plan_copy(p, elem, rank, lens, src_strides, dst_strides))
        run_copy(p, src, dst, table);
}

void run_fill(int elem, int rank, const int64_t* lens, const void* value, void* dst,
              const int64_t* dst_strides, const kernel_table& table) {
    const int64_t zero[copy_params::max_rank] = {};
    run_copy(elem, rank, lens, value, zero, dst, dst_strides, table);
}

namespace {

// Index in [0, len) that position i (any integer) of a padded axis shows.
int64_t padded_source(pad_kind kind, int64_t i, int64_t len) {
    if (kind == pad_kind::edge || len == 1)
        return std::clamp<int64_t>(i, 0, len - 1);
    const int64_t period = 2 * (len - 1);
    const int64_t k = ((i % period) + period) % period;
    return k < len ? k : period - k;
}

} // namespace

void run_pad(pad_kind kind, int elem, int rank, const int64_t* lens, const int64_t* before,
             const int64_t* after, const void* value, const void* src, const int64_t* src_strides,
             void* dst, const int64_t* dst_strides, const kernel_table& table) {
    if (rank > copy_params::max_rank)
        fail(error_kind::unsupported,
             "pad: expected at most 8 dimensions, got " + std::to_string(rank));
    char* base = static_cast<char*>(dst);
    char* inner = base;
    int64_t region[copy_params::max_rank];
    for (int i = 0; i < rank; ++i) {
        inner += before[i] * dst_strides[i] * elem;
        region[i] = lens[i];
    }
    run_copy(elem, rank, lens, src, src_strides, inner, dst_strides, table);
    // Axis by axis, the region that is already valid grows to the padded length.
    for (int axis = rank - 1; axis >= 0; --axis) {
        const int64_t step = dst_strides[axis] * elem;
        if (kind == pad_kind::constant) {
            region[axis] = before[axis];
            run_fill(elem, rank, region, value, inner - before[axis] * step, dst_strides, table);
            region[axis] = after[axis];
            run_fill(elem, rank, region, value, inner + lens[axis] * step, dst_strides, table);
        } else if (lens[axis] > 0) {
            region[axis] = 1;
            for (int64_t i = -before[axis]; i < lens[axis] + after[axis]; ++i) {
                if (i == 0)
                    i = lens[axis];
                if (i < lens[axis] + after[axis])
                    run_copy(elem, rank, region, inner + padded_source(kind, i, lens[axis]) * step,
                             dst_strides, inner + i * step, dst_strides, table);
            }
        }
        region[axis] = before[axis] + lens[axis] + after[axis];
        inner -= before[axis] * step;
    }
}

} // namespace migraphx::cpu
