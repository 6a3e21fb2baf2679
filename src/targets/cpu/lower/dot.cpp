// SPDX-License-Identifier: MIT
// Matrix products: own kernels for few rows and for constant weights, the rest with oneDNN; weights
// are packed at compile time.
#include "targets/cpu/lower/dot.hpp"
#include "targets/cpu/kernels/dispatch/run_small_gemm.hpp"
#include "targets/cpu/lower/split_product.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/post_ops.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"

namespace migraphx::cpu {

namespace {

// An operand of the epilogue for the flattened product: its rows merge too.
bool flat_operand(const shape& s, int64_t m, int64_t n, dnnl::memory::desc& desc) {
    const auto r = s.ndim();
    const auto last = s.strides()[r - 1];
    const bool constant_rows =
        std::all_of(s.strides().begin(), s.strides().end() - 1, [](auto x) { return x == 0; }) or
        m == 1;
    int64_t step = 0;
    if (not constant_rows and not merged_rows(s, step))
        return false;
    if (last == 0 and n != 1)
        desc = dnnl_desc(s.type(), {constant_rows ? 1 : m, 1}, {constant_rows ? 1 : step, 1});
    else if (last == 1 or n == 1)
        desc = dnnl_desc(s.type(), {constant_rows ? 1 : m, n}, {constant_rows ? n : step, 1});
    else
        return false;
    return constant_rows or step != 0;
}

struct thin_kernel : kernel {
    small_gemm_params params{};
    std::shared_ptr<const packed_weight> packed;
    std::size_t bias_input = 0;
    bool has_bias = false;

