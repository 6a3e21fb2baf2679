// SPDX-License-Identifier: MIT
// Transposed convolutions whose windows lie side by side (as far apart as they are large): a
// product of rows of the image with the weights of all places of a window, a few lines at a time,
// whose results are put in their places while a cache holds them.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/packed_convolution.hpp"
#include "targets/cpu/lower/plan_pairs.hpp"
#include "targets/cpu/lower/separable.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include "base/str.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace migraphx::cpu {

namespace {

struct transposed_kernel : packed_convolution {
    gemm_params params{}; // of `lines` lines of the image
    int64_t images, height, width, lines;
    int64_t x_image, x_row;
    int64_t window_h, window_w, outputs;
    int64_t y_image, y_row, y_col;
    std::array<std::vector<float>, row_epilogue::most> operands; // of steps, for all columns
    int64_t threads;

    int64_t sums() const { return round_up(params.m * params.n, 16); }
    int64_t scratch_of_thread() const { return sums() + round_up(gemm_scratch(params, 1), 16); }
    std::size_t scratch_bytes() const override {
        return std::size_t(threads * scratch_of_thread()) * sizeof(float);
    }
    std::string name() const override {
        return str("transposed_gemm", params.paired ? " in pairs" : "");
    }

    void run(const kernel_args& args) const override {
        const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
        auto* y = reinterpret_cast<float*>(args.outputs[0]);
        auto* scratch = reinterpret_cast<float*>(args.scratch);
        const int64_t blocks = ceil_div(height, lines);
        parallel_shares(images * blocks, threads, [&](int part, int64_t begin, int64_t end) {
            float* own = scratch + part * scratch_of_thread();
            auto q = params;
            q.b = reinterpret_cast<const float*>(weights->data.get());
            q.c = own;
            q.epilogue = epilogue.bound(args, bias.data());
            for (std::size_t i = 0; i < operands.size(); i++)
                if (not operands[i].empty())
                    q.epilogue.steps[i].operand = operands[i].data();
            for (auto i = begin; i < end; i++) {
                const int64_t image = i / blocks, line = i % blocks * lines;
                const int64_t count = std::min(lines, height - line);
                q.a = x + image * x_image + line * x_row;
                q.m = count * width;
                run_gemm(q, own + sums(), 1);
                place(own, y + image * y_image + line * window_h * y_row, count);
            }
        });
    }

    // Of `count` lines.
    void place(const float* sums, float* y, int64_t count) const {
        const bool dense = y_col == outputs;
        const int64_t pieces = dense ? 1 : window_w;
        const int64_t floats = dense ? window_w * outputs : outputs;
        for (int64_t line = 0; line < count; line++)
            for (int64_t a = 0; a < window_h; a++) {
                const float* from = sums + line * width * params.n + a * window_w * outputs;
                float* to = y + (line * window_h + a) * y_row;
                for (int64_t j = 0; j < width; j++, from += params.n)
                    for (int64_t b = 0; b < pieces; b++, to += dense ? floats : y_col)
                        copy(from + b * outputs, floats, to);
            }
    }

