// SPDX-License-Identifier: MIT
// attention on tiles of queries: q, k, v and the result in whatever strides they have; large ones
// by the device's library where that is faster.
#include "targets/gpu/device_code/attention_params.cuh"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/libraries/sdpa.hpp"
#include "targets/gpu/lower/attention_tiles.hpp"
#include "targets/gpu/lower/walk.hpp"
#include "targets/gpu/tuning.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <migraphx/common_shape.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace migraphx::gpu {

namespace {

enum attention_input : std::size_t { in_q, in_k, in_v, in_mask, in_sink };

// Axes of one element count as broadcast.
std::array<long long, 4> steps_of(const shape& s) {
    std::array<long long, 4> steps{};
    for (std::size_t d = 0; d < 4; d++)
        steps[d] = s.lens()[d] == 1 ? 0 : (long long)(s.strides()[d]);
    if (s.lens()[3] == 1)
        steps[3] = 1;
    return steps;
}

void set_steps(const shape& s, long long& batch, long long& head, long long& row, long long& dim) {
    const auto steps = steps_of(s);
    batch = steps[0];
    head = steps[1];
    row = steps[2];
    dim = steps[3];
}

// Whether the device multiplies tiles of this type: tensor cores, or the host's emulation of them.
bool has_matrix_units(const device_properties& on, shape::type_t t) {
    return (t == shape::half_type or t == shape::bf16_type) and
           (on.kind == platform::host or (on.kind == platform::cuda and on.capability >= 80));
}

std::string attention_refusal(const problem& p) {
    const auto t = p.inputs[in_q].type();
    if (t != shape::float_type and t != shape::half_type and t != shape::bf16_type and
        t != shape::double_type)
        return "type " + p.inputs[in_q].type_string();
    if (p.inputs[in_q].lens()[3] == 0)
        return "heads of size 0";
    constexpr auto most = std::size_t(std::numeric_limits<int32_t>::max());
    for (const auto& s : {p.inputs[in_q], p.inputs[in_k], p.inputs[in_v]})
        for (auto n : s.lens())
            if (n > most / 2)
                return "an axis of more than 2^30";
    return "";
}

struct attention_problem {
    const device_problem& p;
    bool masked, drains, same_mask_for_rows = false;
    mgx::attention_params params{};
    attention_tiles tiles;
    std::string type, mask_type, sink_type;

    explicit attention_problem(const device_problem& given)
        : p(given), masked(not is_absent(p.inputs, in_mask)),
          drains(not is_absent(p.inputs, in_sink)), type(device_type(p.inputs[in_q].type())),
          mask_type(masked ? device_type(p.inputs[in_mask].type()) : "void"),
          sink_type(drains ? device_type(p.inputs[in_sink].type()) : "void") {}

    void set_scores() {
        auto& a = params;
        const double log2_of_e = 1 / std::log(2.0);
        double scale = p.op.get<float>("scale");
        if (scale == 0)
            scale = 1 / std::sqrt(double(a.q_size));
        const double cap = p.op.get<float>("softcap");
        a.scale = scale * log2_of_e;
        if (cap > 0) {
            a.cap = cap * log2_of_e;
            a.of_cap = scale / cap;
        }
        a.causal = p.op.get<bool>("causal");
    }

    void set_mask() {
        const auto &q = p.inputs[in_q].lens(), &k = p.inputs[in_k].lens();
        const auto s = make_bcast_shape(p.inputs[in_mask], {q[0], q[1], q[2], k[2]});
        auto& a = params;
        set_steps(s, a.mask_batch, a.mask_head, a.mask_row, a.mask_key);
        if (s.lens()[3] == 1)
            a.mask_key = 0;
        same_mask_for_rows = a.mask_row == 0 and (a.mask_head == 0 or a.group == 1);
    }

