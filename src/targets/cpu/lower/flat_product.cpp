// SPDX-License-Identifier: MIT
// Products whose leading axes count as one.
#include "targets/cpu/lower/dot.hpp"

#include <algorithm>

namespace migraphx::cpu {

// The step of a row when the axes before the last count as one; false when they do not merge.
bool merged_rows(const shape& s, int64_t& step) {
    const auto r = s.ndim();
    step = 0;
    int64_t next = -1;
    for (std::size_t i = r - 1; i-- > 0;) {
        const auto len = int64_t(s.lens()[i]);
        if (len == 1)
            continue;
        const auto stride = int64_t(s.strides()[i]);
        if (next < 0)
            step = stride;
        else if (stride != next)
            return false;
        next = stride * len;
    }
    if (next < 0)
        step = int64_t(s.lens()[r - 1]) * std::max<int64_t>(1, int64_t(s.strides()[r - 1]));
    return true;
}

bool as_flat(const problem& p, flat_product& f) {
    const auto& a = p.inputs[0];
    const auto& b = p.inputs[1];
    const auto& c = p.output;
    const auto r = a.ndim();
    for (std::size_t i = 0; i + 2 < r; i++)
        if (b.lens()[i] != 1 and b.strides()[i] != 0)
            return false;
    f.k = int64_t(a.lens()[r - 1]);
    f.n = int64_t(b.lens()[r - 1]);
    f.m = int64_t(c.elements()) / std::max<int64_t>(1, f.n);
    f.a_k = f.k == 1 ? 1 : int64_t(a.strides()[r - 1]);
    f.b_k = f.k == 1 ? 1 : int64_t(b.strides()[r - 2]);
    f.b_n = f.n == 1 ? 1 : int64_t(b.strides()[r - 1]);
    return (f.n == 1 or c.strides()[r - 1] == 1) and merged_rows(a, f.a_row) and
           merged_rows(c, f.c_row);
}

std::string product_refusal(const problem& p) {
    if (p.inputs[0].type() != shape::float_type or p.inputs[1].type() != shape::float_type or
        p.output.type() != shape::float_type)
        return "only float, got " + p.inputs[0].type_string();
    if (p.output.elements() == 0 or p.inputs[0].elements() == 0)
        return "nothing to compute";
    return "";
}

} // namespace migraphx::cpu
