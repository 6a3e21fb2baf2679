// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/own_form.hpp"

#include "base/str.hpp"
#include "codegen/device_text.hpp"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/walk.hpp"

#include <migraphx/common_shape.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace migraphx::gpu {

std::optional<own_form> own_form_of(const device_problem& p, std::string& reason) {
    own_form f;
    auto stated = stated_product(p, p.output);
    const auto own = own_inputs(p);
    std::vector<shape> own_shapes(p.inputs.begin(), p.inputs.begin() + std::ptrdiff_t(own));
    const auto name = p.op.name();
    f.anchor =
        make_op(name.substr(name.starts_with("gpu::") ? 5 : 0)).compute_shape(own_shapes).type();
    for (auto t : {stated.a.type, stated.b.type, stated.d.type, f.anchor})
        if (device_type(t).empty()) {
            reason = "elements of " + shape::name(t);
            return std::nullopt;
        }
    if (own == 4)
        for (std::size_t i = 0; i < 2; i++) {
            if (p.inputs[i + 2].type() != shape::float_type) {
                reason = "scales of " + p.inputs[i + 2].type_string();
                return std::nullopt;
            }
            auto s = matrix_of(make_bcast_shape(p.inputs[i + 2], p.inputs[i].lens()));
            auto& along_k = i == 0 ? s.column : s.row;
            if (along_k != 0) {
                reason = "scales that differ along k";
                return std::nullopt;
            }
            stated.operands.push_back(std::move(s));
            f.operands.push_back(i + 2);
            f.scales = 2;
        }
    for (std::size_t i = own; i < p.inputs.size(); i++) {
        if (p.inputs[i].lens() != p.output.lens() or device_type(p.inputs[i].type()).empty()) {
            reason = "an operand of the epilogue in other dimensions";
            return std::nullopt;
        }
        stated.operands.push_back(matrix_of(p.inputs[i]));
        f.operands.push_back(i);
    }
    if (not p.modules.empty())
        try {
            f.finish = codegen::device_function(*p.modules.front(), "finish_value");
        } catch (const exception& e) {
            reason = e.what();
            return std::nullopt;
        }
    f.what = simplify(std::move(stated));
    constexpr int64_t most = std::numeric_limits<int32_t>::max() / 2;
    if (f.what.m > most or f.what.n > most or f.what.k > most or f.what.batches() > most) {
        reason = "more than 2^30 rows, columns or matrices";
        return std::nullopt;
    }
    if (f.what.batch.size() > mgx::gemm_most_axes or f.operands.size() > mgx::gemm_most_operands) {
        reason = "too many axes or operands";
        return std::nullopt;
    }
    if (p.output.elements() == 0) {
        reason = "nothing to compute";
        return std::nullopt;
    }
    return f;
}

mgx::gemm_params gemm_params_of(const gemm_problem& p) {
    mgx::gemm_params q{};
    const auto unused = std::size_t(mgx::gemm_most_axes) - p.batch.size();
    const auto steps = [&](const gemm_matrix& x) {
        mgx::gemm_steps s{};
        s.row = x.row;
        s.column = x.column;
        std::copy(x.batch.begin(), x.batch.end(), s.batch + unused);
        return s;
    };
    q.a = steps(p.a);
    q.b = steps(p.b);
    q.d = steps(p.d);
    for (std::size_t i = 0; i < p.operands.size(); i++)
        q.operands[i] = steps(p.operands[i]);
    std::fill(std::begin(q.batch), std::end(q.batch), 1);
    for (std::size_t i = 0; i < p.batch.size(); i++)
        q.batch[unused + i] = int(p.batch[i]);
    q.m = int(p.m);
    q.n = int(p.n);
    q.k = int(p.k);
    q.batches = int(p.batches());
    q.splits = 1;
    q.depth = q.k;
    return q;
}

namespace {

const char* along_row(const gemm_matrix& x, int64_t n) {
    if (x.column == 0 or n == 1)
        return "repeated";
    return x.column == 1 ? "neighbours" : "apart";
}

} // namespace

std::string precision_text(const device_problem& p) {
    return p.fast_math and p.output.type_size() <= 2 ? "#define MGX_SMALL_RESULTS 1\n" : "";
}