    // False when it does not fit.
    bool plan() {
        const auto &q = p.inputs[in_q], &k = p.inputs[in_k], &v = p.inputs[in_v];
        auto& a = params;
        set_steps(q, a.q_batch, a.q_head, a.q_row, a.q_dim);
        set_steps(k, a.k_batch, a.k_head, a.k_row, a.k_dim);
        set_steps(v, a.v_batch, a.v_head, a.v_row, a.v_dim);
        set_steps(p.output, a.out_batch, a.out_head, a.out_row, a.out_dim);
        if (drains)
            a.sink_head = (long long)(p.inputs[in_sink].strides()[0]);
        const auto kv_heads = std::max<std::size_t>(1, k.lens()[1]);
        a.queries = int(q.lens()[2]);
        a.keys = int(k.lens()[2]);
        a.group = int(q.lens()[1] / kv_heads);
        a.q_size = int(q.lens()[3]);
        a.v_size = int(v.lens()[3]);
        const auto rows = int64_t(a.queries) * a.group;
        if (rows > std::numeric_limits<int32_t>::max() / 2)
            return false;
        a.rows = int(rows);
        set_scores();
        if (masked)
            set_mask();

        attention_sizes s;
        s.rows = rows;
        s.products = int64_t(q.lens()[0] * kv_heads);
        s.keys = a.keys;
        s.q_size = a.q_size;
        s.v_size = a.v_size;
        s.element = q.type_size();
        s.matrix_units = has_matrix_units(p.on->properties(), q.type());
        s.sum = q.type() == shape::double_type ? 8 : 4;
        const auto chosen = choose_attention_tiles(s, p.on->properties(), p.variant);
        if (not chosen)
            return false;
        tiles = *chosen;
        const auto row_tiles = (rows + tiles.rows() - 1) / tiles.rows();
        const auto blocks = row_tiles * s.products;
        if (blocks > std::numeric_limits<int32_t>::max() or tiles.slices > 65535)
            return false;
        a.blocks = int(blocks);
        a.splits = int(tiles.splits);
        a.split_keys = int(tiles.split_keys);
        a.slices = int(tiles.slices);
        a.by_queries = mgx::make_fast_div(std::max<std::size_t>(1, q.lens()[2]));
        a.by_tiles = mgx::make_fast_div((unsigned long long)(std::max<int64_t>(1, row_tiles)));
        a.by_kv_heads = mgx::make_fast_div(kv_heads);
        return true;
    }

    bool splits() const { return tiles.splits > 1; }

    std::string source() const {
        const bool units = has_matrix_units(p.on->properties(), p.inputs[in_q].type());
        const auto flag = [](bool b) { return b ? "true" : "false"; };
        const auto pointer = [](const std::string& t, const char* name) {
            return str("const ", t, "* ", name, ", ");
        };
        std::string parameters = pointer(type, "q") + pointer(type, "k") + pointer(type, "v");
        if (masked)
            parameters += pointer(mask_type, "mask");
        if (drains)
            parameters += pointer(sink_type, "sink");
        parameters += str(type, "* out, ", splits() ? "void* scratch, " : "", "attention_params p");
        const std::string sink = drains ? "sink" : "static_cast<const f32*>(nullptr)",
                          mask = masked ? "mask" : "static_cast<const u8*>(nullptr)";
        auto text = str(
            "#include \"attention.cuh\"\nnamespace mgx {\nusing warp = ",
            units ? "tensor_core_warp<" : "plain_warp<", type, ", ", tiles.warp_text(),
            ">;\nusing form = attention_form<", mask_type, ", ", flag(same_mask_for_rows), ", ",
            sink_type, ", ", flag(params.cap > 0), ">;\nusing tile = attention_tile<warp, form, ",
            tiles.tile_text(), ">;\nstatic_assert(tile::shared_bytes == ", tiles.shared,
            ", \"the host counts other bytes\");\nMGX_KERNEL_BOUNDS(", tiles.threads(),
            ") void attention_rows(", parameters, ") {\n    attention<tile>(q, k, v, ", mask, ", ",
            sink, ", out, ", splits() ? "scratch" : "nullptr", ", p);\n}\n");
        if (splits())
            text +=
                str("MGX_KERNEL_BOUNDS(128) void attention_join(", parameters,
                    ") {\n    attention_combine<tile, form>(", sink, ", out, scratch, p);\n}\n");
        return text + "} // namespace mgx\n";
    }

