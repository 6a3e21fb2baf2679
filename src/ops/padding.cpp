// SPDX-License-Identifier: MIT
#include "ops/padding.hpp"

#include "ops/expect.hpp"

#include <algorithm>

namespace migraphx {

std::size_t padded_length(std::size_t len, int64_t begin, int64_t end) {
    int64_t n = 0;
    if (__builtin_add_overflow(static_cast<int64_t>(len), begin, &n) or
        __builtin_add_overflow(n, end, &n))
        fail_shape("paddings that fit the address space were expected");
    return static_cast<std::size_t>(std::max<int64_t>(0, n));
}

namespace {

int64_t floored_remainder(int64_t x, int64_t n) {
    const auto r = x % n;
    return r < 0 ? r + n : r;
}

// Position p of the endless continuation of a dimension of n > 0 elements.
int64_t continued(int64_t p, int64_t n, op::pad::pad_op_mode_t mode) {
    if (p >= 0 and p < n)
        return p;
    switch (mode) {
    case op::pad::constant_pad:
        return no_source;
    case op::pad::edge_pad:
        return std::clamp<int64_t>(p, 0, n - 1);
    case op::pad::wrap_pad:
        return floored_remainder(p, n);
    case op::pad::reflect_pad:
        break;
    }
    if (n == 1)
        return 0;
    const auto r = floored_remainder(p, 2 * (n - 1));
    return r < n ? r : 2 * (n - 1) - r;
}

} // namespace

std::vector<int64_t> padded_positions(std::size_t len, int64_t begin, int64_t end,
                                      op::pad::pad_op_mode_t mode) {
    std::vector<int64_t> from(padded_length(len, begin, end));
    if (len == 0 and mode != op::pad::constant_pad and not from.empty())
        fail_shape("elements to repeat were expected, got an empty dimension");
    for (std::size_t i = 0; i < from.size(); ++i)
        from[i] = continued(static_cast<int64_t>(i) - begin, static_cast<int64_t>(len), mode);
    return from;
}

void pad_elements(const argument& out, const argument& in, const std::vector<int64_t>& pads,
                  op::pad::pad_op_mode_t mode, const void* element) {
    const auto& lens = in.get_shape().lens();
    axis_sources from;
    for (std::size_t d = 0; d < lens.size(); ++d)
        from.push_back(padded_positions(lens[d], pads[d], pads[d + lens.size()], mode));
    if (mode == op::pad::constant_pad)
        fill_elements(out, element);
    copy_by_axis(out, in, from);
}

} // namespace migraphx
