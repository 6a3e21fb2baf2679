// SPDX-License-Identifier: MIT
// Convolutions of few channels, as the first of a network, whose image is read in the order it has.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/kernels/dispatch/run_planes.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/packed_convolution.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/lower/windows.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

float* floats(char* p) {
    return reinterpret_cast<float*>(p);
}

struct plane_kernel : packed_convolution {
    plane_params params{};
    int64_t images = 1, threads = 1;

    void run(const kernel_args& args) const override {
        auto q = params;
        q.x = floats(args.inputs[0]);
        q.w = floats(weights->data.get());
        q.bias = bias.data();
        q.y = floats(args.outputs[0]);
        q.epilogue = epilogue.bound(args, bias.data());
        run_planes(q, floats(args.scratch), images, threads);
    }
    std::size_t scratch_bytes() const override {
        return std::size_t(planes_scratch(params, threads)) * sizeof(float);
    }
    std::string name() const override { return str("planes ", isa_name()); }
};

// What keeps the kernel from it, or a slower one than the library's; null: nothing.
const char* refusal(const problem& p, const plane_params& q) {
    const auto& w = q.windows;
    constexpr int64_t most_channels = 4, fewest_outputs = 9;
    if (w.channels > most_channels)
        return "many channels";
    if (w.stride_w > planes_kernels::most_stride)
        return "large steps";
    if (w.channels * q.kernel_h * w.kernel_w > planes_kernels::most_taps)
        return "large windows";
    if (q.outputs < fewest_outputs)
        return "few outputs";
    if (w.pad_top < 0 or w.pad_left < 0)
        return "negative padding";
    const auto& lens = p.inputs[1].lens();
    if (std::all_of(lens.begin() + 2, lens.end(), [](auto n) { return n == 1; }))
        return "a product of rows";
    if (kernels_isa() < isa::avx2 or kernels_isa() > isa::avx512) // not measured
        return "another instruction set";
    return nullptr;
}

std::optional<plane_params> describe(const problem& p) {
    const auto w = windows_of_planes(p);
    if (not w)
        return std::nullopt;
    const auto &x = p.inputs[0], &y = p.output, &weights = p.inputs[1];
    const auto ys = strides_of(y);
    const bool plane = x.ndim() == 4;
    plane_params q{};
    q.windows = *w;
    q.x_channel = strides_of(x)[1];
    q.kernel_h = plane ? int64_t(weights.lens()[2]) : 1;
    q.outputs = int64_t(y.lens()[1]);
    q.y_image = ys[0];
    q.y_row = plane ? ys[2] : 0;
    q.y_col = ys.back();
    return q;
}

// Rows of the matrix are channels, then places of the window.
std::shared_ptr<const packed_weight> pack(const problem& p) {
    const auto& s = p.inputs[1];
    const auto outputs = int64_t(s.lens()[0]), channels = int64_t(s.lens()[1]);
    const auto depth = int64_t(s.elements()) / outputs, places = depth / channels;
    return packed_form(
        p, 1, str("planes ", isa_name(), ' ', s), std::size_t(packed_weights_size(depth, outputs)),
        [&](const float* from, float* to) {
            const auto rows = weights_by_place(from, s);
            std::vector<float> w(rows.size());
            for (int64_t i = 0; i < int64_t(w.size()); i++) {
                const auto o = i / depth, c = i / places % channels;
                w[std::size_t(i)] = rows[std::size_t(o * depth + i % places * channels + c)];
            }
            pack_gemm_weights({w.data(), depth, outputs, 1, depth}, to);
        });
}

} // namespace

namespace {

const implementations plane_choices{{"cpu::plane_convolution"}, {{"planes", plane_convolution}}};

} // namespace

bool is_plane_convolution(const operation& op, const shape& x, const shape& w, const shape& y) {
    problem p{};
    p.op = op;
    p.inputs = {x, w};
    p.output = y;
    const auto q = describe(p);
    return q and refusal(p, *q) == nullptr;
}

lowered plane_convolution(const problem& p) {
    const auto q = describe(p);
    if (not q)
        return lowered::refuse("no image, or channels of the result that are no neighbours");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    if (const auto* reason = refusal(p, *q))
        return lowered::refuse(reason);
    std::string reason;
    auto epilogue = plan_row_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(),
                                      2, p.output, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    auto k = std::make_unique<plane_kernel>();
    k->params = *q;
    k->images = int64_t(p.output.lens()[0]);
    k->threads = std::max<int64_t>(1, num_threads());
    k->weights = pack(p);
    k->bias = epilogue->bias_values(p, std::size_t(packed_weights_size(1, q->outputs)));
    k->epilogue = std::move(*epilogue);
    return k;
}

} // namespace migraphx::cpu
