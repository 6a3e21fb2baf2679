// SPDX-License-Identifier: MIT
// Large convolutions as products of rows with constant weights: 1x1 windows read rows where they
// lie, others are packed window by window, strip by strip.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/separable.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

struct row_convolution_kernel : kernel {
    gemm_params params{};
    planned_epilogue epilogue;
    std::vector<float> bias;
    std::shared_ptr<const packed_weight> weights;
    int64_t threads = 1;

    void run(const kernel_args& args) const override {
        auto q = params;
        q.a = reinterpret_cast<const float*>(args.inputs[0]);
        q.b = reinterpret_cast<const float*>(weights->data.get());
        q.c = reinterpret_cast<float*>(args.outputs[0]);
        q.epilogue = epilogue.bound(args, bias.data());
        run_gemm(q, reinterpret_cast<float*>(args.scratch), threads);
    }
    std::string name() const override {
        return params.windows.channels > 0 ? "row_gemm of windows" : "row_gemm";
    }
    std::size_t scratch_bytes() const override {
        return std::size_t(gemm_scratch(params, threads)) * sizeof(float);
    }
    bool reads_input(std::size_t i) const override { return i != 1 and i != epilogue.bias; }
    void add_constants(held_constants& held) const override { weights->add_to(held); }
};

// From measurements of the layers of ResNet-50 on two cores with second-level caches of 2 MiB: with
// weights that fill much of a cache the library waits for memory. Here they are fetched ahead,
// which saves 7 to 16 % of 1x1 windows at 1 MiB, 19 to 30 % of those with stride 2 and 5 to 19 % of
// 3x3 ones with stride 2; with 256 KiB and less the library is up to a fifth faster. Large results
// that few products go into are fetched as well, with what is added to them (a twentieth to a fifth
// at batch 8).
bool pays(const gemm_params& p, bool adds) {
    constexpr int64_t near_weights = 1 << 20, near_results = 8 << 20; // bytes
    const auto bytes = [](int64_t floats) { return floats * int64_t(sizeof(float)); };
    return bytes(p.k * p.n) >= near_weights or (p.windows.channels == 0 and p.n >= 2 * p.k and
                                                bytes(p.m * p.n * (adds ? 2 : 1)) > near_results);
}

// An image with channels that are neighbours; one spatial axis counts as a row.
bool is_image(const shape& s) {
    return s.type() == shape::float_type and not s.dynamic() and
           (s.ndim() == 3 or s.ndim() == 4) and s.elements() > 0 and not s.broadcasted() and
           (s.lens()[1] == 1 or strides_of(s)[1] == 1);
}

// Of the places that windows along one axis cover, the share that is no padding.
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

// Why the windows are not packed as rows, or empty. Few channels or outputs do not pay for it.
std::string set_windows(const problem& p, gemm_windows& to) {
    constexpr std::size_t fewest_channels = 16, fewest_outputs = 128;
    const auto &x = p.inputs[0], &y = p.output, &weights = p.inputs[1];
    if (p.op.get<int64_t>("group") != 1 or not is_image(x) or not is_image(y) or
        weights.type() != shape::float_type or weights.elements() == 0)
        return "no windows over images whose channels are neighbours";
    if (x.lens()[1] < fewest_channels or y.lens()[1] < fewest_outputs)
        return "few channels";
    const auto w = window_of(p);
    const bool plane = x.ndim() == 4;
    const auto last = w.kernel.size() - 1, at = x.ndim() - 1;
    const auto xs = strides_of(x);
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
    // Zeros are multiplied here; the library leaves them out. (Wide dilations: four times as slow.)
    constexpr double least_inside = 0.75;
    const auto kernel_h = plane ? int64_t(w.kernel[0]) : 1;
    if (inside(to.out_height, kernel_h, to.stride_h, to.dilation_h, to.pad_top, to.height) *
            inside(to.out_width, to.kernel_w, to.stride_w, to.dilation_w, to.pad_left, to.width) <
        least_inside)
        return "windows that cover much padding";
    to.x_image = xs[0];
    to.x_row = plane ? xs[2] : 0;
    to.x_col = xs[at];
    return "";
}

// Panels of outputs; their rows are the places of the window, then the channels.
std::shared_ptr<const packed_weight> pack_windows(const problem& p) {
    const auto& s = p.inputs[1];
    const auto outputs = int64_t(s.lens()[0]), channels = int64_t(s.lens()[1]);
    const auto places = int64_t(s.elements()) / (outputs * channels);
    const auto columns = int64_t(s.lens().back());
    const auto depth = places * channels;
    return packed_form(
        p, 1, str("windows ", kernels().gemm.panel, ' ', s),
        std::size_t(packed_weights_size(depth, outputs)), [&](const float* from, float* to) {
            std::vector<float> rows(std::size_t(outputs * depth));
            const auto steps = strides_of(s);
            const auto row_step = s.ndim() == 4 ? steps[2] : 0;
            parallel_for(outputs, 1, [&](int64_t begin, int64_t end) {
                for (auto o = begin; o < end; o++)
                    for (int64_t i = 0; i < places; i++)
                        for (int64_t c = 0; c < channels; c++)
                            rows[std::size_t(o * depth + i * channels + c)] =
                                from[o * steps[0] + c * steps[1] + i / columns * row_step +
                                     i % columns * steps.back()];
            });
            pack_gemm_weights({rows.data(), depth, outputs, 1, depth}, to);
        });
}

} // namespace

lowered row_convolution(const problem& p) {
    const auto &x = p.inputs[0], &y = p.output;
    auto k = std::make_unique<row_convolution_kernel>();
    auto& q = k->params;
    const bool rows_lie = is_pointwise_convolution(p.op, x, p.inputs[1], y);
    if (auto why = rows_lie ? "" : set_windows(p, q.windows); not why.empty())
        return lowered::refuse(why);
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    if (kernels_isa() < isa::avx512) // not measured
        return lowered::refuse("no vectors of 16 floats");
    if (not is_large_product(p))
        return lowered::refuse("a small product");
    const auto images = y.lens()[0];
    const auto rows = elements_between(y, 2, y.ndim());
    const auto x_row = rows_lie ? merged_stride(x, 2, x.ndim()) : 0;
    const auto y_row = merged_stride(y, 2, y.ndim());
    if (not y_row)
        return lowered::refuse("gaps in the result");
    if (images > 1 and
        ((rows_lie and strides_of(x)[0] != rows * *x_row) or strides_of(y)[0] != rows * *y_row))
        return lowered::refuse("gaps between the images");
    std::string reason;
    auto epilogue = plan_row_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(),
                                      2, y, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    if (images > 1 and not epilogue->merges_images(rows))
        return lowered::refuse("an operand of the epilogue tells images apart");
    q.m = int64_t(images) * rows;
    q.n = int64_t(y.lens()[1]);
    q.k = int64_t(p.inputs[1].elements() / p.inputs[1].lens()[0]);
    q.a_row = *x_row;
    q.c_row = *y_row;
    if (not pays(q, epilogue->has_operands()))
        return lowered::refuse("weights and results stay in caches");
    k->threads = std::max<int64_t>(1, num_threads());
    block_gemm(q, k->threads);
    k->weights = rows_lie ? pack_pointwise(p, 1) : pack_windows(p);
    k->bias = epilogue->bias_values(p, std::size_t(packed_weights_size(1, q.n)));
    k->epilogue = std::move(*epilogue);
    return k;
}

} // namespace migraphx::cpu
