// SPDX-License-Identifier: MIT
// 1x1 convolutions of many positions: the product of rows that such a convolution is.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lower/separable.hpp"

#include "base/parallel.hpp"

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
    std::string name() const override { return "row_gemm"; }
    std::size_t scratch_bytes() const override {
        return std::size_t(gemm_scratch(params, threads)) * sizeof(float);
    }
    bool reads_input(std::size_t i) const override { return i != 1 and i != epilogue.bias; }
    void add_constants(held_constants& held) const override { weights->add_to(held); }
};

// From measurements of the layers of ResNet-50 on two cores with second-level caches of 2 MiB: the
// library is as fast or a tenth faster where weights stay in a cache, but it waits for memory.
// Weights from afar are fetched ahead here, which saves a quarter at batch 1; large results that
// few products go into are as well, with what is added to them (a twentieth to a fifth at batch 8).
bool pays(const gemm_params& p, bool adds) {
    constexpr int64_t near_weights = 2 << 20, near_results = 8 << 20; // bytes
    const auto bytes = [](int64_t floats) { return floats * int64_t(sizeof(float)); };
    return bytes(p.k * p.n) > near_weights or
           (p.n >= 2 * p.k and bytes(p.m * p.n * (adds ? 2 : 1)) > near_results);
}

} // namespace

lowered row_convolution(const problem& p) {
    const auto &x = p.inputs[0], &y = p.output;
    if (not is_pointwise_convolution(p.op, x, p.inputs[1], y))
        return lowered::refuse("not a product of rows");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    if (kernels_isa() < isa::avx512) // not measured
        return lowered::refuse("no vectors of 16 floats");
    const auto images = x.lens()[0];
    const auto rows = elements_between(x, 2, x.ndim());
    const auto x_row = merged_stride(x, 2, x.ndim()), y_row = merged_stride(y, 2, y.ndim());
    if (images > 1 and (strides_of(x)[0] != rows * *x_row or strides_of(y)[0] != rows * *y_row))
        return lowered::refuse("gaps between the images");
    std::string reason;
    auto epilogue = plan_row_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(),
                                      2, y, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    if (images > 1 and not epilogue->merges_images(rows))
        return lowered::refuse("an operand of the epilogue tells images apart");
    auto k = std::make_unique<row_convolution_kernel>();
    auto& q = k->params;
    q.m = int64_t(images) * rows;
    q.n = int64_t(y.lens()[1]);
    q.k = int64_t(x.lens()[1]);
    q.a_row = *x_row;
    q.c_row = *y_row;
    if (not pays(q, epilogue->has_operands()))
        return lowered::refuse("weights and results stay in caches");
    k->threads = std::max<int64_t>(1, num_threads());
    block_gemm(q, k->threads);
    k->weights = pack_pointwise(p, 1);
    k->bias = epilogue->bias_values(p, std::size_t(packed_weights_size(1, q.n)));
    k->epilogue = std::move(*epilogue);
    return k;
}

} // namespace migraphx::cpu
