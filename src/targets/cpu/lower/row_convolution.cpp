// SPDX-License-Identifier: MIT
// Large convolutions as products of rows with constant weights: 1x1 windows read rows where they
// lie, others are packed window by window, strip by strip.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/packed_convolution.hpp"
#include "targets/cpu/lower/plan_pairs.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/lower/windows.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

struct row_convolution_kernel : packed_convolution {
    gemm_params params{};
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
        return str("row_gemm", params.windows.channels > 0 ? " of windows" : "",
                   params.paired ? " in pairs" : "");
    }
    std::size_t scratch_bytes() const override {
        return std::size_t(gemm_scratch(params, threads)) * sizeof(float);
    }
    bool fetches_ahead() const override { return true; }
};

// From measurements of the layers of ResNet-50 on two cores with second-level caches of 2 MiB: with
// weights that fill much of a cache the library waits for memory. Here they are fetched ahead,
// which saves 7 to 16 % of 1x1 windows at 1 MiB, 19 to 30 % of those with stride 2 and 5 to 19 % of
// 3x3 ones with stride 2. 1x1 windows whose strips meet eight panels take 5 to 20 % less than read
// in place from 256 KiB on; with four panels, or less weights, packing does not pay. Large results
// that few products go into are fetched as well, with what is added to them (a twentieth to a fifth
// at batch 8). Products in pairs pay wherever there are some rows and panels.
bool pays(const gemm_params& p, bool one_tap, bool adds) {
    constexpr int64_t far_weights = 1 << 20, some_weights = 256 << 10,
                      far_results = 8 << 20; // bytes
    constexpr int64_t many_outputs = 256;
    const auto bytes = [](int64_t floats) { return floats * int64_t(sizeof(float)); };
    const auto weights = bytes(p.k * p.n), results = bytes(p.m * p.n * (adds ? 2 : 1));
    return weights >= far_weights or
           (one_tap and p.n >= many_outputs and weights >= some_weights) or
           (p.windows.channels == 0 and p.n >= 2 * p.k and results > far_results);
}

// Why the windows are not packed as rows, or empty. Few channels or outputs do not pay for it.
std::string set_windows(const problem& p, gemm_windows& to) {
    constexpr std::size_t fewest_channels = 16, fewest_outputs = 128;
    const auto windows = windows_of(p);
    if (not windows)
        return "no windows over images whose channels are neighbours";
    if (p.inputs[0].lens()[1] < fewest_channels or p.output.lens()[1] < fewest_outputs)
        return "few channels";
    // Zeros are multiplied here; the library leaves them out. (Wide dilations: four times as slow.)
    constexpr double least_inside = 0.75;
    if (share_inside(p, *windows) < least_inside)
        return "windows that cover much padding";
    to = *windows;
    return "";
}

// Panels of outputs; their rows are the places of the window, then the channels.
std::shared_ptr<const packed_weight> pack_windows(const problem& p) {
    const auto& s = p.inputs[1];
    const auto outputs = int64_t(s.lens()[0]), depth = int64_t(s.elements()) / outputs;
    return packed_form(p, 1, str("windows ", kernels().gemm.panel, ' ', s),
                       std::size_t(packed_weights_size(depth, outputs)),
                       [&](const float* from, float* to) {
                           const auto rows = weights_by_place(from, s);
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
    const bool in_pairs = p.fast_math and gains_by_pairs(q);
    if (not in_pairs and not pays(q, q.k == int64_t(x.lens()[1]), epilogue->has_operands()))
        return lowered::refuse("weights and results stay in caches");
    k->weights = rows_lie ? pack_pointwise(p, 1) : pack_windows(p);
    if (in_pairs)
        k->pairs = plan_pairs(p, 1, rows_lie ? "1x1" : "windows", *k->weights, q);
    k->threads = std::max<int64_t>(1, num_threads());
    block_gemm(q, k->threads);
    k->bias = epilogue->bias_values(p, std::size_t(packed_weights_size(1, q.n)));
    k->epilogue = std::move(*epilogue);
    return k;
}

} // namespace migraphx::cpu
