// SPDX-License-Identifier: MIT
// Convolutions by own kernels (device_code/conv.cuh, conv_mma.cuh, conv_ring.cuh): the form of the
// tiles, weights packed at compile time, k split over several blocks where there are few tiles.
#include "base/parallel.hpp"
#include "base/str.hpp"
#include "codegen/device_text.hpp"
#include "ops/tensor.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/weights.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace migraphx::gpu {

namespace {

// conv_mma.cuh; conv_ring.cuh: floats that come in fours; conv.cuh: everything.
enum class tile_kind { matrix_units, ring, plain };

struct tile_form {
    tile_kind kind;
    int rows, columns;           // of sums by one block
    int rows_each, columns_each; // by a warp, or by a thread
    int slices = 1, stages = 4;

    int threads() const {
        return rows / rows_each * (columns / columns_each) * slices *
               (kind == tile_kind::matrix_units ? 32 : 1);
    }
    /// Along k, of elements of `size` bytes.
    int depth(std::size_t size) const {
        return kind == tile_kind::matrix_units ? 64 / int(size) : 16;
    }
    std::size_t shared(std::size_t sum_size) const {
        const auto r = std::size_t(rows), c = std::size_t(columns), n = std::size_t(stages);
        switch (kind) {
        case tile_kind::matrix_units:
            return std::max(n * (r + c) * 80, r * (c + 4) * sum_size);
        case tile_kind::ring:
            return std::max(n * (r + c) * 20, r * (c + 1)) * sizeof(float);
        case tile_kind::plain:
            break;
        }
        return std::max(2 * 16 * (r + c + 8), r * (c + 1)) * sum_size;
    }
};

constexpr std::array matrix_forms{tile_form{tile_kind::matrix_units, 128, 128, 64, 32},
                                  tile_form{tile_kind::matrix_units, 128, 64, 32, 32},
                                  tile_form{tile_kind::matrix_units, 64, 64, 32, 32}};
constexpr std::array ring_forms{tile_form{tile_kind::ring, 128, 64, 8, 8, 2},
                                tile_form{tile_kind::ring, 64, 64, 8, 4, 2},
                                tile_form{tile_kind::ring, 32, 64, 4, 4, 4}};
constexpr std::array plain_forms{tile_form{tile_kind::plain, 128, 128, 8, 8},
                                 tile_form{tile_kind::plain, 64, 64, 8, 4},
                                 tile_form{tile_kind::plain, 32, 64, 4, 4}};

std::size_t div_up(std::size_t x, std::size_t y) {
    return (x + y - 1) / y;
}

std::size_t blocks_of(const tile_form& f, const mgx::conv_params& p) {
    return div_up(p.positions, std::size_t(f.rows)) *
           div_up(std::size_t(p.outputs), std::size_t(f.columns)) * std::size_t(p.groups);
}

// The largest tiles that give every multiprocessor one; else the smallest.
template <std::size_t N>
tile_form choose(const std::array<tile_form, N>& forms, const device_problem& p,
                 const mgx::conv_params& params) {
    if (p.variant > 0)
        return forms[std::size_t(p.variant - 1) % N];
    for (const auto& f : forms)
        if (blocks_of(f, params) >= std::size_t(p.on->properties().multiprocessors) and
            (params.outputs > f.columns / 2 or f.columns == 64))
            return f;
    return forms.back();
}

// Parts of k, so that few tiles keep the device busy; each part long enough to pay for its sums
// being written and read again.
int splits_of(const tile_form& f, const device_problem& p, const mgx::conv_params& params,
              std::size_t tiles) {
    const auto blocks = blocks_of(f, params);
    const auto wanted = std::size_t(p.on->properties().multiprocessors) / blocks;
    return int(std::clamp<std::size_t>(std::min(wanted, tiles / 8), 1, 16));
}

// Steps of the weights as they are given, and how they are packed.
mgx::conv_pack_params packing_of(const convolution_desc& d, const mgx::conv_params& p) {
    mgx::conv_pack_params q{};
    const auto first = int64_t(d.w.strides()[0]), second = int64_t(d.w.strides()[1]);
    q.output = d.transposed ? second : first;
    q.channel = d.transposed ? first : second;
    q.group = first * (d.transposed ? p.channels : p.outputs);
    q.k = p.k;
    q.k_step = p.k_step;
    q.channels = p.channels;
    q.outputs = p.outputs;
    q.count = uint64_t(p.groups) * uint64_t(p.outputs) * uint64_t(p.k_step);
    const auto spatial = d.spatial();
    for (std::size_t i = 0; i < mgx::conv_most_axes; i++) {
        const auto axis = i + spatial - mgx::conv_most_axes; // wraps below the first
        const bool used = i + spatial >= mgx::conv_most_axes;
        q.kernel[i] = used ? int(d.w.lens()[axis + 2]) : 1;
        q.tap[i] = used ? int64_t(d.w.strides()[axis + 2]) : 0;
    }
    return q;
}

void pack(const argument& w, const mgx::conv_pack_params& q, char* to) {
    const auto size = w.get_shape().type_size();
    const auto rows = int64_t(q.count / uint64_t(q.k_step));
    parallel_for(rows, 1 + (int64_t{1} << 14) / q.k_step, [&](int64_t begin, int64_t end) {
        for (auto row = begin; row < end; row++) {
            char* at = to + std::size_t(row) * std::size_t(q.k_step) * size;
            const auto base = row / q.outputs * q.group + row % q.outputs * q.output;
            int64_t k = 0;
            for (int a = 0; a < q.kernel[0]; a++)
                for (int b = 0; b < q.kernel[1]; b++)
                    for (int c = 0; c < q.kernel[2]; c++)
                        for (int i = 0; i < q.channels; i++, k++)
                            std::memcpy(at + std::size_t(k) * size,
                                        w.data() + std::size_t(base + a * q.tap[0] + b * q.tap[1] +
                                                               c * q.tap[2] + i * q.channel) *
                                                       size,
                                        size);
            std::memset(at + std::size_t(k) * size, 0, std::size_t(q.k_step - k) * size);
        }
    });
}

// Weights {outputs, channels, 1 …} as sums of two numbers of a shorter type, {outputs, channels, 2
// …}.
argument two_parts(const argument& w, const shape& s) {
    const auto sum = as_sum(load<double>(w), s.type());
    const auto high = load<double>(sum.first), low = load<double>(sum.second);
    std::vector<double> parts(2 * high.size());
    for (std::size_t i = 0; i < high.size(); i++) {
        parts[2 * i] = high[i];
        parts[2 * i + 1] = low[i];
    }
    argument result{s};
    store(result, parts);
    return result;
}

struct convolution_kernel : kernel {
    std::unique_ptr<kernel> work;
    device_weight weights; ///< null: they come at run time
    std::string title;

