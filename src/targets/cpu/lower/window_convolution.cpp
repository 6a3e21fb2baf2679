// SPDX-License-Identifier: MIT
// Convolutions whose weights stay in a cache, as products of windows that are read where they lie.
// Plans of one size and of many have the same kernel, and nothing is made for a size alone.
#include "targets/cpu/kernels/dispatch/run_windows.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/packed_convolution.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/lower/windows.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

struct window_kernel : packed_convolution {
    window_params params{};
    std::vector<float> zeros;
    int64_t threads = 1;

    void run(const kernel_args& args) const override {
        auto q = params;
        q.x = reinterpret_cast<const float*>(args.inputs[0]);
        q.w = reinterpret_cast<const float*>(weights->data.get());
        q.y = reinterpret_cast<float*>(args.outputs[0]);
        q.zeros = zeros.data();
        q.epilogue = epilogue.bound(args, bias.data());
        run_windows(q, threads);
    }
    std::string name() const override { return str("windows ", isa_name()); }
};

// A 1x1 window over any number of axes counts as one over a row.
std::optional<gemm_windows> windows_or_rows(const problem& p) {
    if (auto w = windows_of(p))
        return w;
    const auto &x = p.inputs[0], &y = p.output;
    if (not is_pointwise_convolution(p.op, x, p.inputs[1], y))
        return std::nullopt;
    gemm_windows w{};
    w.channels = int64_t(x.lens()[1]);
    w.height = w.out_height = w.kernel_w = 1;
    w.width = w.out_width = elements_between(x, 2, x.ndim());
    w.stride_h = w.stride_w = w.dilation_h = w.dilation_w = 1;
    w.x_image = strides_of(x)[0];
    w.x_col = *merged_stride(x, 2, x.ndim());
    return w;
}

// Where these kernels are as fast as the library's, whose code for a size is kept for ever.
// Measured on one core of a Xeon: 1x1 windows over 96 channels and more take 0.99 to 1.015 of its
// time (over 64: 1.05), other windows 0.92 to 0.95 with 60 outputs, 1.0 with 40 and 100, but 1.02
// to 1.04 with whole vectors of them, and more where sums are short or windows reach far over the
// edges. With AVX2: 0.97 to 1.02 for all.
bool pays(const problem& p, const window_params& q) {
    constexpr int64_t fewest_channels = 96, shortest_sum = 384, fewest_outputs = 32;
    if (q.places == 1)
        return q.windows.channels >= fewest_channels and q.outputs > fewest_outputs;
    constexpr double least_inside = 0.75;
    constexpr int64_t few_rows = 96;
    return q.places * q.windows.channels >= shortest_sum and q.outputs > fewest_outputs and
           q.outputs % kernels().windows.vector != 0 and
           (q.rows <= few_rows or share_inside(p, q.windows) >= least_inside);
}

std::shared_ptr<const packed_weight> pack(const problem& p) {
    const auto& s = p.inputs[1];
    const auto outputs = int64_t(s.lens()[0]), depth = int64_t(s.elements()) / outputs;
    return packed_form(p, 1, str("windows in place ", isa_name(), ' ', s),
                       std::size_t(window_columns(outputs) * depth),
                       [&](const float* from, float* to) {
                           const auto rows = weights_by_place(from, s);
                           pack_window_weights(rows.data(), depth, outputs, depth, to);
                       });
}

} // namespace

lowered window_convolution(const problem& p) {
    const auto &y = p.output, &w = p.inputs[1];
    const auto windows = windows_or_rows(p);
    if (not windows)
        return lowered::refuse("no windows over images whose channels are neighbours");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    constexpr std::size_t near_weights = 1 << 20;
    if (w.elements() * sizeof(float) >= near_weights)
        return lowered::refuse("weights that fill a cache");
    if (kernels_isa() < isa::avx2) // not measured
        return lowered::refuse("no multiply-adds");
    const auto outputs = int64_t(y.lens()[1]);
    const auto images = int64_t(y.lens()[0]), rows = elements_between(y, 2, y.ndim());
    const auto y_row = merged_stride(y, 2, y.ndim());
    if (not y_row or (images > 1 and strides_of(y)[0] != rows * *y_row))
        return lowered::refuse("gaps in the result");
    const auto places = int64_t(w.elements()) / (outputs * windows->channels);
    constexpr int64_t most_places = 128;
    if (places > most_places)
        return lowered::refuse("large windows");
    auto k = std::make_unique<window_kernel>();
    auto& q = k->params;
    q.windows = *windows;
    q.rows = images * rows;
    q.outputs = outputs;
    q.places = places;
    q.y_row = *y_row;
    if (not pays(p, q))
        return lowered::refuse("few channels or outputs");
    std::string reason;
    auto epilogue = plan_row_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(),
                                      2, y, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    if (images > 1 and not epilogue->merges_images(rows))
        return lowered::refuse("an operand of the epilogue tells images apart");
    k->threads = std::max<int64_t>(1, num_threads());
    block_windows(q, k->threads);
    k->weights = pack(p);
    k->zeros.resize(std::size_t(windows->channels));
    k->bias = epilogue->bias_values(p, std::size_t(window_columns(outputs)));
    k->epilogue = std::move(*epilogue);
    return k;
}

} // namespace migraphx::cpu