    void run(const kernel_args& args) const override {
        auto q = params;
        q.a = reinterpret_cast<const float*>(args.inputs[0]);
        q.b =
            reinterpret_cast<const float*>(packed != nullptr ? packed->data.get() : args.inputs[1]);
        q.c = reinterpret_cast<float*>(args.outputs[0]);
        q.bias = has_bias ? reinterpret_cast<const float*>(args.inputs[bias_input]) : nullptr;
        if (packed != nullptr)
            run_packed_gemm(q);
        else
            run_thin_gemm(q);
    }
    std::string name() const override { return packed != nullptr ? "packed_gemm" : "thin_gemm"; }
    bool reads_input(std::size_t i) const override { return i != 1 or packed == nullptr; }
    void add_constants(held_constants& held) const override {
        if (packed != nullptr)
            packed->add_to(held);
    }
    std::span<const char> streamed() const override {
        return packed != nullptr and params.m <= 4 ? packed->memory() : std::span<const char>{};
    }
};

// Products with few rows: bound by reading the weights.
lowered thin(const problem& p) {
    if (auto r = product_refusal(p); not r.empty())
        return lowered::refuse(r);
    flat_product f;
    if (not as_flat(p, f))
        return lowered::refuse("a batch of matrices, or rows that do not merge");
    if (f.m > 8)
        return lowered::refuse(str(f.m, " rows"));
    auto k = std::make_unique<thin_kernel>();
    if (not p.modules.empty()) {
        auto chain = as_post_operations(*p.modules.front(), "x0");
        if (chain and not chain->empty() and chain->back().algorithm == post_algorithm::relu and
            chain->back().alpha == 0) {
            k->params.relu = true;
            chain->pop_back();
        }
        if (not chain or chain->size() > 1 or
            (chain->size() == 1 and chain->front().algorithm != post_algorithm::add))
            return lowered::refuse("an epilogue beyond a bias and relu");
        k->has_bias = not chain->empty();
        k->bias_input = 2;
    }
    if (k->has_bias) {
        const auto& s = p.inputs.at(2);
        for (std::size_t i = 0; i + 1 < s.ndim(); i++)
            if (s.strides()[i] != 0 and s.lens()[i] != 1)
                return lowered::refuse("an epilogue beyond a bias");
        if (s.strides().back() != 1 and s.lens().back() != 1)
            return lowered::refuse("an epilogue beyond a bias");
    }
    auto& q = k->params;
    q.m = f.m;
    q.n = f.n;
    q.k = f.k;
    q.a_row = f.a_row;
    q.a_k = f.a_k;
    q.b_k = f.b_k;
    q.b_n = f.b_n;
    q.c_row = f.c_row;
    // From memory, columns that lie as the product reads them stream as fast as panels do
    // (4096 x 4096, one row: 0.98 ms against 0.95; 25088 x 4096: 8.0 against 8.3).
    constexpr int64_t beyond_caches = 4 << 20; // elements
    const bool streams =
        q.b_k == 1 and q.a_k == 1 and
        (p.variant == 0 ? q.m <= 2 and q.k * q.n >= beyond_caches : p.variant == 2);
    if (p.is_constant(1) and not streams) {
        k->packed = p.weights->get(
            p.constants[1], str("panels ", kernels().small_gemm.panel(q.m), ' ', p.inputs[1]), [&] {
                auto w = allocate_weight(std::size_t(packed_gemm_size(q)) * sizeof(float));
                auto with_b = q;
                with_b.b = reinterpret_cast<const float*>(p.constants[1].data());
                pack_gemm(with_b, reinterpret_cast<float*>(w.data.get()));
                return w;
            });
        return k;
    }
    if (not(q.b_n == 1 or (q.b_k == 1 and q.a_k == 1)))
        return lowered::refuse("weights in another order");
    return k;
}

lowered matmul_kernel(const problem& p, fused_epilogue& e, const dnnl::memory::desc& a,
                      const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                      const dnnl::memory::desc& bias) {
    using place = dnnl_kernel::operand::place;
    const bool small = runs_inline(p.output.elements() * p.inputs[0].lens().back());
    const thread_count_guard threads(small ? 1 : 0);
    try {
        const auto wanted = weights_to_ask_for(p, b);
        auto pd = e.bias ? dnnl::matmul::primitive_desc(dnnl_engine(), a, wanted, bias, c, e.attr)
                         : dnnl::matmul::primitive_desc(dnnl_engine(), a, wanted, c, e.attr);
        if (not skip_implementations(pd, p.variant))
            return lowered::refuse("no more implementations");
        std::vector<dnnl_kernel::operand> operands;
        operands.push_back({DNNL_ARG_SRC, a, place::input, 0});
        operands.push_back(weights_operand(p, b, pd.weights_desc()));
        if (e.bias)
            operands.push_back({DNNL_ARG_BIAS, bias, place::input, *e.bias});
        operands.push_back({DNNL_ARG_DST, c, place::output, 0});
        operands.insert(operands.end(), e.operands.begin(), e.operands.end());
        auto k = std::make_unique<dnnl_kernel>(str("dnnl::matmul ", pd.impl_info_str()),
                                               dnnl::primitive(pd), pd.scratchpad_desc(),
                                               std::move(operands));
        if (small)
            k->keep_inline();
        return k;
    } catch (const dnnl::error& error) {
        return lowered::refuse(str("oneDNN: ", error.what()));
    }
}

// One B for all rows: a product of two matrices, whatever the rank.
lowered flat_matmul(const problem& p) {
    if (auto r = product_refusal(p); not r.empty())
        return lowered::refuse(r);
    flat_product f;
    if (not as_flat(p, f))
        return lowered::refuse("a batch of matrices, or rows that do not merge");
    auto epilogue = make_epilogue(p, 2, p.output.ndim() - 1);
    if (not epilogue.epilogue)
        return lowered::refuse(epilogue.reason);
    auto& e = *epilogue.epilogue;
    if (f.a_k != 1 and f.a_row != 1)
        return lowered::refuse("neither rows nor columns of A are contiguous");
    // The operands of the epilogue follow the flattened rows.
    dnnl::post_ops flat;
    const auto ops = e.attr.get_post_ops();
    std::size_t binary = 0;
    for (int i = 0; i < ops.len(); i++) {
        if (ops.kind(i) == dnnl::primitive::kind::eltwise) {
            dnnl::algorithm a;
            float alpha, beta;
            ops.get_params_eltwise(i, a, alpha, beta);
            flat.append_eltwise(a, alpha, beta);
            continue;
        }
        dnnl::algorithm a;
        dnnl::memory::desc old;
        ops.get_params_binary(i, a, old);
        auto& o = e.operands.at(binary++);
        if (not flat_operand(p.inputs[o.index], f.m, f.n, o.desc))
            return lowered::refuse("an operand of the epilogue whose rows do not merge");
        flat.append_binary(a, o.desc);
    }
    e.attr.set_post_ops(flat);
    return matmul_kernel(p, e, dnnl_desc(shape::float_type, {f.m, f.k}, {f.a_row, f.a_k}),
                         dnnl_desc(shape::float_type, {f.k, f.n}, {f.b_k, f.b_n}),
                         dnnl_desc(shape::float_type, {f.m, f.n}, {f.c_row, 1}),
                         dnnl_desc(shape::float_type, {1, f.n}, {f.n, 1}));
}

struct batched_kernel : kernel {
    small_gemm_params params{};
    void run(const kernel_args& args) const override {
        auto q = params;
        q.a = reinterpret_cast<const float*>(args.inputs[0]);
        q.b = reinterpret_cast<const float*>(args.inputs[1]);
        q.c = reinterpret_cast<float*>(args.outputs[0]);
        run_batched_gemm(q);
    }
    std::string name() const override { return "batched_gemm"; }
};

lowered tiny_batch(const problem& p) {
    if (auto r = product_refusal(p); not r.empty())
        return lowered::refuse(r);
    const auto& a = p.inputs[0];
    const auto& b = p.inputs[1];
    const auto& c = p.output;
    const auto r = a.ndim();
    if (not p.modules.empty())
        return lowered::refuse("an epilogue");
    if (r - 2 > std::size_t(small_gemm_params::max_rank))
        return lowered::refuse("too many batch axes");
    const auto m = a.lens()[r - 2], k = a.lens()[r - 1], n = b.lens()[r - 1];
    if (m > 64 or k > 64 or n > 64)
        return lowered::refuse("matrices larger than 64");
    if (n != 1 and c.strides()[r - 1] != 1)
        return lowered::refuse("columns of the result are not contiguous");
    auto kern = std::make_unique<batched_kernel>();
    auto& q = kern->params;
    q.m = int64_t(m);
    q.n = int64_t(n);
    q.k = int64_t(k);
    q.a_row = int64_t(a.strides()[r - 2]);
    q.a_k = int64_t(a.strides()[r - 1]);
    q.b_k = int64_t(b.strides()[r - 2]);
    q.b_n = n == 1 ? 1 : int64_t(b.strides()[r - 1]);
    q.c_row = int64_t(c.strides()[r - 2]);
    q.rank = int32_t(r - 2);
    for (std::size_t i = 0; i + 2 < r; i++) {
        q.lens[i] = int64_t(c.lens()[i]);
        q.a_steps[i] = a.lens()[i] == 1 ? 0 : int64_t(a.strides()[i]);
        q.b_steps[i] = b.lens()[i] == 1 ? 0 : int64_t(b.strides()[i]);
        q.c_steps[i] = int64_t(c.strides()[i]);
    }
    if (q.b_n != 1 and q.k > small_gemm_params::tiny)
        return lowered::refuse("columns of B are not contiguous");
    return kern;
}

lowered matmul(const problem& p) {
    if (auto r = product_refusal(p); not r.empty())
        return lowered::refuse(r);
    auto epilogue = make_epilogue(p, 2, p.output.ndim() - 1);
    if (not epilogue.epilogue)
        return lowered::refuse(epilogue.reason);
    auto& e = *epilogue.epilogue;
    const auto r = p.output.ndim();
    std::vector<int64_t> bias_dims(r, 1), bias_strides(r, int64_t(p.output.lens().back()));
    bias_dims.back() = int64_t(p.output.lens().back());
    bias_strides.back() = 1;
    return matmul_kernel(p, e, dnnl_broadcast_desc(p.inputs[0]), dnnl_broadcast_desc(p.inputs[1]),
                         dnnl_desc(p.output),
                         dnnl_desc(shape::float_type, bias_dims, bias_strides));
}

const implementations dot_choices{{"dot", "cpu::dot"},
                                  {{"thin_gemm", thin, 2},
                                   {"split_product", split_dot_kernel},
                                   {"row_gemm", row_product_kernel},
                                   {"dnnl::matmul (flat)", flat_matmul, 1},
                                   {"batched_gemm", tiny_batch},
                                   {"dnnl::matmul", matmul, 1}}};

} // namespace

} // namespace migraphx::cpu
