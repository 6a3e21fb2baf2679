// SPDX-License-Identifier: MIT
// Convolutions on matrix tiles, from exact parts of the floats.
#include "targets/cpu/kernels/dispatch/run_split_product.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/split_product.hpp"

#include "base/str.hpp"

namespace migraphx::cpu {

namespace {

// Rows and columns; one spatial axis counts as a row.
struct plane {
    int64_t y, x;
};

plane plane_of(const dnnl::memory::dims& v, int64_t missing) {
    return v.size() == 1 ? plane{missing, v[0]} : plane{v[0], v[1]};
}

plane plane_of(const shape& s, const std::vector<int64_t>& v, int64_t missing) {
    return s.ndim() == 3 ? plane{missing, v[2]} : plane{v[2], v[3]};
}

std::string refusal(const problem& p) {
    if (auto r = split_refusal(p); not r.empty())
        return r;
    if (p.inputs[0].ndim() < 3 or p.inputs[0].ndim() > 4)
        return "neither one nor two spatial axes";
    if (p.inputs[0].type() != shape::float_type or p.inputs[1].type() != shape::float_type or
        p.output.type() != shape::float_type or p.output.elements() == 0 or
        p.inputs[1].elements() == 0 or p.inputs[0].elements() == 0)
        return "only float images";
    if (p.op.get<int64_t>("group") != 1)
        return "grouped";
    if (not p.is_constant(1))
        return "weights that are not constant";
    const auto strides = strides_of(p.output);
    if (not merged_stride(p.output, 2, p.output.ndim()) or
        (p.output.lens()[1] != 1 and strides[1] != 1))
        return "channels of the result are not neighbours in memory";
    for (auto b : window_of(p).before)
        if (b < 0)
            return "negative padding";
    return "";
}

split_convolution describe(const problem& p, const convolution_window& w) {
    const auto &x = p.inputs[0], &y = p.output;
    const auto from = strides_of(x), to = strides_of(y);
    split_convolution c{};
    c.images = int64_t(x.lens()[0]);
    c.channels = int64_t(x.lens()[1]);
    c.outputs = int64_t(y.lens()[1]);
    c.x_image = from[0];
    c.x_channel = from[1];
    const auto in = plane_of(x, lens_of(x), 1), in_steps = plane_of(x, from, 0);
    const auto out = plane_of(y, lens_of(y), 1);
    c.height = in.y, c.width = in.x;
    c.x_row = in_steps.y, c.x_column = in_steps.x;
    c.out_height = out.y, c.out_width = out.x;
    const auto kernel = plane_of(w.kernel, 1), stride = plane_of(w.stride, 1);
    const auto dilation = plane_of(w.dilation, 0), before = plane_of(w.before, 0);
    c.kernel_height = kernel.y, c.kernel_width = kernel.x;
    c.stride_y = stride.y, c.stride_x = stride.x;
    c.dilation_y = dilation.y + 1, c.dilation_x = dilation.x + 1;
    c.top = before.y, c.left = before.x;
    c.y_position = merged_stride(y, 2, y.ndim()).value_or(to.back());
    return c;
}

split_weights weights_of(const problem& p) {
    const auto s = strides_of(p.inputs[1]);
    const auto window = plane_of(p.inputs[1], s, 0);
    return {reinterpret_cast<const float*>(p.constants[1].data()), s[0], s[1], window.y, window.x};
}

std::optional<planned_epilogue> epilogue_of(const problem& p, std::string& reason) {
    return plan_row_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(), 2,
                             p.output, reason);
}

} // namespace

std::string split_convolution_refusal(const problem& p) {
    if (auto r = refusal(p); not r.empty())
        return r;
    std::string reason;
    if (not epilogue_of(p, reason))
        return reason;
    return split_size_refusal(describe(p, window_of(p)));
}

lowered split_convolution_kernel(const problem& p) {
    if (auto r = refusal(p); not r.empty())
        return lowered::refuse(r);
    auto c = describe(p, window_of(p));
    if (c.images > 1 and
        strides_of(p.output)[0] != c.out_height * c.out_width * c.y_position)
        return lowered::refuse("gaps between the images of the result");
    std::string reason;
    const auto epilogue = epilogue_of(p, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    c.merge_images = epilogue->merges_images(c.out_height * c.out_width);
    return make_split_kernel(p, {c, weights_of(p), *epilogue});
}

} // namespace migraphx::cpu