    std::vector<generated> stages() const {
        generated g;
        g.name = str("attention<", type, " ", tiles.size, "x", tiles.outs, ", ", tiles.rows(), "x",
                     tiles.keys(), splits() ? " split" : "", ">");
        g.source = source();
        g.entry = "attention_rows";
        g.launch.grid = {uint32_t(params.v_size == 0 ? 0 : params.blocks), uint32_t(tiles.slices),
                         uint32_t(tiles.splits)};
        g.launch.block.x = uint32_t(tiles.threads());
        g.launch.shared = tiles.shared;
        g.inputs = {in_q, in_k, in_v};
        if (masked)
            g.inputs.push_back(in_mask);
        if (drains)
            g.inputs.push_back(in_sink);
        param_block block;
        block.add(params);
        g.params = block.data();
        if (not splits())
            return {g};
        const auto all = std::size_t(params.blocks) * std::size_t(tiles.rows());
        g.scratch = all * std::size_t(tiles.splits) * (std::size_t(params.v_size) + 2) *
                    (p.inputs[in_q].type() == shape::double_type ? 8 : 4);
        auto combine = g;
        combine.name = combine.entry = "attention_join";
        combine.launch = {};
        constexpr std::size_t rows_of_block = 4;
        combine.launch.grid.x = uint32_t((all + rows_of_block - 1) / rows_of_block);
        combine.launch.block.x = 32 * rows_of_block;
        return {g, combine};
    }
};

lowered own_tiles(const device_problem& p) {
    if (auto why = attention_refusal(p); not why.empty())
        return lowered::refuse(why);
    attention_problem a(p);
    if (not a.plan())
        return lowered::refuse("heads or tiles that are too large");
    return make_generated(p, a.stages());
}

// The library's, and the own kernel for addresses that it does not take.
struct library_attention_kernel : kernel {
    std::shared_ptr<const prepared_sdpa> work;
    std::unique_ptr<kernel> own;

    std::string name() const override { return work->name(); }
    std::size_t scratch_bytes() const override {
        return std::max(work->workspace(), own->scratch_bytes());
    }
    void run(const kernel_args& args) const override {
        const auto aligned = [](const char* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; };
        if (std::all_of(args.inputs, args.inputs + 3, aligned) and aligned(args.outputs[0]))
            work->run({args.inputs[in_q], args.inputs[in_k], args.inputs[in_v], args.outputs[0],
                       args.scratch},
                      args.queue);
        else
            own->run(args);
    }
};

lowered by_library(const device_problem& p) {
    const auto& q = p.inputs[in_q];
    if (q.type() != shape::half_type and q.type() != shape::bf16_type)
        return lowered::refuse("type " + q.type_string());
    if (not is_absent(p.inputs, in_mask) or not is_absent(p.inputs, in_sink) or
        p.op.get<bool>("causal") or p.op.get<float>("softcap") != 0)
        return lowered::refuse("a mask, sinks or a bound");
    const auto& k = p.inputs[in_k];
    if (q.elements() == 0 or k.elements() == 0 or p.output.elements() == 0)
        return lowered::refuse("nothing to compute");
    constexpr std::size_t unit = 8; // elements of 16 bytes
    for (const auto& s : {q, k, p.inputs[in_v], p.output}) {
        if (s.lens()[3] % unit != 0 or s.strides()[3] != 1)
            return lowered::refuse("heads that are not contiguous or no multiple of 8");
        for (std::size_t d = 0; d < 3; d++)
            if (s.strides()[d] % unit != 0 or (s.strides()[d] == 0 and s.lens()[d] > 1))
                return lowered::refuse("rows that begin at odd addresses");
    }
    auto scale = p.op.get<float>("scale");
    if (scale == 0)
        scale = float(1 / std::sqrt(double(q.lens()[3])));
    std::string reason;
    auto result = std::make_unique<library_attention_kernel>();
    result->work = prepare_sdpa(*p.on, {q, k, p.inputs[in_v], p.output, scale}, reason);
    if (result->work == nullptr)
        return lowered::refuse(reason);
    auto own = own_tiles(p);
    if (not own)
        return own;
    result->own = std::move(own.k);
    return result;
}

// Below that many multiplications a library's kernel is no faster, and finding it takes long.
constexpr double large_work = 4e9;

lowered attention(const device_problem& p) {
    const auto &q = p.inputs[in_q].lens(), &v = p.inputs[in_v].lens();
    const auto work = double(q[0] * q[1] * q[2]) * double(v[2]) * double(q[3] + v[3]);
    if (work < large_work or p.variant != 0)
        return own_tiles(p);
    return fastest(p, {{"attention_tiles", own_tiles}, {"library", by_library}});
}

const implementations attention_choices{{"attention"},
                                        {{"attention", attention}, {"library", by_library}}};

} // namespace

} // namespace migraphx::gpu
