// SPDX-License-Identifier: MIT
// block_dot: few rows read the weights as they are (device_code/block_gemv.cuh); for more they are
// made dense, once where they are constant, and the rest is a dot.
#include "base/rounding.hpp"
#include "base/str.hpp"
#include "ops/block_weights.hpp"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/lower/own_form.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/walk.hpp"
#include "targets/gpu/weights.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace migraphx::gpu {

namespace {

std::size_t bits_of(const device_problem& p) {
    return p.op.get<std::size_t>("bits");
}

// Columns and blocks of words, the same elements in x and scales.
std::string refusal(const device_problem& p) {
    const auto type = p.inputs[0].type();
    if (type != shape::float_type and type != shape::half_type and type != shape::bf16_type)
        return "elements of " + p.inputs[0].type_string();
    const auto own = own_inputs(p);
    for (std::size_t i = 1; i < own; i++)
        if (not p.inputs[i].standard())
            return "weights that are not row by row";
    const auto each = 32 / bits_of(p);
    if (p.inputs[0].lens().back() % each != 0 or p.op.get<std::size_t>("block") % each != 0)
        return "columns or blocks that are not whole words";
    return p.inputs[0].lens().back() == 0 ? "nothing to sum" : "";
}

// The product with dense weights, those of a column one after the other.
device_problem as_dot(const device_problem& p) {
    auto d = p;
    const auto own = own_inputs(p);
    const auto& x = p.inputs[0];
    auto lens = x.lens();
    std::vector<std::size_t> strides(lens.size(), 0);
    lens[lens.size() - 2] = x.lens().back();
    lens.back() = p.output.lens().back();
    strides[lens.size() - 2] = 1;
    strides.back() = x.lens().back();
    d.ins = {};
    d.op = make_op(p.modules.empty() ? "dot" : "gpu::dot");
    d.inputs = {x, shape{x.type(), lens, strides}};
    d.inputs.insert(d.inputs.end(), p.inputs.begin() + std::ptrdiff_t(own), p.inputs.end());
    d.constants.assign(2, argument{});
    for (auto i = own; i < p.inputs.size(); i++)
        d.constants.push_back(i < p.constants.size() ? p.constants[i] : argument{});
    return d;
}

std::string byte_type(const device_problem& p) {
    return device_type(p.inputs[1].type());
}

// "const mgx::i8* q, const mgx::half* scale, const mgx::i8* zero, "
std::string weight_parameters(const device_problem& p) {
    const auto type = byte_type(p);
    return str("const mgx::", type, "* q, const mgx::", device_type(p.inputs[2].type()),
               "* scale, ", own_inputs(p) == 4 ? str("const mgx::", type, "* zero, ") : "");
}
std::string zero_argument(const device_problem& p) {
    return own_inputs(p) == 4 ? "zero" : str("static_cast<const ", byte_type(p), "*>(nullptr)");
}

std::vector<char> params_of(const device_problem& p, const mgx::gemm_params& product) {
    param_block block;
    block.add(mgx::block_params{product, int(p.op.get<std::size_t>("block")),
                                int(p.inputs[2].lens()[1])});
    return block.data();
}

lowered few_rows(const device_problem& p) {
    auto reason = refusal(p);
    if (not reason.empty())
        return lowered::refuse(std::move(reason));
    const auto d = as_dot(p);
    const auto f = own_form_of(d, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    const auto& w = f->what;
    constexpr int64_t most_rows = 8;
    if (w.m > most_rows or not w.batch.empty())
        return lowered::refuse(str(w.m * w.batches(), " rows"));
    if (w.a.column != 1)
        return lowered::refuse("elements of x that are not neighbours");
    // Enough warps for all of the device: columns' sums are split where there are few.
    constexpr int warps = 8;
    const int rows = w.m <= 1 ? 1 : (w.m <= 2 ? 2 : (w.m <= 4 ? 4 : 8));
    const int columns = w.n < 2048 ? 1 : (rows <= 2 ? 4 : 2);
    const auto wanted = int64_t(p.on->properties().multiprocessors) * 16;
    int split = 1;
    while (split < warps and blocks_of(w.n, columns) * split < wanted and w.k / (split * 2) >= 1024)
        split *= 2;
    const auto type = device_type(p.inputs[0].type());
    std::string operands;
    for (auto i : f->operands)
        operands += str("const mgx::", device_type(d.inputs[i].type()), "* in", i, ", ");
    generated g;
    g.name = str("block_gemv ", bits_of(p), " bits ", rows, 'x', columns, 'x', split,
                 f->finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source = str(precision_text(p), "#include \"block_gemv.cuh\"\n", tail_text(*f, d),
                   "MGX_KERNEL_BOUNDS(", warps * 32, ") void product(const mgx::", type, "* x, ",
                   weight_parameters(p), operands, "mgx::", device_type(p.output.type()),
                   "* out, mgx::block_params p) {\n    using namespace mgx;\n    const ",
                   tail_of(*f), ";\n    block_gemv<", type, ", ", byte_type(p), ", ", bits_of(p),
                   ", ", rows, ", ", columns, ", ", split, ", ", warps, ">(x, q, scale, ",
                   zero_argument(p), ", p, t);\n}\n");
    g.launch.grid = {blocks_of(w.n, int64_t(warps / split) * columns), blocks_of(w.m, rows)};
    g.launch.block = {warps * 32};
    g.params = params_of(p, gemm_params_of(w));
    return make_generated(p, std::move(g));
}

// The product reads dense weights: constants of the device, or what a launch before it has made.
struct dense_product : kernel {
    std::unique_ptr<kernel> product, make; ///< `make`: null where `weights` is not
    device_weight weights;
    std::size_t own = 3, inputs = 0, dense_bytes = 0;

    void run(const kernel_args& args) const override {
        auto* dense = weights ? weights->data.get() : args.scratch;
        if (make)
            make->run({args.inputs + 1, &dense, nullptr, args.queue});
        std::vector<char*> list{args.inputs[0], dense};
        list.insert(list.end(), args.inputs + own, args.inputs + inputs);
        product->run({list.data(), args.outputs, args.scratch + dense_bytes, args.queue});
    }
    std::size_t scratch_bytes() const override { return dense_bytes + product->scratch_bytes(); }
    std::string name() const override {
        return str(make ? "dense weights + " : "", product->name());
    }
    bool reads_input(std::size_t i) const override { return i == 0 or i >= own or make != nullptr; }
    void add_constants(held_constants& held) const override {
        if (weights)
            weights->add_to(held);
        product->add_constants(held);
    }
};

// Made once for all sizes of x.
device_weight constant_weights(const device_problem& p, const shape& dense) {
    const auto bits = bits_of(p), block = p.op.get<std::size_t>("block");
    const std::vector<argument> in(p.constants.begin() + 1,
                                   p.constants.begin() + std::ptrdiff_t(own_inputs(p)));
    auto layout = str("dense block weights ", dense.type_string(), ' ', p.inputs[1].type_string(),
                      ' ', bits, ' ', block);
    for (std::size_t i = 1; i < in.size(); i++)
        layout +=
            str(' ', std::hash<std::string_view>{}({in[i].data(), in[i].get_shape().bytes()}));
    return device_constant(*p.on, in[0], layout, dense.bytes(), [&](char* to) {
        block_weights(argument{dense, to}, in, bits, block);
    });
}

lowered dense_weights(const device_problem& p) {
    if (auto reason = refusal(p); not reason.empty())
        return lowered::refuse(std::move(reason));
    const auto d = as_dot(p);
    auto k = std::make_unique<dense_product>();
    k->own = own_inputs(p);
    k->inputs = p.inputs.size();
    k->product = gpu::lower(d);
    if (runs_on_host(*k->product))
        return lowered::refuse("the product runs on the host");
    const auto n = p.inputs[1].lens()[0], columns = p.inputs[0].lens().back();
    const shape dense{p.inputs[0].type(), {n, columns}};
    bool constant = true;
    for (std::size_t i = 1; i < k->own; i++)
        constant = constant and p.is_constant(i);
    if (constant) {
        k->weights = constant_weights(p, dense);
        return k;
    }
    device_problem m = p;
    m.ins = {};
    m.modules.clear();
    m.inputs.assign(p.inputs.begin() + 1, p.inputs.begin() + std::ptrdiff_t(k->own));
    m.constants.assign(m.inputs.size(), argument{});
    m.output = dense;
    mgx::gemm_params sizes{};
    sizes.n = int(n);
    sizes.k = int(columns);
    const auto type = device_type(dense.type());
    generated g;
    g.name = "dense weights";
    g.entry = "weights";
    g.source = str("#include \"block_gemv.cuh\"\nMGX_KERNEL_BOUNDS(", block_size, ") void weights(",
                   weight_parameters(p), "mgx::", type,
                   "* out, mgx::block_params p) {\n    using namespace mgx;\n    block_weights<",
                   type, ", ", byte_type(p), ", ", bits_of(p), ">(q, scale, ", zero_argument(p),
                   ", out, p);\n}\n");
    g.launch = launch_for(*p.on, int64_t(n * columns * bits_of(p) / 32));
    g.params = params_of(p, sizes);
    k->make = make_generated(m, std::move(g));
    k->dense_bytes = round_up(dense.bytes(), 256);
    return k;
}

const implementations choices{{"block_dot", "gpu::block_dot"},
                              {{"few rows", few_rows}, {"dense weights", dense_weights}}};

} // namespace

} // namespace migraphx::gpu