    void run(const kernel_args& args) const override { work->run(args); }
    std::size_t scratch_bytes() const override { return work->scratch_bytes(); }
    std::string name() const override { return title; }
    bool reads_input(std::size_t i) const override { return i != 1 or weights == nullptr; }
    void add_constants(held_constants& held) const override {
        if (weights != nullptr)
            weights->add_to(held);
    }
};

std::size_t round_up(std::size_t n, std::size_t unit) {
    return div_up(n, unit) * unit;
}

const char* truth(bool x) {
    return x ? "true" : "false";
}

} // namespace

lowered implicit_gemm_convolution(const device_problem& p) {
    std::string reason;
    auto d = describe_convolution(p, reason);
    if (not d)
        return lowered::refuse(reason);
    const bool in_parts = d->w.type() != d->x.type();
    if (in_parts) {
        if (not multiplies_halves(*p.on) or not p.is_constant(1) or d->transposed)
            return lowered::refuse("weights of another type than the data");
        if (d->w.elements() != d->w.lens()[0] * d->w.lens()[1])
            return lowered::refuse("float weights of a window beside shorter data");
        // As two taps at the same place.
        auto lens = d->w.lens();
        lens[2] = 2;
        d->w = shape{d->x.type(), lens};
        d->dilation[0] = 0;
    }
    auto params = convolution_params(p, *d, reason);
    if (not params)
        return lowered::refuse(reason);
    const auto epilogue = convolution_epilogue(p, *d, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    const auto type = d->x.type();
    const auto size = d->x.type_size();
    const auto& on = p.on->properties();
    const bool matrix_units = (type == shape::half_type or type == shape::bf16_type or
                               type == shape::int8_type or type == shape::uint8_type) and
                              multiplies_halves(*p.on);
    // Channels that come in vectors.
    const auto vector = matrix_units ? 16 / size : 4;
    const auto whole = [&](std::size_t n) { return n % vector == 0; };
    bool neighbours = d->x.strides()[1] == 1 and whole(std::size_t(params->channels)) and
                      whole(d->x.strides()[0]);
    for (std::size_t i = 2; i < d->x.ndim(); i++)
        neighbours = neighbours and whole(d->x.strides()[i]);
    const bool ring = type == shape::float_type and neighbours;
    const auto form = matrix_units ? choose(matrix_forms, p, *params)
                      : ring       ? choose(ring_forms, p, *params)
                                   : choose(plain_forms, p, *params);
    const auto depth = std::size_t(form.depth(size)), tiles = div_up(std::size_t(params->k), depth);
    params->k_step = int(round_up(tiles * depth, 32));
    params->splits = splits_of(form, p, *params, tiles);
    params->tiles_in_split = int(div_up(tiles, std::size_t(params->splits)));
    params->splits = int(div_up(tiles, std::size_t(params->tiles_in_split)));
    const bool split = params->splits > 1;
    const bool last = is_channels_last(d->y);

    const auto packing = packing_of(*d, *params);
    const auto weight_bytes = std::size_t(packing.count) * size;
    auto result = std::make_unique<convolution_kernel>();
    const bool constant = p.is_constant(1);
    if (constant) {
        result->weights = device_constant(
            *p.on, p.constants[1],
            str("convolution rows of k, groups ", d->group, d->transposed ? " transposed" : "",
                in_parts ? " in parts" : ""),
            weight_bytes, [&](char* to) {
                pack(in_parts ? two_parts(p.constants[1], d->w) : p.constants[1], packing, to);
            });
        params->weights = result->weights->data.get();
    }

    const std::string t = codegen::stored_type(type), out = codegen::stored_type(d->y.type());
    const auto sums = str("accumulate<", t, ">");
    const auto sum_size =
        std::size_t(type == shape::double_type or (shape::is_integral(type) and size > 2) ? 8 : 4);
    const auto partial_at = constant ? 0 : round_up(weight_bytes, 256);
    const auto partial_bytes = split ? std::size_t(params->splits) * d->y.elements() * sum_size : 0;
    const auto scratch = partial_at + partial_bytes;

    std::string text = convolution_head(p, matrix_units ? "conv_mma.cuh"
                                           : ring       ? "conv_ring.cuh"
                                                        : "conv.cuh") +
                       epilogue->definitions;
    const auto scratch_parameter = scratch > 0 ? ", unsigned char* scratch" : "";
    const auto partial = split ? str("reinterpret_cast<", sums, "*>(scratch + ", partial_at, ")")
                               : str("static_cast<", sums, "*>(nullptr)");
    const auto common =
        str("const ", t, "* x", constant ? "" : str(", const ", t, "* w"), epilogue->parameters,
            ", ", out, "* y", scratch_parameter, ", conv_params p");
    const auto weights = constant ? str("static_cast<const ", t, "*>(p.weights)")
                                  : str("reinterpret_cast<const ", t, "*>(scratch)");
    const auto tiles_text = [&] {
        const auto sizes =
            str(form.rows, ", ", form.columns, ", ", form.rows_each, ", ", form.columns_each);
        const auto axes = str(d->spatial(), ", ", truth(d->transposed), ", ");
        const auto ends = str(truth(last), ", ", truth(split), ", ", sizes);
        switch (form.kind) {
        case tile_kind::matrix_units:
            return str("conv_tile_mma<", t, ", ", out, ", ", axes, truth(neighbours), ", ", ends,
                       ", ", form.stages, ">");
        case tile_kind::ring:
            return str("conv_tile_ring<", out, ", ", axes, ends, ", ", form.slices, ", ",
                       form.stages, ">");
        case tile_kind::plain:
            break;
        }
        return str("conv_tile_fma<", t, ", ", out, ", ", axes, truth(neighbours), ", ", ends, ">");
    };
    text +=
        str("MGX_KERNEL_BOUNDS(", form.threads(), ") void convolution(", common, ") {\n    ",
            tiles_text(), "(x, ", weights, ", y, ", partial, ", p, ", epilogue->value, ");\n}\n");
    if (split)
        text +=
            str("MGX_KERNEL_BOUNDS(256) void join(", common, ") {\n    conv_join<", d->spatial(),
                ", ", truth(last), ">(", partial, ", y, p, ", epilogue->value, ");\n}\n");
    if (not constant)
        text += str("MGX_KERNEL_BOUNDS(256) void pack(const ", t, "* w, ", out,
                    "*, unsigned char* scratch, conv_pack_params p) {\n    conv_pack(w, "
                    "reinterpret_cast<",
                    t, "*>(scratch), p);\n}\n");
    text += "}\n";

    const auto grid_of = [&](std::size_t threads) {
        return extent3{unsigned(
            std::min<std::size_t>(div_up(threads, 256), 16 * std::size_t(on.multiprocessors)))};
    };
    std::vector<generated> stages;
    const auto add_stage = [&](const std::string& name, const char* entry, launch_shape launch,
                               const auto& values, std::vector<std::size_t> inputs) {
        param_block block;
        block.add(values);
        generated g{name, text, entry, launch, block.data()};
        g.inputs = std::move(inputs);
        g.scratch = scratch;
        stages.push_back(std::move(g));
    };
    std::vector<std::size_t> inputs{0};
    if (not constant) {
        inputs.push_back(1);
        add_stage("pack weights", "pack", {grid_of(packing.count), {256}, 0}, packing, {1});
    }
    inputs.insert(inputs.end(), epilogue->inputs.begin(), epilogue->inputs.end());
    const extent3 grid{unsigned(div_up(params->positions, std::size_t(form.rows))),
                       unsigned(div_up(std::size_t(params->outputs), std::size_t(form.columns))),
                       unsigned(params->groups * params->splits)};
    if (grid.y > 65535 or grid.z > 65535)
        return lowered::refuse("more groups or channels than a launch has blocks");
    result->title =
        str("convolution ", form.rows, "x", form.columns, matrix_units ? " matrix units" : "",
            split ? str(" split ", params->splits) : std::string());
    add_stage(result->title, "convolution",
              {grid, {unsigned(form.threads())}, form.shared(sum_size)}, *params, inputs);
    if (split)
        add_stage("join", "join", {grid_of(d->y.elements() / (last ? 4 : 1) + 1), {256}, 0},
                  *params, inputs);
    result->work = make_generated(p, std::move(stages));
    return result;
}

} // namespace migraphx::gpu
