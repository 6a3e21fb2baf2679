// SPDX-License-Identifier: MIT
#include "ops/window.hpp"

#include "ops/expect.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/permutation.hpp>

#include <algorithm>

namespace migraphx {

namespace {

using window_dim = shape::dynamic_dimension;

std::size_t window_ceil_div(std::size_t a, std::size_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

// Positions as an expression of the length; empty when there is no such expression.
sym::expr symbolic_positions(const window& w, const sym::expr& length) {
    const auto stride = static_cast<int64_t>(w.stride);
    if (w.mode != op::default_)
        return (length + (stride - 1)) / stride;
    // A window that could start in the padding after the data is dropped: that is a minimum.
    if (w.ceil and w.after + w.stride > w.extent())
        return {};
    const auto room = static_cast<int64_t>(w.before + w.after) - static_cast<int64_t>(w.extent());
    return (length + (room + (w.ceil ? stride - 1 : 0))) / stride + 1;
}

} // namespace

std::pair<std::size_t, std::size_t> same_padding(std::size_t length, std::size_t stride,
                                                 std::size_t extent, op::padding_mode_t mode) {
    const auto out = window_ceil_div(length, stride);
    const auto needed = out == 0 ? 0 : (out - 1) * stride + extent;
    const auto total = needed > length ? needed - length : 0;
    const auto half = total / 2;
    return mode == op::same_upper ? std::pair{half, total - half} : std::pair{total - half, half};
}

std::pair<std::size_t, std::size_t> window::padding(std::size_t length) const {
    return mode == op::default_ ? std::pair{before, after}
                                : same_padding(length, stride, extent(), mode);
}

std::size_t window::positions(std::size_t length) const {
    if (mode != op::default_)
        return window_ceil_div(length, stride);
    const auto padded = length + before + after;
    if (padded < extent())
        return 0;
    if (not ceil)
        return (padded - extent()) / stride + 1;
    return std::min(window_ceil_div(padded - extent(), stride) + 1,
                    window_ceil_div(length + before, stride));
}

window_dim window::positions(const window_dim& length) const {
    if (length.is_symbolic()) {
        const auto e = symbolic_positions(*this, length.sym_expr);
        if (not e.empty())
            return e;
    }
    const auto range = length.get_interval();
    const auto unlimited = std::numeric_limits<std::size_t>::max();
    const auto most =
        range.max > unlimited - (before + after) ? unlimited / stride : positions(range.max);
    std::set<std::size_t> optimals;
    for (auto n : length.get_optimals())
        optimals.insert(positions(n));
    return {positions(range.min), most, optimals};
}

window_dim window::positions(const window_dim& length, const window_dim& taps) const {
    const auto with = [this](std::size_t n) {
        auto w = *this;
        w.kernel = n;
        return w;
    };
    const auto bounds = taps.get_interval();
    if (taps.is_fixed() and bounds.min > 0)
        return with(bounds.min).positions(length);
    if (mode == op::default_ and not ceil and length.is_symbolic() and taps.is_symbolic()) {
        const auto room = length.sym_expr + static_cast<int64_t>(before + after);
        const auto reach = (taps.sym_expr - 1) * static_cast<int64_t>(dilation) + 1;
        if ((room - reach).eval_interval().min >= 0)
            return (room - reach) / static_cast<int64_t>(stride) + 1;
    }
    if (mode != op::default_)
        return positions(length);
    const auto range = length.get_interval();
    return {with(std::max<std::size_t>(bounds.max, 1)).positions(range.min),
            with(std::max<std::size_t>(bounds.min, 1)).positions(range.max)};
}

std::vector<window> make_windows(const std::vector<std::size_t>& kernel,
                                 const std::vector<std::size_t>& padding,
                                 const std::vector<std::size_t>& stride,
                                 const std::vector<std::size_t>& dilation, op::padding_mode_t mode,
                                 const char* subject) {
    const auto n = kernel.size();
    const auto check = [n](const std::vector<std::size_t>& values, const char* what) {
        if (values.size() != n)
            fail_shape(str(what, " must have ", n, " values, got ", values.size()));
        for (auto x : values)
            if (x == 0 or x > (std::size_t{1} << 40))
                fail_shape(str(what, " must be from 1 to 2^40, got ", x));
    };
    check(kernel, subject);
    check(stride, "stride");
    check(dilation, "dilation");
    if (mode == op::default_ and padding.size() != n and padding.size() != 2 * n)
        fail_shape(str("padding must have ", n, " or ", 2 * n, " values, got ", padding.size()));
    std::vector<window> result(n);
    for (std::size_t i = 0; i < n; ++i) {
        auto& w = result[i];
        w.kernel = kernel[i];
        w.stride = stride[i];
        w.dilation = dilation[i];
        w.mode = mode;
        if (mode == op::default_) {
            w.before = padding[i];
            w.after = padding.size() == n ? padding[i] : padding[n + i];
            if (w.before > (std::size_t{1} << 40) or w.after > (std::size_t{1} << 40))
                fail_shape("padding must be at most 2^40, got more");
        }
        std::size_t extent = 0;
        if (__builtin_mul_overflow(w.dilation, w.kernel - 1, &extent))
            fail_shape("a window that fits the address space was expected, got a larger one");
    }
    return result;
}

shape shape_in_order_of(const shape& like, shape::type_t t, const std::vector<window_dim>& dims) {
    const bool known = std::all_of(dims.begin(), dims.end(), [](const window_dim& d) {
        return d.is_fixed() and not d.is_symbolic();
    });
    if (known and not like.dynamic()) {
        std::vector<std::size_t> lens;
        for (const auto& d : dims)
            lens.push_back(d.get_interval().min);
        return shape::from_permutation(t, lens, find_permutation(like));
    }
    shape result{t, dims};
    if (result.symbolic() and like.ndim() == dims.size() and
        not(like.dynamic() and not like.symbolic()))
        return shape::from_permutation(t, result.dyn_dims(), find_permutation(like));
    if (known and like.symbolic())
        return shape::from_permutation(t, dims_of(result, true), find_permutation(like));
    return result;
}

} // namespace migraphx
