// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/own_product.hpp"

#include "base/str.hpp"
#include "codegen/device_text.hpp"
#include "ops/tensor.hpp"
#include "targets/gpu/device_code/gemm_params.cuh"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/walk.hpp"
#include "targets/gpu/weights.hpp"

#include <migraphx/common_shape.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace migraphx::gpu {

namespace {

bool has_short_floats(const gemm_problem& p) {
    return p.a.type == p.b.type and (p.a.type == shape::half_type or p.a.type == shape::bf16_type);
}

// What the kernel's text and its parameters are made from.
struct own_form {
    gemm_problem what;                 ///< simplified; `operands`: scales, then the module's
    std::vector<std::size_t> operands; ///< inputs that those are
    std::size_t scales = 0;
    shape::type_t anchor = shape::float_type; ///< of the product before its epilogue
    std::string finish;                       ///< the module as a function; empty: none
};

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

mgx::gemm_params params_of(const gemm_problem& p) {
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

const char* along_row(const gemm_matrix& x, int64_t n) {
    if (x.column == 0 or n == 1)
        return "repeated";
    return x.column == 1 ? "neighbours" : "apart";
}

// Before the headers: functions as exact as results of 16 bits show.
std::string precision_text(const device_problem& p) {
    return p.fast_math and p.output.type_size() <= 2 ? "#define MGX_SMALL_RESULTS 1\n" : "";
}

// The struct `tail` of the text: operands, and what is done with runs of sums.
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

// The entry: `call` has `a`, `b`, `p`, `t` and, with `scratch`, `parts`.
std::string entry_text(const device_problem& p, int threads, bool scratch, const std::string& tail,
                       const std::string& call) {
    auto text = str("MGX_KERNEL_BOUNDS(", threads, ") void product(");
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        text += str("const mgx::", device_type(p.inputs[i].type()), "* in", i, ", ");
    text +=
        str("mgx::", device_type(p.output.type()), "* out, ", scratch ? "mgx::f32* parts, " : "",
            "mgx::gemm_params p) {\n", "    using namespace mgx;\n    const ", tail, ";\n",
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

// Sums of integers wrap, in 32 bits where that is all that is kept.
std::string sum_type(const own_form& f) {
    if (f.what.a.type == shape::double_type)
        return "f64";
    const bool integers = shape::is_integral(f.what.a.type) or f.what.a.type == shape::bool_type;
    if (not integers)
        return "f32";
    const bool wide = shape{f.anchor}.type_size() == 8;
    return wide ? "u64" : "u32";
}

uint32_t blocks(int64_t n, int64_t each) {
    return uint32_t((n + each - 1) / each);
}

// Batches beyond what a grid has are done in turn.
uint32_t batch_blocks(const gemm_problem& p) {
    return uint32_t(std::min<int64_t>(p.batches(), 65535));
}

std::vector<char> bytes_of(const mgx::gemm_params& p) {
    param_block block;
    block.add(p);
    return block.data();
}

constexpr int64_t most_rows_of_blocks = 65535;

// Tiles of a kernel on matrix units.
struct tile_form {
    int m, n, k, warp_m, warp_n, stages;

    int threads() const { return m / warp_m * (n / warp_n) * 32; }
    /// `tiles`: bytes of one stage.
    std::size_t shared(std::size_t tiles) const {
        return std::max(std::size_t(stages) * tiles, std::size_t(m * (n + 4)) * sizeof(float));
    }
    int64_t blocks_for(const gemm_problem& p) const {
        return int64_t(blocks(p.m, m)) * int64_t(blocks(p.n, n)) * p.batches();
    }
};

// From large to small; the last serves few rows.
constexpr std::array short_forms{tile_form{128, 128, 32, 64, 32, 4},
                                 tile_form{128, 64, 64, 32, 32, 3},
                                 tile_form{64, 64, 64, 32, 32, 4}, tile_form{32, 64, 64, 16, 32, 4},
                                 tile_form{16, 64, 64, 16, 16, 4}};
constexpr std::array float_forms{tile_form{128, 64, 32, 32, 32, 3},
                                 tile_form{64, 64, 32, 32, 32, 3},
                                 tile_form{32, 64, 32, 16, 32, 3}};

// The largest tiles that give every multiprocessor one; else those that the rows fill.
template <std::size_t N>
tile_form choose(const std::array<tile_form, N>& forms, const gemm_problem& p,
                 const device_problem& on) {
    if (on.variant > 0)
        return forms[std::size_t(on.variant - 1) % N];
    const auto units = int64_t(on.on->properties().multiprocessors);
    for (const auto& f : forms)
        if (f.m / 2 < p.m and (f.blocks_for(p) >= units or f.m <= 64))
            return f;
    return forms.back();
}

// Parts of k, so that few tiles keep the device busy; long enough to pay for their sums being
// written and read again.
int splits_of(const tile_form& f, const gemm_problem& p, const device_problem& on) {
    const auto units = int64_t(on.on->properties().multiprocessors);
    constexpr int64_t least_depth = 192, most = 8;
    return int(std::clamp<int64_t>(std::min(units / f.blocks_for(p), p.k / least_depth), 1, most));
}

// One launch, or one for the parts of k and one that joins them.
std::unique_ptr<kernel> on_matrix_units(const device_problem& p, const own_form& f,
                                        const tile_form& tile, std::size_t shared,
                                        const std::string& header, const std::string& call,
                                        const std::string& name) {
    const auto& w = f.what;
    auto params = params_of(w);
    params.splits = splits_of(tile, w, p);
    const bool split = params.splits > 1;
    if (split) {
        const auto each = (w.k + params.splits - 1) / params.splits;
        params.depth = int((each + tile.k - 1) / tile.k * tile.k);
        params.splits = int((w.k + params.depth - 1) / params.depth);
    }
    generated g;
    g.name = str(name, ' ', tile.m, 'x', tile.n, split ? str(" in ", params.splits) : "",
                 f.finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source =
        str(precision_text(p), "#include \"", header, "\"\n", split ? "" : tail_text(f, p),
            entry_text(p, tile.threads(), split, split ? "parts_of_sums t{parts}" : tail_of(f),
                       "MGX_DYNAMIC_SHARED(unsigned char, shared);\n    " + call));
    g.launch.grid = {blocks(w.n, tile.n), blocks(w.m, tile.m),
                     uint32_t(std::min<int64_t>(w.batches() * params.splits, 65535))};
    g.launch.block = {uint32_t(tile.threads())};
    g.launch.shared = shared;
    g.params = bytes_of(params);
    if (not split)
        return make_generated(p, std::move(g));
    g.scratch = std::size_t(w.m * w.n * w.batches()) * std::size_t(params.splits) * sizeof(float);
    generated join;
    join.name = "join parts";
    join.entry = "product";
    join.source = str(precision_text(p), "#include \"gemm_tail.cuh\"\n", tail_text(f, p),
                      entry_text(p, 256, true, tail_of(f), "join_parts<4>(parts, p, t);"));
    const auto runs = w.m * w.batches() * ((w.n + 3) / 4);
    join.launch.grid = {uint32_t(std::min<int64_t>((runs + 255) / 256, 1 << 20))};
    join.launch.block = {256};
    join.params = g.params;
    join.scratch = g.scratch;
    std::vector<generated> both;
    both.push_back(std::move(g));
    both.push_back(std::move(join));
    return make_generated(p, std::move(both));
}

// Results are stored 16 bytes at a time; else neighbouring threads store neighbours.
bool even_rows(const gemm_problem& w, const device_problem& p) {
    return w.d.column == 1 and w.d.row * int64_t(p.output.type_size()) % 16 == 0;
}

// Why no kernel on matrix units takes the product; empty when one does.
std::string matrix_unit_refusal(const gemm_problem& w, const device_problem& p) {
    const auto& facts = p.on->properties();
    if (facts.kind == platform::hip or (facts.kind == platform::cuda and facts.capability < 80))
        return "no matrix units that the kernel knows";
    if ((w.a.row != 1 and w.a.column != 1) or (w.b.row != 1 and w.b.column != 1))
        return "an operand without neighbours along rows or columns";
    if (blocks(w.m, 16) > most_rows_of_blocks)
        return "too many rows";
    return "";
}

} // namespace

lowered matrix_unit_product(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    const auto& w = f->what;
    if (not has_short_floats(w))
        return lowered::refuse("elements that are not half or bf16");
    if (auto r = matrix_unit_refusal(w, p); not r.empty())
        return lowered::refuse(std::move(r));
    const auto tile = choose(short_forms, w, p);
    const auto shared = tile.shared(std::size_t((tile.m + tile.n) * tile.k) * 2);
    if (shared > p.on->properties().shared)
        return lowered::refuse("too little shared memory");
    return on_matrix_units(p, *f, tile, shared, "gemm_mma.cuh",
                           str("mma_gemm<mma_form<", device_type(w.a.type), ", ", tile.m, ", ",
                               tile.n, ", ", tile.k, ", ", tile.warp_m, ", ", tile.warp_n, ", ",
                               tile.stages, ", ", w.a.column == 1, ", ", w.b.row == 1, ">, ",
                               even_rows(w, p) ? 8 : 1, ">(a, b, shared, p, t);"),
                           "mma_gemm");
}

lowered split_float_product(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    const auto& w = f->what;
    if (w.a.type != shape::float_type or w.b.type != shape::float_type)
        return lowered::refuse("elements that are not float");
    if (not p.fast_math)
        return lowered::refuse("fast_math is off");
    if (auto r = matrix_unit_refusal(w, p); not r.empty())
        return lowered::refuse(std::move(r));
    const auto tile = choose(float_forms, w, p);
    const bool a_k = w.a.column == 1, b_k = w.b.row == 1;
    const auto lines = [&](bool along_k, int side) {
        return along_k ? side * (tile.k + 8) : tile.k * (side + 4);
    };
    const auto shared =
        tile.shared(std::size_t(lines(a_k, tile.m) + lines(b_k, tile.n)) * sizeof(float));
    if (shared > p.on->properties().shared)
        return lowered::refuse("too little shared memory");
    return on_matrix_units(p, *f, tile, shared, "gemm_split.cuh",
                           str("split_gemm<split_form<", tile.m, ", ", tile.n, ", ", tile.warp_m,
                               ", ", tile.warp_n, ", ", tile.stages, ", ", a_k, ", ", b_k, ">, ",
                               even_rows(w, p) ? 4 : 1, ">(a, b, shared, p, t);"),
                           "split_gemm");
}

lowered plain_product_kernel(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    const auto& w = f->what;
    const auto held = sum_type(*f);
    const auto units = int64_t(p.on->properties().multiprocessors);
    const bool large = held != "f64" and held != "u64" and
                       int64_t(blocks(w.m, 128)) * blocks(w.n, 128) * w.batches() >= units;
    const int side = large ? 128 : (w.m <= 16 ? 16 : 64);
    const int wide = large ? 128 : 64;
    if (blocks(w.m, side) > most_rows_of_blocks)
        return lowered::refuse("too many rows");
    generated g;
    g.name = str("plain_gemm ", held, f->finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source =
        str(precision_text(p), "#include \"gemm_plain.cuh\"\n", tail_text(*f, p),
            entry_text(p, 256, false, tail_of(*f),
                       str("plain_gemm<", held, ", ", device_type(w.a.type), ", ",
                           device_type(w.b.type), ", ", side, ", ", wide, ", 16>(a, b, p, t);")));
    g.launch.grid = {blocks(w.n, wide), blocks(w.m, side), batch_blocks(w)};
    g.launch.block = {256};
    g.params = bytes_of(params_of(w));
    return make_generated(p, std::move(g));
}

namespace {

// A kernel whose weights lie on the device as it wants them.
struct with_weights : kernel {
    std::unique_ptr<kernel> work;
    device_weight packed;

    with_weights(std::unique_ptr<kernel> k, device_weight w)
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

lowered thin_product(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    auto w = f->what;
    constexpr int64_t most_rows = 8;
    if (w.m > most_rows)
        return lowered::refuse(str(w.m, " rows"));
    const auto held = sum_type(*f);
    const int64_t run = int64_t(16 / shape{w.b.type}.type_size());
    const auto whole_runs = [&](const gemm_matrix& x, int64_t step) {
        return step % run == 0 and
               std::all_of(x.batch.begin(), x.batch.end(), [&](auto s) { return s % run == 0; });
    };
    if (w.a.type != w.b.type or (w.a.column != 1 and w.k != 1) or w.k % run != 0 or
        not whole_runs(w.a, w.m == 1 ? 0 : w.a.row))
        return lowered::refuse("rows of A without whole runs of 16 bytes");
    if (w.batches() > most_rows_of_blocks)
        return lowered::refuse("too many matrices");
    device_weight packed;
    if (w.b.row != 1 or not whole_runs(w.b, w.b.column)) {
        if (not p.is_constant(1) or not w.batch.empty())
            return lowered::refuse("columns of B without whole runs of 16 bytes");
        packed = columns_of(p, w);
        w.b.row = 1;
        w.b.column = w.k;
    }
    auto params = params_of(w);
    if (packed)
        params.weights = packed->data.get();
    // Enough warps for all of the device: columns' sums are split where there are few.
    constexpr int warps = 8;
    const int rows = w.m <= 1 ? 1 : (w.m <= 2 ? 2 : (w.m <= 4 ? 4 : 8));
    const int columns = rows <= 2 and w.n >= 4096 ? 2 : 1;
    const auto wanted = int64_t(p.on->properties().multiprocessors) * 16;
    int split = 1;
    while (split < warps and blocks(w.n, columns) * w.batches() * split < wanted and
           w.k / (split * 2) >= 64 * run)
        split *= 2;
    generated g;
    g.name = str("thin_gemm ", rows, 'x', columns, 'x', split, f->finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source = str(precision_text(p), "#include \"gemv.cuh\"\n", tail_text(*f, p),
                   entry_text(p, warps * 32, false, tail_of(*f),
                              str("thin_gemm<", held, ", ", device_type(w.a.type), ", ",
                                  device_type(w.b.type), ", ", rows, ", ", columns, ", ", split,
                                  ", ", warps, ", ", run, ">(a, b, p, t);")));
    g.launch.grid = {blocks(w.n, int64_t(warps / split) * columns), blocks(w.m, rows),
                     batch_blocks(w)};
    g.launch.block = {warps * 32};
    g.params = bytes_of(params);
    auto k = make_generated(p, std::move(g));
    if (packed == nullptr)
        return k;
    return std::make_unique<with_weights>(std::move(k), std::move(packed));
}

} // namespace migraphx::gpu
