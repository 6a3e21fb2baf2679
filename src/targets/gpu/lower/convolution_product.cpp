// SPDX-License-Identifier: MIT
// 1x1 convolutions are products: x as rows of channels, one for each position, times the weights
// transposed. The result and the epilogue's operands lie the same way, so a kernel for the product
// takes the very same addresses.
#include "base/str.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/lower/own_product.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>

namespace migraphx::gpu {

namespace {

constexpr std::size_t anchor_inputs = 2;

// N, spatial axes and channels as two axes; none when the positions do not follow each other.
std::optional<shape> as_rows(const shape& s) {
    const auto& lens = s.lens();
    const auto& strides = s.strides();
    std::size_t rows = 1, step = 0;
    // From the innermost position outwards.
    std::vector<std::size_t> order;
    for (auto i = lens.size(); i-- > 2;)
        order.push_back(i);
    order.push_back(0);
    for (auto i : order) {
        if (lens[i] == 1)
            continue;
        if (rows == 1)
            step = strides[i];
        else if (strides[i] != step * rows)
            return std::nullopt;
        rows *= lens[i];
    }
    return shape{s.type(), {rows, lens[1]}, {step, lens[1] == 1 ? 1 : strides[1]}};
}

} // namespace

namespace {

// Apart from the types.
bool sums_channels(const convolution_desc& d) {
    const auto all = [](const std::vector<int64_t>& v, int64_t wanted) {
        return std::all_of(v.begin(), v.end(), [&](auto n) { return n == wanted; });
    };
    return not d.transposed and d.group == 1 and all(d.stride, 1) and all(d.before, 0) and
           all(d.after, 0) and d.w.elements() == d.w.lens()[0] * d.w.lens()[1];
}

} // namespace

bool is_product(const convolution_desc& d) {
    return d.w.type() == d.x.type() and sums_channels(d);
}

lowered convolution_as_product(const device_problem& p) {
    std::string reason;
    const auto d = describe_convolution(p, reason);
    if (not d)
        return lowered::refuse(reason);
    if (not sums_channels(*d))
        return lowered::refuse("not a sum over the channels of one position");
    device_problem q = p;
    q.in_parts = d->w.type() != d->x.type();
    if (q.in_parts and (not multiplies_halves(*p.on) or not p.is_constant(1)))
        return lowered::refuse("weights of another type than the data");
    q.ins = {};
    q.image = true;
    q.inputs.clear();
    const auto x = as_rows(d->x), y = as_rows(d->y);
    if (not x or not y or x->strides()[1] != 1 or y->strides()[1] != 1)
        return lowered::refuse("positions that are not rows of channels");
    q.inputs.push_back(*x);
    q.inputs.push_back({d->x.type(),
                        {d->w.lens()[1], d->w.lens()[0]},
                        {d->w.lens()[1] == 1 ? 1 : d->w.strides()[1],
                         d->w.lens()[0] == 1 ? 1 : d->w.strides()[0]}});
    for (auto i = anchor_inputs; i < p.inputs.size(); i++) {
        const auto s = as_rows(p.inputs[i]);
        if (not s)
            return lowered::refuse("an operand of the epilogue that is not such rows");
        q.inputs.push_back(*s);
    }
    q.output = *y;
    for (std::size_t i = 0; i < q.constants.size(); i++)
        if (p.is_constant(i))
            q.constants[i] =
                argument{q.inputs[i].with_type(p.inputs[i].type()), p.constants[i].data()};
    const bool integers = p.op.name().ends_with("quant_convolution");
    const std::string name = integers ? "quant_dot" : "dot";
    q.op = make_op(p.modules.empty() ? name : "gpu::" + name);
    if (q.in_parts)
        return product_in_parts(q);
    for (const auto& way : implementations_of(q.op.name())) {
        auto k = way.make(q);
        if (k)
            return k;
        reason += str(reason.empty() ? "" : "; ", way.name, ": ", k.reason);
    }
    return lowered::refuse(reason);
}

} // namespace migraphx::gpu
