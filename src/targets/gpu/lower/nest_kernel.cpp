// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/nest_kernel.hpp"

#include "targets/gpu/lower/code_text.hpp"
#include "targets/gpu/lower/walk_text.hpp"

#include "codegen/device_text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace migraphx::gpu {

namespace {

using codegen::nest;
using codegen::nest_access;

constexpr int block_threads = 256;

int64_t div_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

std::string reg(int number) {
    return "v" + std::to_string(number);
}

struct nest_text {
    const nest n;
    std::vector<walked> inputs, outputs;

    explicit nest_text(nest given) : n(std::move(given)) {
        for (std::size_t i = 0; i < n.inputs.size(); i++)
            inputs.push_back({"x" + std::to_string(i), &n.inputs[i]});
        for (std::size_t i = 0; i < n.outputs.size(); i++)
            outputs.push_back({"y" + std::to_string(i), &n.outputs[i].access});
    }
    std::vector<walked> all() const {
        auto both = inputs;
        both.insert(both.end(), outputs.begin(), outputs.end());
        return both;
    }
    std::vector<const nest_access*> accesses() const {
        std::vector<const nest_access*> result;
        for (const auto& a : all())
            result.push_back(a.access);
        return result;
    }
    // "const half* x0, float* y0".
    std::string parameters() const { return pointer_parameters(inputs, outputs) + "const sizes p"; }
    std::string arguments() const {
        std::string text;
        for (const auto& a : all())
            text += a.name + ", ";
        return text + "p";
    }
    // Registers from the inputs' on, each a constant.
    void body(code_text& code) const {
        for (std::size_t i = 0; i < n.body.size(); i++) {
            const auto& op = n.body[i];
            code.line(std::string("const ") + codegen::held_type(op.type) + " " +
                      reg(int(n.inputs.size() + i)) + " = " +
                      codegen::expression(
                          op, [&](int r) { return n.reg_type(r); }, reg) +
                      ";");
        }
    }
    std::string stored(const codegen::nest_output& o) const {
        return std::string("stored<") + codegen::stored_type(o.access.type) + ">(" + reg(o.reg) +
               ")";
    }
};

generated finished(const index_params& params, const code_text& code, int64_t blocks, int threads,
                   const std::string& label) {
    generated g;
    g.name = label;
    g.source = params.declaration() + code.str() + "} // namespace mgx\n";
    g.entry = "nest";
    g.launch.grid.x = uint32_t(blocks);
    g.launch.block.x = uint32_t(threads);
    g.params = params.data();
    g.writes_over = true;
    return g;
}

// ---- along the innermost dim

struct vector_form {
    int vector = 1;
    bool flat = false; ///< one dim: what is left after the vectors is done by single elements
    int at_once = 1;   ///< vectors that a thread has in flight
};

vector_form vector_form_of(const nest_text& t, const device_properties& on) {
    const auto inner = t.n.dims.size() - 1;
    const auto accesses = t.accesses();
    vector_form f;
    f.flat = inner == 0;
    f.vector = vector_size(accesses, inner, f.flat ? 16 : t.n.dims[inner]);
    while (f.flat and f.vector > 1 and t.n.dims[0] < f.vector)
        f.vector /= 2;
    // Where a tensor is large enough to keep every thread of the device at it.
    constexpr int64_t resident = 2048;
    const auto items = t.n.elements() / f.vector;
    const auto loads = std::count_if(t.n.inputs.begin(), t.n.inputs.end(),
                                     [&](const auto& a) { return a.strides[inner] != 0; });
    if (items >= on.multiprocessors * resident * 4)
        f.at_once = loads <= 1 ? 4 : loads <= 3 ? 2 : 1;
    return f;
}

// Whether vectors along the dim are in the border or not, but never both.
bool whole_in_border(const nest_access& a, std::size_t dim, int64_t size, int vector) {
    const auto& b = a.border[dim];
    return b.before % vector == 0 and (size - b.after) % vector == 0;
}

void emit_vector_body(const nest_text& t, const vector_form& f, const walk& w,
                      const std::string& position, code_text& code) {
    const auto inner = t.n.dims.size() - 1;
    const auto dim = t.n.dims[inner];
    const auto stride = [&](const walked& a) {
        return std::string(run_kind(a.access->strides[inner], dim)) == "run::strided"
                   ? "p.run_" + a.name
                   : "Index(1)";
    };
    const auto kind = [&](const walked& a) {
        const bool wide = stays_aligned(*a.access, t.n.dims, inner, f.vector);
        return std::string(run_kind(a.access->strides[inner], dim)) + (wide ? ", Wide" : ", false");
    };
    code.line("const Index step = global_threads<Index>();");
    code.open("for (Index first = global_thread<Index>(); first < items; first += step * " +
              std::to_string(f.at_once) + ")");
    for (const auto& a : t.inputs)
        code.line(std::string("vec<") + codegen::stored_type(a.access->type) + ", N> a" + a.name +
                  "[" + std::to_string(f.at_once) + "];");
    for (const bool loading : {true, false}) {
        if (loading and t.inputs.empty())
            continue;
        code.unrolled("u", f.at_once);
        code.line("const Index i = first + u * step;");
        code.line("if (i >= items)");
        code.line("    break;");
        emit_offsets(w, position, loading ? t.inputs : t.outputs, code);
        if (loading) {
            for (const auto& a : t.inputs) {
                const auto at = offset_name(w, a.name);
                auto value =
                    "load_run<N, " + kind(a) + ">(" + a.name + " + " + at + ", " + stride(a) + ")";
                if (not a.access->border.empty()) {
                    const auto b = border_of(w, a);
                    const bool repeated = kind(a).find("repeated") != std::string::npos;
                    if (b.position.empty() or whole_in_border(*a.access, inner, dim, f.vector))
                        value = b.inside +
                                (b.position.empty() ? "" : " && " + b.position + " < " + b.size) +
                                " ? " + value + " : vec_of<N>(" + b.fill + ")";
                    else
                        value = "load_bordered<N>(" + a.name + ", " + at + ", " +
                                (repeated ? "Index(0)" : stride(a)) + ", " + b.inside + ", " +
                                b.position + ", " + b.size + ", " + b.fill + ")";
                }
                code.line("a" + a.name + "[u] = " + value + ";");
            }
        } else {
            for (const auto& a : t.outputs)
                code.line(std::string("vec<") + codegen::stored_type(a.access->type) + ", N> r" +
                          a.name + ";");
            code.line("#pragma unroll");
            code.open("for (int e = 0; e < N; e++)");
            for (std::size_t i = 0; i < t.inputs.size(); i++)
                code.line(std::string("const ") + codegen::held_type(t.n.inputs[i].type) + " " +
                          reg(int(i)) + " = value(a" + t.inputs[i].name + "[u][e]);");
            t.body(code);
            for (std::size_t i = 0; i < t.outputs.size(); i++)
                code.line("r" + t.outputs[i].name + "[e] = " + t.stored(t.n.outputs[i]) + ";");
            code.close();
            for (const auto& a : t.outputs)
                code.line("store_run<" + kind(a) + ">(" + a.name + " + " + offset_name(w, a.name) +
                          ", r" + a.name + ", " + stride(a) + ");");
        }
        code.close();
    }
    code.close();
}

generated vector_code(const nest_text& t, const device_properties& on, const std::string& label) {
    const auto f = vector_form_of(t, on);
    const auto inner = t.n.dims.size() - 1;
    const auto accesses = t.accesses();
    index_params params{needs_wide_index(t.n.dims, accesses)};
    const auto items = t.n.elements() / f.vector, rest = f.flat ? t.n.elements() % f.vector : 0;
    const walk w{"i", t.n.dims, 0, f.flat ? 1 : f.vector, true};
    params.add("items", items);
    if (rest > 0)
        params.add("rest", rest);
    declare_walk(w, t.all(), params);
    std::string aligned;
    for (const auto& a : t.all()) {
        const std::string kind = run_kind(a.access->strides[inner], t.n.dims[inner]);
        if (kind == "run::strided")
            params.add("run_" + a.name, a.access->strides[inner]);
        if (kind == "run::unit" and f.vector > 1 and
            stays_aligned(*a.access, t.n.dims, inner, f.vector))
            aligned += (aligned.empty() ? "is_aligned<" : " && is_aligned<") +
                       std::to_string(f.vector) + ">(" + a.name + ")";
    }
    code_text code;
    const std::string extra = f.flat ? ", Index origin, Index items" : ", Index items";
    code.line("template <int N, bool Wide>");
    code.open("MGX_DEVICE void elements(" + t.parameters() + extra + ")");
    emit_vector_body(t, f, w, f.flat ? "origin + i * N" : "i", code);
    code.close();
    code.open("MGX_KERNEL_BOUNDS(" + std::to_string(block_threads) + ") void nest(" +
              t.parameters() + ")");
    const auto v = std::to_string(f.vector);
    const auto tail = f.flat ? ", 0, p.items);" : ", p.items);";
    if (not aligned.empty()) {
        code.line("if (" + aligned + ")");
        code.line("    elements<" + v + ", true>(" + t.arguments() + tail);
        code.line("else");
        code.line("    elements<" + v + ", false>(" + t.arguments() + tail);
    } else {
        code.line("elements<" + v + ", false>(" + t.arguments() + tail);
    }
    if (rest > 0)
        code.line("elements<1, false>(" + t.arguments() + ", p.items * " + v + ", p.rest);");
    code.close();
    // Small launches in more, smaller blocks.
    const bool small = items < int64_t{on.multiprocessors} * block_threads;
    const int threads = small ? block_threads / 2 : block_threads;
    constexpr int64_t most_threads = int64_t{1} << 24;
    const auto blocks =
        std::clamp<int64_t>(div_up(items, int64_t{threads} * f.at_once), 1, most_threads / threads);
    return finished(params, code, blocks, threads, label);
}

// ---- through tiles

// The dim along which inputs run in memory that the outputs run across; the innermost one is that
// of the outputs.
std::optional<std::size_t> transposed_dim(const nest& n) {
    constexpr int64_t least = 8;
    if (n.dims.size() < 2 or n.dims.back() < least or
        not std::all_of(n.inputs.begin(), n.inputs.end(),
                        [](const auto& a) { return a.by_strides(); }))
        return std::nullopt;
    const auto inner = n.dims.size() - 1;
    for (const auto& o : n.outputs)
        if (o.access.strides[inner] != 1)
            return std::nullopt;
    for (const auto& a : n.inputs)
        if (a.strides[inner] > 1)
            for (std::size_t d = 0; d < inner; d++)
                if (a.strides[d] == 1 and n.dims[d] >= least)
                    return d;
    return std::nullopt;
}

template <class T>
void move_to_end(std::vector<T>& v, std::size_t from, std::size_t to) {
    const auto x = v[from];
    v.erase(v.begin() + std::ptrdiff_t(from));
    v.insert(v.begin() + std::ptrdiff_t(to), x);
}

// Dim `d` becomes the last but one.
nest with_second_last(nest n, std::size_t d) {
    const auto to = n.dims.size() - 2;
    move_to_end(n.dims, d, to);
    for (auto& a : n.inputs)
        move_to_end(a.strides, d, to);
    for (auto& o : n.outputs)
        move_to_end(o.access.strides, d, to);
    return n;
}

generated tile_code(const nest_text& t, const std::string& label) {
    const auto a_dim = t.n.dims.size() - 1, b_dim = a_dim - 1;
    constexpr std::size_t most_tiles = 4;
    std::vector<bool> tiled;
    std::size_t size = 1, tiles = 0;
    for (const auto& x : t.n.inputs) {
        tiled.push_back(x.strides[b_dim] == 1 and x.strides[a_dim] > 1 and tiles < most_tiles);
        if (tiled.back()) {
            tiles++;
            size = std::max(size, shape(x.type).type_size());
        }
    }
    const int side = size <= 2 ? 64 : 32, rows = block_threads / side;
    index_params params{needs_wide_index(t.n.dims, t.accesses())};
    const auto a_len = t.n.dims[a_dim], b_len = t.n.dims[b_dim];
    const walk outer{"i", {t.n.dims.begin(), t.n.dims.end() - 2}, 0, 1};
    params.add("a", a_len);
    params.add("b", b_len);
    params.add_divider("tiles_a", div_up(a_len, side));
    params.add_divider("tiles_b", div_up(b_len, side));
    declare_walk(outer, t.all(), params);
    const auto along = [&](const walked& x, std::size_t d, const char* name) -> std::string {
        const auto s = x.access->strides[d];
        if (s == 0 or t.n.dims[d] == 1)
            return "";
        return std::string(" + ") + name +
               (s == 1 ? "" : " * p.step_" + x.name + "_" + std::string(name));
    };
    for (const auto& x : t.all())
        for (const auto& [d, name] : {std::pair{a_dim, "a"}, {b_dim, "b"}})
            if (x.access->strides[d] > 1)
                params.add("step_" + x.name + "_" + name, x.access->strides[d]);
    const auto place = [&](const walked& x) {
        return x.name + "[" + offset_name(outer, x.name) + along(x, a_dim, "a") +
               along(x, b_dim, "b") + "]";
    };
    const auto n = std::to_string(side);
    code_text code;
    code.open("MGX_KERNEL_BOUNDS(" + std::to_string(block_threads) + ") void nest(" +
              t.parameters() + ")");
    for (std::size_t i = 0; i < t.inputs.size(); i++)
        if (tiled[i]) {
            // A word more than the side, so that columns lie in different banks.
            const auto pad = std::max<std::size_t>(1, 4 / shape(t.n.inputs[i].type).type_size());
            code.line(std::string("__shared__ ") + codegen::stored_type(t.n.inputs[i].type) +
                      " tile" + std::to_string(i) + "[" + n + "][" +
                      std::to_string(std::size_t(side) + pad) + "];");
        }
    code.line("Index block = blockIdx.x;");
    code.line("const Index first_a = p.tiles_a.split(block) * " + n + ";");
    code.line("const Index first_b = p.tiles_b.split(block) * " + n + ";");
    emit_offsets(outer, "block", t.all(), code);
    code.line("const u32 x = threadIdx.x % " + n + ", y = threadIdx.x / " + n + ";");
    code.line("#pragma unroll");
    code.open("for (u32 r = y; r < " + n + "; r += " + std::to_string(rows) + ")");
    code.line("const Index a = first_a + r, b = first_b + x;");
    code.open("if (a < p.a && b < p.b)");
    for (std::size_t i = 0; i < t.inputs.size(); i++)
        if (tiled[i])
            code.line("tile" + std::to_string(i) + "[r][x] = " + place(t.inputs[i]) + ";");
    code.close();
    code.close();
    code.line("__syncthreads();");
    code.line("#pragma unroll");
    code.open("for (u32 r = y; r < " + n + "; r += " + std::to_string(rows) + ")");
    code.line("const Index a = first_a + x, b = first_b + r;");
    code.line("if (a >= p.a || b >= p.b)");
    code.line("    continue;");
    for (std::size_t i = 0; i < t.inputs.size(); i++)
        code.line(std::string("const ") + codegen::held_type(t.n.inputs[i].type) + " " +
                  reg(int(i)) + " = value(" +
                  (tiled[i] ? "tile" + std::to_string(i) + "[x][r]" : place(t.inputs[i])) + ");");
    t.body(code);
    for (std::size_t i = 0; i < t.outputs.size(); i++)
        code.line(place(t.outputs[i]) + " = " + t.stored(t.n.outputs[i]) + ";");
    code.close();
    code.close();
    const auto blocks =
        div_up(a_len, side) * div_up(b_len, side) * (t.n.elements() / (a_len * b_len));
    return finished(params, code, blocks, block_threads, label);
}

} // namespace

std::string nest_reads_refusal(const nest& given) {
    const auto n = with_a_dim(simplify(given));
    return reads_refusal(n.inputs, n.dims, {n.dims.size() - 1}, true);
}

generated nest_code(const nest& given, const device_properties& on, const std::string& label,
                    bool fast_math) {
    auto n = with_a_dim(simplify(given));
    constexpr int64_t most_blocks = int64_t{1} << 31;
    const auto head = source_head("pointwise.cuh", fast_math, n.outputs);
    const auto d = transposed_dim(n);
    auto g = d and n.elements() / 64 < most_blocks
                 ? tile_code(nest_text{with_second_last(std::move(n), *d)}, label + "_tiles")
                 : vector_code(nest_text{std::move(n)}, on, label);
    g.source = head + g.source;
    g.writes_over = std::all_of(given.inputs.begin(), given.inputs.end(),
                                [](const auto& a) { return a.by_strides(); });
    return g;
}

} // namespace migraphx::gpu
