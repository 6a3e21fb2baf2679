// SPDX-License-Identifier: MIT
#include "ops/slice_bounds.hpp"

#include <algorithm>
#include <limits>

namespace migraphx {

namespace {

constexpr int64_t largest = std::numeric_limits<int64_t>::max();

int64_t as_length(std::size_t n) {
    return n > static_cast<std::size_t>(largest) ? largest : static_cast<int64_t>(n);
}

int64_t clipped(int64_t bound, int64_t len) {
    bound = std::clamp(bound, -len, len);
    return bound < 0 ? bound + len : bound;
}

std::size_t magnitude(int64_t x) {
    return x < 0 ? static_cast<std::size_t>(-(x + 1)) + 1 : static_cast<std::size_t>(x);
}

// A bound as an expression in the dimension, if it clips alike for all sizes in [lo, hi].
sym::expr bound_expression(const sym::expr& dim, int64_t bound, int64_t lo, int64_t hi) {
    if (bound >= hi)
        return dim;
    if (bound >= 0)
        return bound <= lo ? sym::lit(bound) : sym::expr{};
    if (bound >= -lo)
        return dim + sym::lit(bound);
    return bound <= -hi ? sym::lit(0) : sym::expr{};
}

} // namespace

slice_range slice_positions(std::size_t len, int64_t start, int64_t end) {
    const auto n = as_length(len);
    const auto first = clipped(start, n);
    const auto last = std::max(first, clipped(end, n));
    return {static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)};
}

shape::dynamic_dimension slice_dimension(const shape::dynamic_dimension& d, int64_t start,
                                         int64_t end) {
    const auto bounds = d.get_interval();
    // The selected length is piecewise linear in the size, with its corners at these sizes.
    const auto s = magnitude(start), e = magnitude(end);
    std::size_t lo = std::numeric_limits<std::size_t>::max(), hi = 0;
    for (auto corner : {bounds.min, bounds.max, s, e, s + e}) {
        const auto n = slice_positions(std::clamp(corner, bounds.min, bounds.max), start, end).len;
        lo = std::min(lo, n);
        hi = std::max(hi, n);
    }
    if (lo == hi)
        return d.is_symbolic() ? shape::dynamic_dimension{sym::lit(as_length(lo))}
                               : shape::dynamic_dimension{lo, lo};
    if (d.is_symbolic()) {
        const auto low = as_length(bounds.min), high = as_length(bounds.max);
        const auto from = bound_expression(d.sym_expr, start, low, high);
        const auto to = bound_expression(d.sym_expr, end, low, high);
        if (not from.empty() and not to.empty() and (to - from).eval_interval().min >= 0)
            return to - from;
    }
    return {lo, hi};
}

} // namespace migraphx
