// SPDX-License-Identifier: MIT
// Products on matrix units (device_code/gemm_mma.cuh, gemm_split.cuh): the form of the tiles, parts
// of k where there are few.
#include "targets/gpu/lower/own_product.hpp"

#include "base/rounding.hpp"
#include "base/str.hpp"
#include "ops/tensor.hpp"
#include "targets/gpu/compiler/compiler.hpp"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/lower/own_form.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/walk.hpp"
#include "targets/gpu/tuning.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace migraphx::gpu {

namespace {

// Tiles of a kernel on matrix units.
struct tile_form {
    int m, n, k, warp_m, warp_n, stages;

    int threads() const { return m / warp_m * (n / warp_n) * 32; }
    /// `tiles`: bytes of one stage.
    std::size_t shared(std::size_t tiles) const {
        return std::max(std::size_t(stages) * tiles, std::size_t(m * (n + 8)) * sizeof(float));
    }
    int64_t blocks_for(const gemm_problem& p) const {
        return int64_t(blocks_of(p.m, m)) * int64_t(blocks_of(p.n, n)) * p.batches();
    }
};

// From large to small; the last serves few rows. `k`: pairs of bytes.
constexpr std::array short_forms{
    tile_form{128, 128, 32, 64, 32, 4}, tile_form{128, 64, 64, 32, 32, 3},
    tile_form{128, 32, 64, 32, 32, 3},  tile_form{64, 64, 64, 32, 32, 4},
    tile_form{32, 64, 64, 16, 32, 4},   tile_form{16, 64, 64, 16, 16, 4}};
constexpr std::array float_forms{tile_form{128, 64, 32, 32, 32, 3},
                                 tile_form{64, 64, 32, 32, 32, 3},
                                 tile_form{32, 64, 32, 16, 32, 3}};

// Whether many rows fill such tiles: narrow ones are for narrow results.
bool fits_columns(const tile_form& f, const gemm_problem& p) {
    constexpr int narrow = 32;
    return f.m <= 64 or (f.n / 2 < p.n and (f.n > narrow or p.n <= narrow));
}

// The largest tiles that give every multiprocessor one; else those that the rows fill.
template <std::size_t N>
tile_form choose(const std::array<tile_form, N>& forms, const gemm_problem& p,
                 const device_problem& on) {
    if (on.variant > 0)
        return forms[std::size_t(on.variant - 1) % N];
    const auto units = int64_t(on.on->properties().multiprocessors);
    for (const auto& f : forms)
        if (f.m / 2 < p.m and fits_columns(f, p) and (f.blocks_for(p) >= units or f.m <= 64))
            return f;
    return forms.back();
}

// No more steps along k, and no more of them in shared memory, than there are: what is left lets
// more blocks run at once, and one stores its results while another one multiplies.
tile_form fitted(tile_form f, int64_t depth) {
    if (depth <= 32 and f.m >= 32)
        f.k = 32;
    if (depth <= 2 * f.k)
        f.stages = 2;
    return f;
}

// How the sum over k is shared out.
struct k_parts {
    int count = 1, depth = 0; ///< each of `depth`
    bool together = false;    ///< by the blocks of a cluster, which add up their sums
};

// Parts of k, so that few tiles keep the device busy; long enough to pay for their sums being
// written and read again, or exchanged.
k_parts parts_of(const tile_form& f, const gemm_problem& p, const device_problem& on,
                 bool may_meet) {
    const auto& is = on.on->properties();
    const auto wanted = int64_t(is.multiprocessors) / f.blocks_for(p);
    constexpr int64_t least_depth = 192, least_together = 128, most = 8;
    k_parts parts;
    if (may_meet and is.kind == platform::cuda and is.capability >= 90 and
        p.batches() * most <= most_rows_of_blocks)
        for (int64_t n = most; n > 1; n /= 2)
            if (n <= wanted and p.k >= n * least_together) {
                parts.count = int(n);
                parts.together = true;
                break;
            }
    if (not parts.together)
        parts.count = int(std::clamp<int64_t>(std::min(wanted, p.k / least_depth), 1, most));
    parts.depth = int(blocks_of(p.k, parts.count));
    return parts;
}

// One launch, or one for the parts of k and one that joins them.
std::unique_ptr<kernel> on_matrix_units(const device_problem& p, const own_form& f,
                                        const tile_form& tile, k_parts parts, std::size_t shared,
                                        const device_weight& packed, const std::string& header,
                                        const std::string& call, const std::string& name,
                                        const std::string& bounds) {
    const auto& w = f.what;
    const auto sums = sum_type(f);
    auto params = gemm_params_of(w);
    if (packed != nullptr)
        params.weights = packed->data.get();
    params.splits = parts.count;
    if (parts.count > 1) {
        // Whole steps; a cluster has its blocks, should one have nothing to add.
        params.depth = int(blocks_of(parts.depth, tile.k)) * tile.k;
        if (not parts.together)
            params.splits = int(blocks_of(w.k, params.depth));
    }
    const bool split = params.splits > 1 and not parts.together;
    generated g;
    g.name =
        str(name, ' ', tile.m, 'x', tile.n, params.splits > 1 ? str(" in ", params.splits) : "",
            parts.together ? " together" : "", f.finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source = str(name == "group_gemm" ? own_architecture : "", precision_text(p), "#include \"",
                   header, "\"\n", split ? "" : tail_text(f, p),
                   product_entry(p, bounds, split ? sums : "",
                                 split ? str("parts_of_sums<", sums, "> t{parts}") : tail_of(f),
                                 "MGX_DYNAMIC_SHARED(unsigned char, shared);\n    " + call));
    g.launch.grid = {blocks_of(w.n, tile.n), blocks_of(w.m, tile.m),
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
    join.source =
        str(precision_text(p), "#include \"gemm_tail.cuh\"\n", tail_text(f, p),
            product_entry(p, bounds_of(256), sums, tail_of(f), "join_parts<4>(parts, p, t);"));
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

// Small blocks: as many at once as hide what each waits for.
std::string bounds_of(const tile_form& f, const k_parts& parts) {
    constexpr int few = 128;
    return str("MGX_KERNEL_BOUNDS(", f.threads(),
               f.threads() > few ? ")" : (f.stages > 2 ? ", 3)" : ", 5)"),
               parts.together ? str(" MGX_CLUSTER_Z(", parts.count, ")") : "");
}

// Why no kernel on matrix units takes the product; empty when one does.
std::string matrix_unit_refusal(const gemm_problem& w, const device_problem& p) {
    const auto& facts = p.on->properties();
    if (facts.kind == platform::hip or (facts.kind == platform::cuda and facts.capability < 80))
        return "no matrix units that the kernel knows";
    if ((w.a.row != 1 and w.a.column != 1) or (w.b.row != 1 and w.b.column != 1))
        return "an operand without neighbours along rows or columns";
    if (blocks_of(w.m, 16) > most_rows_of_blocks)
        return "too many rows";
    return "";
}

// Why matrix units do not multiply such elements; empty when they do.
std::string type_refusal(const gemm_problem& w, const device_properties& on) {
    if (w.a.type != w.b.type)
        return "operands of two types";
    switch (w.a.type) {
    case shape::half_type:
    case shape::bf16_type:
    case shape::int8_type:
    case shape::uint8_type:
        return "";
    case shape::fp8e4m3fn_type:
    case shape::fp8e5m2_type:
        return on.kind == platform::host or on.capability >= 89 ? "" : "no matrix units for fp8";
    default:
        return "elements of " + shape::name(w.a.type);
    }
}

// Constant B as sums of two numbers of its type: columns along k, in whole runs of 16 bytes, those
// of eight columns and then what is left of them.
constexpr int parts_of_sums = 2, group_of_columns = 8;

device_weight columns_in_parts(const device_problem& p, gemm_problem& w) {
    const auto from = w.b;
    const auto groups = blocks_of(w.n, group_of_columns);
    w.b.row = 1;
    w.b.column = round_up(w.k, int64_t{8});
    const shape s{w.b.type, {groups, parts_of_sums, group_of_columns, std::size_t(w.b.column)}};
    return device_constant(
        *p.on, p.constants[1],
        str("columns in parts ", w.k, 'x', w.n, ' ', from.row, ' ', from.column), s.bytes(),
        [&](char* to) {
            const auto numbers = load<double>(p.constants[1]);
            std::vector<double> columns(s.elements() / parts_of_sums);
            for (int64_t k = 0; k < w.k; k++)
                for (int64_t j = 0; j < w.n; j++)
                    columns[std::size_t(j * w.b.column + k)] = numbers[std::size_t(k * w.n + j)];
            const auto [high, low] = as_sum(columns, w.b.type);
            const auto bytes = std::size_t(group_of_columns * w.b.column) * s.type_size();
            for (std::size_t g = 0; g < groups; g++) {
                std::memcpy(to + parts_of_sums * g * bytes, high.data() + g * bytes, bytes);
                std::memcpy(to + (parts_of_sums * g + 1) * bytes, low.data() + g * bytes, bytes);
            }
        });
}

} // namespace

lowered matrix_unit_product(const device_problem& p) {
    std::string reason;
    auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    auto& w = f->what;
    if (auto r = type_refusal(w, p.on->properties()); not r.empty())
        return lowered::refuse(std::move(r));
    const auto size = int(shape{w.a.type}.type_size());
    device_weight packed;
    if (size == 1 and (w.a.column != 1 or w.b.row != 1)) {
        // Both operands are read along k; constant weights can be put so.
        if (w.a.column != 1 or not p.is_constant(1) or not w.batch.empty())
            return lowered::refuse("bytes whose neighbours are not along k");
        packed = columns_of(p, w);
        w.b.row = 1;
        w.b.column = w.k;
    }
    if (p.in_parts) {
        if (size != 2 or not p.is_constant(1) or not w.batch.empty())
            return lowered::refuse("parts of what is not a constant matrix beside halves");
        packed = columns_in_parts(p, w);
    }
    const int parts_of_b = p.in_parts ? parts_of_sums : 1;
    if (auto r = matrix_unit_refusal(w, p); not r.empty())
        return lowered::refuse(std::move(r));
    auto tile = choose(short_forms, w, p);
    const bool even = even_rows(w, p);
    const auto parts = parts_of(tile, w, p, even);
    tile = fitted(tile, int64_t(parts.depth) * size / 2);
    tile.k *= 2 / size;
    const auto shared = tile.shared(std::size_t((tile.m + tile.n * parts_of_b) * tile.k * size));
    if (shared > p.on->properties().shared)
        return lowered::refuse("too little shared memory");
    auto k = on_matrix_units(
        p, *f, tile, parts, shared, packed, "gemm_mma.cuh",
        str("mma_gemm<mma_form<", device_type(w.a.type), ", ", tile.m, ", ", tile.n, ", ", tile.k,
            ", ", tile.warp_m, ", ", tile.warp_n, ", ", tile.stages, ", ", w.a.column == 1, ", ",
            w.b.row == 1, parts_of_b > 1 ? str(", ", parts_of_b) : "", ">, ", even ? 8 : 1,
            parts.together ? str(", ", parts.count) : "", ">(a, b, shared, p, t);"),
        p.in_parts ? "mma_gemm of parts" : "mma_gemm", bounds_of(tile, parts));
    return packed == nullptr ? std::move(k) : with_weights(std::move(k), std::move(packed));
}

lowered product_in_parts(const device_problem& p) {
    return fastest(p, {{"own", matrix_unit_product},
                       {"own, narrow tiles", of_variant<matrix_unit_product, narrow_tiles>},
                       {"own, small tiles", of_variant<matrix_unit_product, small_tiles>}});
}

// By groups of four warps (device_code/gemm_groups.cuh).
template <int Columns>
lowered group_product(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    const auto& w = f->what;
    const auto& is = p.on->properties();
    if (is.kind != platform::host and (is.kind != platform::cuda or is.capability != 90))
        return lowered::refuse("no groups of warps");
    if (w.a.type != w.b.type or (w.a.type != shape::half_type and w.a.type != shape::bf16_type) or
        w.a.column != 1 or w.b.row != 1 or blocks_of(w.m, 16) > most_rows_of_blocks)
        return lowered::refuse("not halves along k");
    tile_form tile{128, Columns, 64, 16, Columns, Columns > 64 ? 3 : 4};
    if (w.k <= 2 * tile.k)
        tile.stages = 2;
    constexpr std::size_t alignment = 1024;
    const auto shared =
        tile.shared(std::size_t((tile.m + tile.n) * tile.k) * shape{w.a.type}.type_size()) +
        alignment;
    if (shared > is.shared)
        return lowered::refuse("too little shared memory");
    const auto form = str("group_form<", device_type(w.a.type), ", ", tile.m, ", ", tile.n, ", ",
                          tile.stages, ">");
    return on_matrix_units(p, *f, tile, {1, int(w.k), false}, shared, nullptr, "gemm_groups.cuh",
                           str("mma_gemm<", form, ", ", even_rows(w, p) ? 8 : 1, ", 1, group_tile<",
                               form, ">>(a, b, shared, p, t);"),
                           "group_gemm", str("MGX_KERNEL_BOUNDS(", tile.threads(), ", 2)"));
}

lowered wide_group_product(const device_problem& p) {
    return group_product<128>(p);
}
lowered narrow_group_product(const device_problem& p) {
    return group_product<64>(p);
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
    return on_matrix_units(p, *f, tile, parts_of(tile, w, p, false), shared, nullptr,
                           "gemm_split.cuh",
                           str("split_gemm<split_form<", tile.m, ", ", tile.n, ", ", tile.warp_m,
                               ", ", tile.warp_n, ", ", tile.stages, ", ", a_k, ", ", b_k, ">, ",
                               even_rows(w, p) ? 4 : 1, ">(a, b, shared, p, t);"),
                           "split_gemm", bounds_of(tile.threads()));
}

} // namespace migraphx::gpu
