// SPDX-License-Identifier: MIT
// 3x3 convolutions with stride 1 or 2 by Winograd's filtering: fewer multiplications than the
// direct sum.
#include "targets/cpu/kernels/dispatch/run_winograd.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/post_ops.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <limits>

namespace migraphx::cpu {

namespace {

// What follows the convolution, as the kernels do it: bias, residual, then a clamp.
struct clamped_sum {
    std::optional<std::size_t> bias, residual; ///< inputs
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

// Steps of a tensor N, C, H, W whose channels are neighbours.
struct image_steps {
    int64_t image, row, col;
};

std::optional<image_steps> steps_of(const shape& s) {
    const auto& l = s.lens();
    const auto& t = s.strides();
    if (s.type() != shape::float_type or s.ndim() != 4 or (l[1] != 1 and t[1] != 1))
        return std::nullopt;
    return image_steps{int64_t(t[0]), int64_t(t[2]), int64_t(t[3])};
}

std::optional<clamped_sum> clamped_sum_of(const problem& p) {
    clamped_sum result;
    if (p.modules.empty())
        return result;
    const auto chain = as_post_operations(*p.modules.front(), "x0");
    if (not chain)
        return std::nullopt;
    for (std::size_t i = 0; i < chain->size(); i++) {
        const auto& op = (*chain)[i];
        if (not op.is_binary()) {
            const bool last = i + 1 == chain->size();
            if (last and op.algorithm == post_algorithm::relu and op.alpha == 0)
                result.low = 0;
            else if (last and op.algorithm == post_algorithm::clip) {
                result.low = op.alpha;
                result.high = op.beta;
            } else
                return std::nullopt;
            continue;
        }
        const auto input = epilogue_input(*p.modules.front(), op.parameter, 2);
        if (op.algorithm != post_algorithm::add)
            return std::nullopt;
        const auto& s = p.inputs.at(input);
        if (not result.bias and s.type() == shape::float_type and is_per_channel(s, 1))
            result.bias = input;
        else if (not result.residual and steps_of(s) and s.lens() == p.output.lens() and
                 not s.broadcasted())
            result.residual = input;
        else
            return std::nullopt;
    }
    return result;
}

// From measurements (docs/how-it-works.md, "Targets"): on small maps the weights of large tiles
// outgrow the caches and take what they save in multiplications; few channels do not pay for the
// transforms. With stride 2 (three tenths less multiplications) two cores of a Xeon take
// 0.66 ms instead of 0.78 for 128 channels to 28x28, 0.64 instead of 0.84 for 256 to 14x14, but 1.0
// instead of 0.87 for 512 to 7x7.
int32_t best_tile(const problem& p, int64_t stride) {
    const auto& out = p.output.lens();
    const auto channels = p.inputs[1].lens()[1], outputs = out[1];
    const auto tiles = [&](std::size_t side) {
        return out[0] * ((out[2] + side - 1) / side) * ((out[3] + side - 1) / side);
    };
    if (stride == 2)
        return channels >= 64 and outputs >= 64 and tiles(2) >= 49 ? 2 : 0;
    if (channels < 16 or outputs < 16)
        return 0;
    if (tiles(4) >= 49)
        return 4;
    if (channels < 64 or outputs < 32 or out[2] < 4 or out[3] < 4)
        return 0;
    return outputs >= 64 or tiles(2) >= 25 ? 2 : 0;
}

int32_t tile_of(const problem& p, int64_t stride) {
    return p.variant == 0 ? best_tile(p, stride) : stride == 2 ? 0 : 2 * p.variant;
}

std::string refusal(const problem& p, const convolution_window& w) {
    using list = dnnl::memory::dims;
    if (not p.fast_math)
        return "exact arithmetic is asked for";
    if (p.inputs[0].type() != shape::float_type or p.output.elements() == 0)
        return "only float images";
    if (p.op.get<int64_t>("group") != 1 or w.kernel != list{3, 3} or
        (w.stride != list{1, 1} and w.stride != list{2, 2}) or w.dilation != list{0, 0})
        return "only 3x3 windows with stride 1 or 2, not grouped";
    // They do more of all products in the time than a quarter less saves.
    if (w.stride[0] == 2 and kernels().amx.multiply != nullptr)
        return "stride 2 goes by matrix tiles";
    if (not p.is_constant(1))
        return "weights that are not constant";
    if (not steps_of(p.inputs[0]) or not steps_of(p.output) or p.inputs[0].broadcasted())
        return "channels are not neighbours in memory";
    if (w.before[0] < 0 or w.before[1] < 0)
        return "negative padding";
    return "";
}

struct winograd_kernel : kernel {
    winograd_schedule schedule;
    clamped_sum epilogue;
    std::shared_ptr<const packed_weight> weights;

