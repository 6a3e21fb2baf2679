// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/windows.hpp"

#include "base/parallel.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"

namespace migraphx::cpu {

namespace {

bool is_image(const shape& s) {
    return s.type() == shape::float_type and not s.dynamic() and
           (s.ndim() == 3 or s.ndim() == 4) and s.elements() > 0 and not s.broadcasted();
}

bool channels_are_neighbours(const shape& s) {
    return s.lens()[1] == 1 or strides_of(s)[1] == 1;
}

double inside(int64_t outputs, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
              int64_t length) {
    int64_t count = 0;
    for (int64_t o = 0; o < outputs; o++)
        for (int64_t k = 0; k < kernel; k++) {
            const auto at = o * stride + k * dilation - before;
            count += at >= 0 and at < length ? 1 : 0;
        }
    return double(count) / double(outputs * kernel);
}

} // namespace

std::optional<gemm_windows> windows_of(const problem& p) {
    auto w = windows_of_planes(p);
    return w and channels_are_neighbours(p.inputs[0]) ? w : std::nullopt;
}

std::optional<gemm_windows> windows_of_planes(const problem& p) {
    const auto &x = p.inputs[0], &y = p.output, &weights = p.inputs[1];
    if (p.op.get<int64_t>("group") != 1 or not is_image(x) or not is_image(y) or
        not channels_are_neighbours(y) or weights.type() != shape::float_type or
        weights.elements() == 0)
        return std::nullopt;
    const auto w = window_of(p);
    const bool plane = x.ndim() == 4;
    const auto last = w.kernel.size() - 1, at = x.ndim() - 1;
    const auto xs = strides_of(x);
    gemm_windows to{};
    to.channels = int64_t(x.lens()[1]);
    to.height = plane ? int64_t(x.lens()[2]) : 1;
    to.width = int64_t(x.lens()[at]);
    to.out_height = plane ? int64_t(y.lens()[2]) : 1;
    to.out_width = int64_t(y.lens()[at]);
    to.kernel_w = w.kernel[last];
    to.stride_h = plane ? w.stride[0] : 1;
    to.stride_w = w.stride[last];
    to.dilation_h = plane ? w.dilation[0] + 1 : 1;
    to.dilation_w = w.dilation[last] + 1;
    to.pad_top = plane ? w.before[0] : 0;
    to.pad_left = w.before[last];
    to.x_image = xs[0];
    to.x_row = plane ? xs[2] : 0;
    to.x_col = xs[at];
    return to;
}

double share_inside(const problem& p, const gemm_windows& w) {
    const auto& lens = p.inputs[1].lens();
    const auto kernel_h = lens.size() == 4 ? int64_t(lens[2]) : 1;
    return inside(w.out_height, kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.height) *
           inside(w.out_width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.width);
}

std::vector<float> weights_by_place(const float* from, const shape& s) {
    const auto outputs = int64_t(s.lens()[0]), channels = int64_t(s.lens()[1]);
    const auto places = int64_t(s.elements()) / (outputs * channels), depth = places * channels;
    const auto columns = int64_t(s.lens().back());
    const auto steps = strides_of(s);
    const auto row_step = s.ndim() == 4 ? steps[2] : 0;
    std::vector<float> rows(std::size_t(outputs * depth));
    parallel_for(outputs, 1, [&](int64_t begin, int64_t end) {
        for (auto o = begin; o < end; o++)
            for (int64_t i = 0; i < places; i++)
                for (int64_t c = 0; c < channels; c++)
                    rows[std::size_t(o * depth + i * channels + c)] =
                        from[o * steps[0] + c * steps[1] + i / columns * row_step +
                             i % columns * steps.back()];
    });
    return rows;
}

} // namespace migraphx::cpu
