// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/separable.hpp"

#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/kernels/dispatch/run_separable.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/packed_convolution.hpp"
#include "targets/cpu/lower/plan_pairs.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"
#include "targets/cpu/lowering.hpp"

#include <migraphx/module.hpp>

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx::cpu {

namespace {

float* floats(char* p) {
    return reinterpret_cast<float*>(p);
}

// A tensor N, C, positions… whose channels are neighbours and whose positions follow each other.
struct rows_layout {
    int64_t image, row;
};

std::optional<rows_layout> rows_of(const shape& s) {
    if (s.type() != shape::float_type or s.dynamic() or s.ndim() < 3 or s.elements() == 0 or
        s.broadcasted())
        return std::nullopt;
    const auto strides = strides_of(s);
    const auto row = merged_stride(s, 2, s.ndim());
    if (not row or (s.lens()[1] != 1 and strides[1] != 1))
        return std::nullopt;
    return rows_layout{strides[0], *row};
}

int64_t positions(const shape& s) {
    return elements_between(s, 2, s.ndim());
}

bool all_are(const std::vector<int64_t>& v, int64_t x) {
    return std::all_of(v.begin(), v.end(), [&](auto i) { return i == x; });
}

// One position, or rows and columns; one spatial axis counts as a row.
struct window2 {
    int64_t kernel_h = 1, kernel_w, stride_h = 1, stride_w, dilation_h = 1, dilation_w, top = 0,
            left;
};

window2 window2_of(const convolution_window& w) {
    const auto last = w.kernel.size() - 1;
    window2 r{};
    r.kernel_h = r.stride_h = r.dilation_h = 1;
    r.kernel_w = w.kernel[last];
    r.stride_w = w.stride[last];
    r.dilation_w = w.dilation[last] + 1;
    r.left = w.before[last];
    if (last == 1) {
        r.kernel_h = w.kernel[0];
        r.stride_h = w.stride[0];
        r.dilation_h = w.dilation[0] + 1;
        r.top = w.before[0];
    }
    return r;
}

// What the result's padding reads beyond the image counts as zeros, however far it is.
void set_window(depthwise_params& q, const convolution_window& given) {
    const auto w = window2_of(given);
    q.kernel_h = w.kernel_h, q.kernel_w = w.kernel_w;
    q.stride_h = w.stride_h, q.stride_w = w.stride_w;
    q.dilation_h = w.dilation_h, q.dilation_w = w.dilation_w;
    q.pad_top = w.top, q.pad_left = w.left;
}

void set_images(depthwise_params& q, const shape& x, const shape& y) {
    const bool plane = x.ndim() == 4;
    const auto xs = strides_of(x), ys = strides_of(y);
    const auto last = x.ndim() - 1;
    q.height = plane ? int64_t(x.lens()[2]) : 1;
    q.out_height = plane ? int64_t(y.lens()[2]) : 1;
    q.width = int64_t(x.lens()[last]);
    q.out_width = int64_t(y.lens()[last]);
    q.channels = int64_t(y.lens()[1]);
    q.x_image = xs[0];
    q.x_row = plane ? xs[2] : 0;
    q.x_col = xs[last];
    q.y_image = ys[0];
    q.y_row = plane ? ys[2] : 0;
    q.y_col = ys[last];
}

} // namespace

std::shared_ptr<const packed_weight>
packed_form(const problem& p, std::size_t input, const std::string& form, std::size_t count,
            const std::function<void(const float*, float*)>& fill) {
    return p.weights->get(p.constants[input], form + (p.fast_math ? "" : " exact"), [&] {
        auto packed = allocate_weight(count * sizeof(float));
        auto* to = floats(packed.data.get());
        fill(floats(p.constants[input].data()), to);
        // Trained weights may be denormal by the thousand, and each costs a hundred products.
        if (p.fast_math)
            for (std::size_t i = 0; i < count; i++)
                if (std::abs(to[i]) < std::numeric_limits<float>::min())
                    to[i] = 0;
        return packed;
    });
}

std::shared_ptr<const packed_weight> pack_pointwise(const problem& p, std::size_t input) {
    const auto& s = p.inputs[input];
    const auto outputs = int64_t(s.lens()[0]), channels = int64_t(s.lens()[1]);
    return packed_form(
        p, input, str("1x1 ", isa_name(), ' ', s),
        std::size_t(packed_weights_size(channels, outputs)), [&](const float* from, float* to) {
            pack_gemm_weights(
                {from, channels, outputs, int64_t(s.strides()[1]), int64_t(s.strides()[0])}, to);
        });
}

namespace {

std::shared_ptr<const packed_weight> pack_taps(const problem& p, std::size_t input,
                                               bool filled_up) {
    const auto& s = p.inputs[input];
    const auto channels = int64_t(s.lens()[0]);
    const auto w = s.ndim() - 1;
    const auto kernel_h = s.ndim() == 4 ? int64_t(s.lens()[2]) : 1;
    const auto kernel_w = int64_t(s.lens()[w]);
    return packed_form(
        p, input, str("depthwise ", isa_name(), ' ', filled_up, ' ', s),
        depthwise_weight_floats(channels, kernel_h * kernel_w), [&](const float* from, float* to) {
            pack_depthwise(from, int64_t(s.strides()[0]),
                           s.ndim() == 4 ? int64_t(s.strides()[2]) : 0, int64_t(s.strides()[w]),
                           channels, kernel_h, kernel_w, filled_up, to);
        });
}

// The bias of a depthwise convolution lies like one of its taps.
std::vector<float> depthwise_bias(const planned_epilogue& e, const problem& p, int64_t channels,
                                  bool filled_up) {
    const auto given = e.bias_values(p, std::size_t(channels));
    const auto width = kernels().separable.vector;
    std::vector<float> result(depthwise_weight_floats(channels, 1));
    for (int64_t i = 0; i < int64_t(result.size()); i++) {
        const auto c = first_channel(i / width, width, channels, filled_up) + i % width;
        if (c < channels)
            result[std::size_t(i)] = given[std::size_t(c)];
    }
    return result;
}

// Of cpu::scaled_convolution: the inputs from the third on, and what becomes of a sum.
struct mapped_input {
    bool shift, relu;
    std::size_t count() const { return shift ? 2 : 1; }
};

std::optional<mapped_input> mapped_input_of(const problem& p) {
    if (p.op.name() != "cpu::scaled_convolution")
        return std::nullopt;
    return mapped_input{p.op.get<bool>("shift"), p.op.get<bool>("relu")};
}

struct pointwise_kernel : packed_convolution {
    pointwise_params params{};
    separable_schedule schedule;
    std::optional<mapped_input> map;
    std::vector<float> no_shift; // zeros, where there is only a relu

    void run(const kernel_args& args) const override {
        auto q = params;
        q.x = floats(args.inputs[0]);
        q.w = floats(weights->data.get());
        q.bias = bias.data();
        q.y = floats(args.outputs[0]);
        if (map)
            q.map.scale = floats(args.inputs[2]);
        if (map and map->shift)
            q.map.shift = floats(args.inputs[3]);
        q.epilogue = epilogue.bound(args, bias.data());
        run_pointwise(schedule, q, floats(args.scratch));
    }
    std::size_t scratch_bytes() const override { return schedule.scratch_bytes(); }
    std::string name() const override {
        return str("pointwise ", isa_name(), pairs ? " in pairs" : "");
    }
    std::span<const char> streamed() const override {
        constexpr int64_t few_rows = 2;
        return schedule.images * params.rows <= few_rows ? weights->memory()
                                                         : std::span<const char>{};
    }
    bool fetches_ahead() const override { return schedule.packs; }
};

struct depthwise_kernel : kernel {
    depthwise_params params{};
    separable_schedule schedule;
    planned_epilogue between, epilogue, last;
    std::vector<float> panel_bias, bias, last_bias;
    // Panels: of the 1x1 before or after it, if there is one.
    std::shared_ptr<const packed_weight> panels, weights, last_panels;
    std::size_t kernel_inputs = 2; // x and the weights

    void run(const kernel_args& args) const override {
        auto q = params;
        q.x = floats(args.inputs[0]);
        if (panels) {
            q.panels = floats(panels->data.get());
            q.panel_bias = panel_bias.data();
            q.between = between.bound(args, panel_bias.data());
        }
        q.w = floats(weights->data.get());
        q.bias = bias.data();
        q.y = floats(args.outputs[0]);
        q.epilogue = epilogue.bound(args, bias.data());
        if (last_panels) {
            q.last_panels = floats(last_panels->data.get());
            q.last_bias = last_bias.data();
            q.last = last.bound(args, last_bias.data());
        }
        run_depthwise(schedule, q, floats(args.scratch));
    }
    std::size_t scratch_bytes() const override { return schedule.scratch_bytes(); }
    std::string name() const override {
        return str(panels ? "pointwise_" : "", "depthwise", last_panels ? "_pointwise " : " ",
                   isa_name());
    }
    bool fetches_ahead() const override { return schedule.packs; }
    bool reads_input(std::size_t i) const override {
        return (i == 0 or i >= kernel_inputs) and i != epilogue.bias and i != between.bias and
               i != last.bias;
    }
    void add_constants(held_constants& held) const override {
        for (const auto& w : {weights, panels, last_panels})
            if (w)
                w->add_to(held);
    }
};

const module* body_of(const problem& p, std::size_t i) {
    return i < p.modules.size() ? p.modules[i] : nullptr;
}

std::optional<planned_epilogue> plan_pointwise(const problem& p, std::string& reason) {
    const auto map = mapped_input_of(p);
    const auto channel_values = [&](std::size_t i) {
        return is_channel_scale(p.inputs[i], p.inputs[0]);
    };
    if (not is_pointwise_convolution(p.op, p.inputs[0], p.inputs[1], p.output))
        reason = "not a product of rows";
    else if (map and not(channel_values(2) and (not map->shift or channel_values(3))))
        reason = "not one factor and shift for each channel";
    else if (not p.is_constant(1))
        reason = "weights that are not constant";
    else if (not map and is_large_product(p))
        reason = "a large product of packed rows";
    else
        return plan_row_epilogue(inputs_of(p), body_of(p, 0), 2 + (map ? map->count() : 0),
                                 p.output, reason);
    return std::nullopt;
}

std::optional<planned_epilogue> plan_depthwise(const problem& p, std::string& reason) {
    if (not is_depthwise_convolution(p.op, p.inputs[0], p.inputs[1], p.output))
        reason = "not one window for each channel, channels last";
    else if (not p.is_constant(1))
        reason = "weights that are not constant";
    else if (int64_t(p.inputs[0].lens()[1]) < kernels().separable.vector)
        reason = "few channels";
    else
        return plan_row_epilogue(inputs_of(p), body_of(p, 0), 2, p.output, reason);
    return std::nullopt;
}

// The parts of cpu::separable.
struct separable_plan {
    bool before, after;
    std::size_t depthwise; // input with its weights; those of the others stand beside them
    shape middle, result;  // what it reads and its result, which need not have memory
    planned_epilogue between, epilogue, last;
};

std::optional<separable_plan> plan_separable(const problem& p, std::string& reason) {
    separable_plan plan{};
    plan.before = p.op.get<bool>("before");
    plan.after = p.op.get<bool>("after");
    plan.depthwise = plan.before ? 2 : 1;
    const auto& x = p.inputs[0];
    const auto count = plan.depthwise + (plan.after ? 1 : 0);
    for (std::size_t i = 1; i <= count; i++)
        if (not p.is_constant(i)) {
            reason = "weights that are not constant";
            return std::nullopt;
        }
    const auto channels_last = [](std::vector<std::size_t> lens) {
        return shape::from_permutation(shape::float_type, lens, {0, 2, 3, 1});
    };
    plan.middle = x;
    plan.result = p.output;
    if (plan.before) {
        auto lens = x.lens();
        lens[1] = p.inputs[1].lens()[0];
        plan.middle = channels_last(lens);
    }
    if (plan.after) {
        auto lens = p.output.lens();
        lens[1] = p.inputs[plan.depthwise].lens()[0];
        plan.result = channels_last(lens);
    }
    if (not rows_of(x) or not rows_of(p.output) or
        not is_depthwise_convolution(p.op, plan.middle, p.inputs[plan.depthwise], plan.result)) {
        reason = "channels are not neighbours in memory";
        return std::nullopt;
    }
    if (not plan.before and int64_t(x.lens()[1]) < kernels().separable.vector) {
        reason = "few channels";
        return std::nullopt;
    }
    const auto in = inputs_of(p);
    auto operand = count + 1, part = std::size_t(0);
    const auto next = [&](planned_epilogue& e, const shape& result) {
        const auto* body = body_of(p, part++);
        const auto planned = plan_row_epilogue(in, body, operand, result, reason);
        if (not planned)
            return false;
        e = *planned;
        operand += body->get_parameter_names().size() - 1;
        return true;
    };
    if ((plan.before and not next(plan.between, plan.middle)) or
        not next(plan.epilogue, plan.result) or (plan.after and not next(plan.last, p.output)))
        return std::nullopt;
    if (plan.between.has_operands()) {
        reason = "operands between the convolutions";
        return std::nullopt;
    }
    return plan;
}

lowered separable(const problem& p) {
    std::string reason;
    const auto plan = plan_separable(p, reason);
    if (not plan)
        return lowered::refuse(reason);
    const auto& x = p.inputs[0];
    const auto at = plan->depthwise;
    auto k = std::make_unique<depthwise_kernel>();
    k->between = plan->between;
    k->epilogue = plan->epilogue;
    k->last = plan->last;
    k->kernel_inputs = at + (plan->after ? 2 : 1);
    auto& q = k->params;
    set_images(q, plan->middle, plan->result);
    auto depthwise = p;
    depthwise.inputs = {plan->middle, p.inputs[at]};
    depthwise.output = plan->result;
    set_window(q, window_of(depthwise));
    k->weights = pack_taps(p, at, plan->before);
    k->bias = depthwise_bias(plan->epilogue, p, q.channels, plan->before);
    if (plan->before) {
        const auto rows = *rows_of(x);
        q.x_image = rows.image;
        q.x_col = rows.row;
        q.x_row = rows.row * q.width;
        q.depth = int64_t(x.lens()[1]);
        k->panels = pack_pointwise(p, 1);
        q.panels = floats(k->panels->data.get());
        k->panel_bias =
            plan->between.bias_values(p, std::size_t(packed_weights_size(1, q.channels)));
    }
    if (plan->after) {
        const auto rows = *rows_of(p.output);
        q.y_image = rows.image;
        q.y_col = rows.row;
        q.y_row = rows.row * q.out_width;
        q.outputs = int64_t(p.output.lens()[1]);
        k->last_panels = pack_pointwise(p, at + 1);
        q.last_panels = floats(k->last_panels->data.get());
        k->last_bias = plan->last.bias_values(p, std::size_t(packed_weights_size(1, q.outputs)));
    }
    k->schedule = schedule_depthwise(q, int64_t(x.lens()[0]), num_threads());
    return k;
}

const implementations separable_choices{{"cpu::separable"}, {{"separable", separable}}};

} // namespace

bool fused_separable_pays(const operation& op, const shape& x, const shape& w,
                          const shape& middle) {
    // Threads share rows, and compute the rows between their shares twice. Costs are for a value of
    // the 1x1's result, in the time of 32 products.
    const auto threads = double(num_threads()), height = double(middle.lens()[2]);
    const auto extent = double(op.get_vector<int64_t>("dilation")[0]) * double(w.lens()[2] - 1) + 1;
    const auto twice = std::max(0.0, extent - double(op.get_vector<int64_t>("stride")[0])) *
                       (threads - 1) / height;
    constexpr double second_cache = 1 << 20; // what a thread may have there
    const double saved = double(middle.bytes()) / threads > second_cache ? 0.8 : 0.2;
    return saved > twice * double(x.lens()[1]) / 32;
}

bool strips_pay(const shape& middle) {
    // Smaller parts of a thread are read again from its second cache, and then the 1x1 by itself
    // may be cut into panels. MobileNet-V2: 12 % at batch 8, 3 % at batch 1.
    constexpr double near = 256 * 1024;
    return double(middle.bytes()) / double(num_threads()) > near;
}

bool is_pointwise_convolution(const operation& op, const shape& x, const shape& w, const shape& y) {
    if (not rows_of(x) or not rows_of(y) or w.type() != shape::float_type or w.elements() == 0 or
        op.get<int64_t>("group") != 1)
        return false;
    const auto pads = op.get_vector<int64_t>("padding");
    return std::all_of(w.lens().begin() + 2, w.lens().end(), [](auto n) { return n == 1; }) and
           all_are(op.get_vector<int64_t>("stride"), 1) and all_are(pads, 0);
}

bool is_depthwise_convolution(const operation& op, const shape& x, const shape& w, const shape& y) {
    const auto is_image = [](const shape& s) {
        return s.type() == shape::float_type and not s.dynamic() and
               (s.ndim() == 3 or s.ndim() == 4) and s.elements() > 0 and not s.broadcasted() and
               (s.lens()[1] == 1 or s.strides()[1] == 1);
    };
    if (not is_image(x) or not is_image(y) or w.type() != shape::float_type or w.elements() == 0)
        return false;
    const auto channels = x.lens()[1];
    if (op.get<int64_t>("group") != int64_t(channels) or y.lens()[1] != channels or
        w.lens()[1] != 1)
        return false;
    const auto pads = op.get_vector<int64_t>("padding");
    return (w.ndim() == 3 or w.lens()[2] <= std::size_t(depthwise_rows_most)) and
           std::all_of(pads.begin(), pads.end(), [](auto n) { return n >= 0; });
}

bool is_large_product(const problem& p) {
    const auto& w = p.inputs[1];
    const auto products = double(p.output.elements()) * double(w.elements() / w.lens()[0]);
    return products > 40e6 and p.inputs[0].packed() and p.output.packed();
}

bool is_channel_scale(const shape& s, const shape& x) {
    if (s.type() != shape::float_type or s.dynamic() or s.lens() != x.lens())
        return false;
    const auto strides = strides_of(s);
    return std::all_of(strides.begin() + 2, strides.end(), [](auto n) { return n == 0; }) and
           (strides[1] == 1 or s.lens()[1] == 1);
}

namespace {

const implementations scaled_choices{{"cpu::scaled_convolution"},
                                     {{"pointwise", pointwise_convolution}}};

} // namespace

lowered pointwise_convolution(const problem& p) {
    std::string reason;
    const auto epilogue = plan_pointwise(p, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    const auto &x = p.inputs[0], &y = p.output;
    auto images = int64_t(x.lens()[0]), rows = positions(x);
    auto k = std::make_unique<pointwise_kernel>();
    k->map = mapped_input_of(p);
    const auto from = *rows_of(x), to = *rows_of(y);
    auto& q = k->params;
    static const float any = 0; // for the schedule
    if (const auto& map = k->map) {
        q.map.scale = &any;
        q.scale_image = strides_of(p.inputs[2])[0];
        if (map->shift) {
            q.map.shift = &any;
            q.shift_image = strides_of(p.inputs[3])[0];
        } else if (map->relu) {
            k->no_shift.resize(x.lens()[1]);
            q.map.shift = k->no_shift.data();
        }
        if (map->relu)
            q.map.least = 0;
    }
    if (q.scale_image == 0 and q.shift_image == 0 and from.image == rows * from.row and
        to.image == rows * to.row and epilogue->merges_images(rows)) {
        rows *= images;
        images = 1;
    }
    q.channels = int64_t(x.lens()[1]);
    q.outputs = int64_t(y.lens()[1]);
    q.rows = rows;
    q.x_image = from.image, q.x_row = from.row;
    q.y_image = to.image, q.y_row = to.row;
    k->weights = pack_pointwise(p, 1);
    if (p.fast_math and gains_by_pairs(images * rows, q.channels, q.outputs)) {
        gemm_params product{};
        product.k = q.channels;
        product.n = q.outputs;
        product.sum_depth = kernels().separable.pair_depth;
        k->pairs = plan_pairs(p, 1, "1x1", *k->weights, product);
        q.pairs = product.pairs;
        q.weight_exponent = product.weight_exponent;
    }
    k->schedule = schedule_pointwise(q, images, num_threads());
    k->epilogue = *epilogue;
    k->bias = epilogue->bias_values(p, std::size_t(packed_weights_size(1, q.outputs)));
    return k;
}

lowered depthwise_convolution(const problem& p) {
    std::string reason;
    const auto epilogue = plan_depthwise(p, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    const auto &x = p.inputs[0], &y = p.output;
    auto k = std::make_unique<depthwise_kernel>();
    set_images(k->params, x, y);
    set_window(k->params, window_of(p));
    k->schedule = schedule_depthwise(k->params, int64_t(x.lens()[0]), num_threads());
    k->epilogue = *epilogue;
    k->weights = pack_taps(p, 1, false);
    k->bias = depthwise_bias(*epilogue, p, k->params.channels, false);
    return k;
}

bool is_separable_convolution(const problem& p) {
    const auto name = p.op.name();
    std::string reason;
    if (name == "convolution" or name == "cpu::convolution")
        return plan_pointwise(p, reason) or plan_depthwise(p, reason);
    if (name == "cpu::scaled_convolution")
        return plan_pointwise(p, reason).has_value();
    return name == "cpu::separable" and plan_separable(p, reason);
}

} // namespace migraphx::cpu