    static const float* floats(const char* p) { return reinterpret_cast<const float*>(p); }
    void run(const kernel_args& args) const override {
        auto p = schedule.params;
        p.x = floats(args.inputs[0]);
        p.u = floats(weights->data.get());
        p.bias = epilogue.bias ? floats(args.inputs[*epilogue.bias]) : nullptr;
        p.residual = epilogue.residual ? floats(args.inputs[*epilogue.residual]) : nullptr;
        p.y = reinterpret_cast<float*>(args.outputs[0]);
        run_winograd(schedule, p, reinterpret_cast<float*>(args.scratch));
    }
    std::size_t scratch_bytes() const override { return schedule.scratch_floats() * sizeof(float); }
    std::string name() const override {
        return str("winograd F(", schedule.params.tile, ",3) ",
                   schedule.params.stride == 2 ? "stride 2 " : "",
                   schedule.params.paired ? "in pairs " : "", isa_name());
    }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override { weights->add_to(held); }
};

} // namespace

std::string winograd_refusal(const problem& p) {
    if (p.inputs[0].ndim() != 4)
        return "only images";
    if (auto r = refusal(p, window_of(p)); not r.empty())
        return r;
    if (tile_of(p, window_of(p).stride[0]) == 0)
        return "too few channels or too small a map";
    return clamped_sum_of(p) ? "" : "an epilogue beyond bias, residual and clamp";
}

lowered winograd_convolution(const problem& p) {
    if (auto why = winograd_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto w = window_of(p);
    const auto tile = tile_of(p, w.stride[0]);
    const auto epilogue = clamped_sum_of(p);
    const auto x = *steps_of(p.inputs[0]), y = *steps_of(p.output);
    const auto& in = p.inputs[0].lens();
    const auto& out = p.output.lens();
    winograd_params q{};
    q.tile = tile;
    q.stride = int32_t(w.stride[0]);
    q.channels = int64_t(in[1]);
    q.outputs = int64_t(out[1]);
    q.height = int64_t(in[2]);
    q.width = int64_t(in[3]);
    q.out_height = int64_t(out[2]);
    q.out_width = int64_t(out[3]);
    q.pad_top = w.before[0];
    q.pad_left = w.before[1];
    q.x_image = x.image, q.x_row = x.row, q.x_col = x.col;
    q.y_image = y.image, q.y_row = y.row, q.y_col = y.col;
    q.low = epilogue->low;
    q.high = epilogue->high;
    if (epilogue->residual) {
        const auto r = *steps_of(p.inputs[*epilogue->residual]);
        q.r_image = r.image, q.r_row = r.row, q.r_col = r.col;
    }
    q.paired = winograd_gains_by_pairs(q);
    auto k = std::make_unique<winograd_kernel>();
    k->schedule = schedule_winograd(q, int64_t(out[0]), num_threads());
    k->epilogue = *epilogue;
    const auto& s = p.inputs[1].strides();
    const winograd_weights given{reinterpret_cast<const float*>(p.constants[1].data()),
                                 int64_t(s[0]), int64_t(s[1]), int64_t(s[2]), int64_t(s[3])};
    // The form is that of the panels: other sizes of the map share it where their blocks agree.
    const auto form =
        str("winograd ", isa_name(), ' ', q.stride, ' ', tile, ' ', k->schedule.params.panels, 'x',
            k->schedule.params.panel, q.paired ? " in pairs " : " ", p.inputs[1]);
    k->weights = p.weights->get(p.constants[1], form, [&] {
        auto u = allocate_weight(k->schedule.weight_floats() * sizeof(float));
        transform_winograd(k->schedule, given, reinterpret_cast<float*>(u.data.get()));
        return u;
    });
    return k;
}

} // namespace migraphx::cpu