std::string tail_text(const own_form& f, const device_problem& p) {
    std::string text = "namespace mgx {\n" + f.finish + "struct tail {\n";
    const auto out = device_type(p.output.type());
    text += str("    using anchor = ", device_type(f.anchor), ";\n",
                "    static constexpr int operands = ", f.operands.size(), ";\n");
    for (auto i : f.operands)
        text += str("    const ", device_type(p.inputs[i].type()), "* x", i, ";\n");
    text += str("    ", out, "* d;\n",
                "    template <int V, class H>\n"
                "    MGX_DEVICE void finish(const H (&sums)[V], const gemm_params& p,\n"
                "                           const gemm_place& at, int i, int j, int count) const "
                "{\n");
    for (std::size_t o = 0; o < f.operands.size(); o++) {
        const auto i = f.operands[o];
        text += str("        held<", device_type(p.inputs[i].type()), "> v", i, "[V];\n",
                    "        load_run<V, along_row::", along_row(f.what.operands[o], f.what.n),
                    ">(v", i, ", x", i, " + at.operands[", o, "] + i * p.operands[", o,
                    "].row, p.operands[", o, "].column, j, count);\n");
    }
    std::string x = "sums[e]";
    for (std::size_t o = 0; o < f.scales; o++)
        x += str(" * v", f.operands[o], "[e]");
    if (not f.finish.empty()) {
        x = "finish_value(" + x;
        for (std::size_t o = f.scales; o < f.operands.size(); o++)
            x += str(", v", f.operands[o], "[e]");
        x += ")";
    }
    text += str("        held<", out, "> r[V];\n#pragma unroll\n",
                "        for (int e = 0; e < V; e++)\n            r[e] = ", x, ";\n",
                "        store_run<V>(d + at.d + i * p.d.row, p.d.column, j, count, r);\n",
                "    }\n};\n}\n");
    return text;
}

std::string product_entry(const device_problem& p, const std::string& bounds,
                          const std::string& parts, const std::string& tail,
                          const std::string& call) {
    auto text = str(bounds, " void product(");
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        text += str("const mgx::", device_type(p.inputs[i].type()), "* in", i, ", ");
    text += str("mgx::", device_type(p.output.type()), "* out, ",
                parts.empty() ? "" : str("mgx::", parts, "* parts, "), "mgx::gemm_params p) {\n",
                "    using namespace mgx;\n    const ", tail, ";\n",
                "    const auto* a = in0;\n    const auto* b = p.weights == nullptr ? in1 : "
                "static_cast<decltype(in1)>(p.weights);\n    ",
                call, "\n}\n");
    return text;
}

std::string tail_of(const own_form& f) {
    std::string text = "tail t{";
    for (auto i : f.operands)
        text += str("in", i, ", ");
    return text + "out}";
}

std::string bounds_of(int threads) {
    return str("MGX_KERNEL_BOUNDS(", threads, ")");
}

std::string sum_type(const own_form& f) {
    if (f.what.a.type == shape::double_type)
        return "f64";
    const bool integers = shape::is_integral(f.what.a.type) or f.what.a.type == shape::bool_type;
    if (not integers)
        return "f32";
    const bool wide = shape{f.anchor}.type_size() == 8;
    return wide ? "u64" : "u32";
}

uint32_t blocks_of(int64_t n, int64_t each) {
    return uint32_t((n + each - 1) / each);
}

uint32_t batch_blocks(const gemm_problem& p) {
    return uint32_t(std::min<int64_t>(p.batches(), 65535));
}

std::vector<char> bytes_of(const mgx::gemm_params& p) {
    param_block block;
    block.add(p);
    return block.data();
}

namespace {

// A kernel whose weights lie on the device as it wants them.
struct weighted : kernel {
    std::unique_ptr<kernel> work;
    device_weight packed;

    weighted(std::unique_ptr<kernel> k, device_weight w)
        : work(std::move(k)), packed(std::move(w)) {}
    void run(const kernel_args& args) const override { work->run(args); }
    std::size_t scratch_bytes() const override { return work->scratch_bytes(); }
    std::string name() const override { return work->name(); }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override {
        packed->add_to(held);
        work->add_constants(held);
    }
};

} // namespace

std::unique_ptr<kernel> with_weights(std::unique_ptr<kernel> k, device_weight packed) {
    return std::make_unique<weighted>(std::move(k), std::move(packed));
}

} // namespace migraphx::gpu
