// SPDX-License-Identifier: MIT
// Products of many rows with constant weights by own register tiles, the epilogue in them.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/lower/dot.hpp"
#include "targets/cpu/lower/plan_pairs.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

const float* floats(const char* p) {
    return reinterpret_cast<const float*>(p);
}

struct row_gemm_kernel : kernel {
    gemm_params params{};
    planned_epilogue epilogue;
    std::shared_ptr<const packed_weight> weights, pairs;
    int64_t threads = 1;
    static constexpr int64_t few_rows = 4;

    void run(const kernel_args& args) const override {
        auto q = params;
        q.a = floats(args.inputs[0]);
        q.b = floats(weights->data.get());
        q.c = reinterpret_cast<float*>(args.outputs[0]);
        q.epilogue =
            epilogue.bound(args, epilogue.bias ? floats(args.inputs[*epilogue.bias]) : nullptr);
        run_gemm(q, reinterpret_cast<float*>(args.scratch), threads);
    }
    std::string name() const override {
        return params.paired   ? "row_gemm in pairs"
               : params.halved ? "row_gemm by halves"
                               : "row_gemm";
    }
    std::size_t scratch_bytes() const override {
        return std::size_t(gemm_scratch(params, threads)) * sizeof(float);
    }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override {
        weights->add_to(held);
        if (pairs)
            pairs->add_to(held);
    }
    std::span<const char> streamed() const override {
        return params.m <= few_rows ? weights->memory() : std::span<const char>{};
    }
    bool fetches_ahead() const override { return params.m > few_rows; }
};

} // namespace

lowered row_product_kernel(const problem& p) {
    if (auto r = product_refusal(p); not r.empty())
        return lowered::refuse(r);
    if (kernels_isa() == isa::baseline)
        return lowered::refuse("no fused multiply-add");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    flat_product f;
    if (not as_flat(p, f))
        return lowered::refuse("a batch of matrices, or rows that do not merge");
    if (f.a_k != 1)
        return lowered::refuse("rows of A are not contiguous");
    std::string reason;
    auto epilogue = plan_product_epilogue(
        inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(), 2, p.output, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    auto k = std::make_unique<row_gemm_kernel>();
    k->epilogue = std::move(*epilogue);
    auto& q = k->params;
    q.m = f.m;
    q.n = f.n;
    q.k = f.k;
    q.a_row = f.a_row;
    q.c_row = f.c_row;
    k->weights = p.weights->get(
        p.constants[1], str("columns ", kernels().gemm.panel, ' ', p.inputs[1]), [&] {
            auto w = allocate_weight(std::size_t(packed_weights_size(f.k, f.n)) * sizeof(float));
            pack_gemm_weights({floats(p.constants[1].data()), f.k, f.n, f.b_k, f.b_n},
                              reinterpret_cast<float*>(w.data.get()));
            return w;
        });
    if (p.fast_math and gains_by_pairs(q))
        k->pairs = plan_pairs(p, 1, "columns", *k->weights, q);
    q.halved = p.fast_math and not q.paired and gains_by_halves(q);
    k->threads = std::max<int64_t>(1, num_threads());
    block_gemm(q, k->threads);
    return k;
}

} // namespace migraphx::cpu
