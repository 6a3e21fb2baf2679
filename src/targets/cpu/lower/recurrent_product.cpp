// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/recurrent_product.hpp"

#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/kernels/dispatch/run_small_gemm.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>

namespace migraphx::cpu {

void gate_product::run(const kernel_args& args, const float* a, const float* bias, float* c,
                       char* scratch) const {
    if (tiles) {
        auto q = *tiles;
        q.a = a;
        q.b = reinterpret_cast<const float*>(packed->data.get());
        q.c = c;
        q.epilogue.bias = bias;
        run_gemm(q, reinterpret_cast<float*>(scratch), threads);
        return;
    }
    if (library != nullptr) {
        char* in[] = {reinterpret_cast<char*>(const_cast<float*>(a))};
        char* out[] = {reinterpret_cast<char*>(c)};
        library->run({in, out, scratch});
        return;
    }
    auto q = params;
    q.a = a;
    q.c = c;
    q.bias = bias;
    q.b = packed != nullptr ? reinterpret_cast<const float*>(packed->data.get())
                            : reinterpret_cast<const float*>(args.inputs[input]) + offset;
    if (packed != nullptr)
        run_packed_gemm(q);
    else
        run_thin_gemm(q);
}

std::size_t gate_product::scratch_bytes() const {
    if (tiles)
        return std::size_t(gemm_scratch(*tiles, threads)) * sizeof(float);
    return library == nullptr ? 0 : library->scratch_bytes();
}

void gate_product::add_constants(held_constants& held) const {
    if (library != nullptr)
        library->add_constants(held);
    else if (packed != nullptr)
        packed->add_to(held);
}

gate_product make_product(const problem& p, std::size_t input, product_rows rows, int64_t m,
                          int64_t a_row, int64_t c_row) {
    constexpr int64_t tile_rows = 24; // from here on a blocked product pays
    const auto k = int64_t(p.inputs[input].lens().back()), n = int64_t(rows.n);
    gate_product g;
    auto& q = g.params;
    q.m = m;
    q.n = n;
    q.k = k;
    q.a_row = a_row;
    q.a_k = 1;
    q.b_k = 1;
    q.b_n = k;
    q.c_row = c_row;
    g.input = input;
    g.offset = rows.first * std::size_t(k);
    if (not p.is_constant(input))
        return g;
    const auto part = p.constants[input].view(shape{shape::float_type, {rows.n, std::size_t(k)}},
                                              g.offset * sizeof(float));
    if (m >= tile_rows and kernels_isa() != isa::baseline) {
        gemm_params t{};
        t.m = m;
        t.n = n;
        t.k = k;
        t.a_row = a_row;
        t.c_row = c_row;
        t.halved = p.fast_math and gains_by_halves(t);
        g.threads = std::max<int64_t>(1, num_threads());
        block_gemm(t, g.threads);
        g.tiles = t;
        g.packed = p.weights->get(
            part, str("columns ", kernels().gemm.panel, " transposed ", n, "x", k), [&] {
                auto w = allocate_weight(std::size_t(packed_weights_size(k, n)) * sizeof(float));
                pack_gemm_weights({reinterpret_cast<const float*>(part.data()), k, n, 1, k},
                                  reinterpret_cast<float*>(w.data.get()));
                return w;
            });
        return g;
    }
    if (m >= tile_rows) {
        const auto a = dnnl_desc(shape::float_type, {m, k}, {a_row, 1});
        const auto b = dnnl_desc(shape::float_type, {k, n}, {1, k});
        const auto c = dnnl_desc(shape::float_type, {m, n}, {c_row, 1});
        dnnl::primitive_attr attr;
        attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const dnnl::memory::desc any(b.get_dims(), b.get_data_type(),
                                     dnnl::memory::format_tag::any);
        const dnnl::matmul::primitive_desc pd(dnnl_engine(), a, any, c, attr);
        using place = dnnl_kernel::operand::place;
        std::vector<dnnl_kernel::operand> operands{{DNNL_ARG_SRC, a, place::input, 0}};
        operands.push_back({DNNL_ARG_WEIGHTS, pd.weights_desc(), place::constant, 0,
                            pack_weight(*p.weights, part, b, pd.weights_desc())});
        operands.push_back({DNNL_ARG_DST, c, place::output, 0});
        g.library = std::make_shared<dnnl_kernel>("dnnl::matmul", dnnl::primitive(pd),
                                                  pd.scratchpad_desc(), std::move(operands));
        return g;
    }
    g.packed = p.weights->get(
        part, str("panels ", kernels().small_gemm.panel(m), " transposed ", n, "x", k), [&] {
            auto w = allocate_weight(std::size_t(packed_gemm_size(q)) * sizeof(float));
            auto with_b = q;
            with_b.b = reinterpret_cast<const float*>(part.data());
            pack_gemm(with_b, reinterpret_cast<float*>(w.data.get()));
            return w;
        });
    return g;
}

} // namespace migraphx::cpu