    // Sizes that the compiler knows take no call.
    static void copy(const float* from, int64_t floats, float* to) {
        if (floats == 1)
            *to = *from;
        else if (floats == 2)
            std::memcpy(to, from, 2 * sizeof(float));
        else
            std::memcpy(to, from, std::size_t(floats) * sizeof(float));
    }
};

// Columns are the places of the window, each with all outputs.
std::shared_ptr<const packed_weight> pack(const problem& p, int64_t k, int64_t n) {
    const auto& s = p.inputs[1];
    return packed_form(p, 1, str("transposed ", kernels().gemm.panel, ' ', s),
                       std::size_t(packed_weights_size(k, n)), [&](const float* from, float* to) {
                           const auto outputs = int64_t(s.lens()[1]), width = int64_t(s.lens()[3]);
                           const auto steps = strides_of(s);
                           std::vector<float> rows(std::size_t(k * n));
                           for (int64_t c = 0; c < k; c++)
                               for (int64_t i = 0; i < n; i++) {
                                   const auto place = i / outputs;
                                   rows[std::size_t(c * n + i)] =
                                       from[c * steps[0] + i % outputs * steps[1] +
                                            place / width * steps[2] + place % width * steps[3]];
                               }
                           pack_gemm_weights({rows.data(), k, n, n, 1}, to);
                       });
}

std::string refusal(const problem& p) {
    const auto &x = p.inputs[0], &y = p.output;
    if (x.ndim() != 4 or x.type() != shape::float_type or y.type() != shape::float_type or
        x.elements() == 0 or y.elements() == 0)
        return "only float images";
    if (not p.is_constant(1) or p.op.get<int64_t>("group") != 1)
        return "only constant weights of one group";
    const auto w = window_of(p);
    const auto none = [](const auto& list) {
        return std::all_of(list.begin(), list.end(), [](auto v) { return v == 0; });
    };
    if (w.kernel != w.stride or not none(w.dilation) or not none(w.before) or not none(w.after) or
        y.lens()[2] != x.lens()[2] * std::size_t(w.kernel[0]) or
        y.lens()[3] != x.lens()[3] * std::size_t(w.kernel[1]))
        return "windows that overlap or leave gaps";
    for (const auto* s : {&x, &y})
        if (s->broadcasted() or (s->lens()[1] != 1 and s->strides()[1] != 1))
            return "channels are not neighbours in memory";
    if (kernels_isa() < isa::avx512) // not measured
        return "no vectors of 16 floats";
    return "";
}

// What belongs to outputs, for all places of the window.
template <class F>
std::vector<float> for_all_places(const problem& p, F value) {
    const auto& w = p.inputs[1].lens();
    const auto columns = w[1] * w[2] * w[3];
    std::vector<float> values(std::size_t(packed_weights_size(1, int64_t(columns))));
    for (std::size_t i = 0; i < columns; i++)
        values[i] = value(i % w[1]);
    return values;
}

bool repeat_operands(const problem& p, const planned_epilogue& epilogue,
                     std::array<std::vector<float>, row_epilogue::most>& to) {
    std::size_t operand = 0;
    for (std::size_t i = 0; i < std::size_t(epilogue.steps.count); i++) {
        const auto& step = epilogue.steps.steps[i];
        if (step.op < row_op::add)
            continue;
        const auto input = epilogue.operands.at(operand++);
        if (not p.is_constant(input) or step.image != 0 or step.row != 0)
            return false;
        const auto* values = reinterpret_cast<const float*>(p.constants[input].data());
        if (step.channel != 0)
            to[i] = for_all_places(p, [&](std::size_t c) { return values[c]; });
    }
    return true;
}

// The epilogue, if it needs constants of outputs only.
std::optional<planned_epilogue>
epilogue_of(const problem& p, std::string& reason,
            std::array<std::vector<float>, row_epilogue::most>& to) {
    auto epilogue = plan_row_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(),
                                      2, p.output, reason);
    if (epilogue and not repeat_operands(p, *epilogue, to)) {
        reason = "an epilogue with operands that are no constants of channels";
        return std::nullopt;
    }
    return epilogue;
}

} // namespace

std::string transposed_refusal(const problem& p) {
    auto why = refusal(p);
    std::array<std::vector<float>, row_epilogue::most> operands;
    if (why.empty())
        epilogue_of(p, why, operands);
    return why;
}

lowered transposed_convolution(const problem& p) {
    if (auto why = refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto &x = p.inputs[0], &y = p.output;
    auto k = std::make_unique<transposed_kernel>();
    std::string reason;
    auto epilogue = epilogue_of(p, reason, k->operands);
    if (not epilogue)
        return lowered::refuse(reason);
    const auto w = window_of(p);
    const auto xs = strides_of(x), ys = strides_of(y);
    k->images = int64_t(x.lens()[0]);
    k->height = int64_t(x.lens()[2]);
    k->width = int64_t(x.lens()[3]);
    k->x_image = xs[0];
    k->x_row = xs[2];
    k->window_h = w.kernel[0];
    k->window_w = w.kernel[1];
    k->outputs = int64_t(y.lens()[1]);
    k->y_image = ys[0];
    k->y_row = ys[2];
    k->y_col = ys[3];
    k->threads = std::max<int64_t>(1, num_threads());
    auto& q = k->params;
    q.n = k->outputs * k->window_h * k->window_w;
    q.k = int64_t(x.lens()[1]);
    q.a_row = xs[3];
    q.c_row = q.n;
    // Lines that a product may take at once, as long as their results stay in a cache and all
    // threads have some.
    constexpr int64_t most_floats = 64 * 1024, fewest_rows = 48;
    const bool merge = k->x_row == k->width * q.a_row or k->height == 1;
    const auto fitting = std::max(most_floats / q.n, fewest_rows) / k->width;
    const auto even = ceil_div(k->images * k->height, 2 * k->threads);
    k->lines = merge ? std::clamp<int64_t>(std::min(fitting, even), 1, k->height) : 1;
    q.m = k->lines * k->width;
    k->weights = pack(p, q.k, q.n);
    if (p.fast_math and gains_by_pairs(q))
        k->pairs = plan_pairs(p, 1, "transposed", *k->weights, q);
    block_gemm(q, 1);
    const auto bias = epilogue->bias_values(p, std::size_t(k->outputs));
    k->bias = for_all_places(p, [&](std::size_t c) { return bias[c]; });
    k->epilogue = std::move(*epilogue);
    return k;
}

} // namespace migraphx::cpu
