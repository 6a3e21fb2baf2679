// SPDX-License-Identifier: MIT
// rnn, gru, lstm and their _all forms: the input's product with W for all steps at once, then for
// each step the state's product with R and the gates. Constant weights are packed.
#include "targets/cpu/kernels/dispatch/run_recurrent.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/recurrent_product.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include "base/str.hpp"
#include "ops/recurrent.hpp"
#include "ops/shape_input.hpp"

#include <migraphx/op/common.hpp>

#include <algorithm>
#include <cstring>

namespace migraphx::cpu {

namespace {

std::optional<activation> activation_of(const operation& op) {
    static const std::pair<const char*, activation_kind> names[] = {
        {"sigmoid", activation_kind::sigmoid},
        {"tanh", activation_kind::tanh},
        {"relu", activation_kind::relu},
        {"rnn_affine", activation_kind::affine},
        {"leaky_relu", activation_kind::leaky_relu},
        {"rnn_thresholded_relu", activation_kind::thresholded_relu},
        {"rnn_scaled_tanh", activation_kind::scaled_tanh},
        {"rnn_hard_sigmoid", activation_kind::hard_sigmoid},
        {"elu", activation_kind::elu},
        {"rnn_softsign", activation_kind::softsign},
        {"rnn_softplus", activation_kind::softplus}};
    for (const auto& [name, kind] : names)
        if (op.name() == name) {
            activation a{kind, 0, 0};
            if (op.has_attribute("alpha"))
                a.alpha = op.get<float>("alpha");
            if (op.has_attribute("beta"))
                a.beta = op.get<float>("beta");
            return a;
        }
    return std::nullopt;
}

enum class layer_kind { rnn, gru, lstm };

struct recurrent_kernel : kernel {
    layer_kind kind = layer_kind::lstm;
    int64_t steps = 0, batch = 0, hidden = 0, directions = 1, gates = 4;
    bool reverse = false, tuple = false, linear_before_reset = false, side_by_side = false,
         inline_steps = false;
    recurrent_params base{};
    std::vector<activation> functions; // three for each direction
    gate_product input_product;
    // By direction: R in blocks for steps that multiply by it themselves, or products before each
    // step (gru: z and r, then h).
    std::vector<std::shared_ptr<const packed_weight>> blocked;
    std::vector<gate_product> state_products, reset_products;
    int64_t step_parts = 1; // threads that share a step
    std::optional<dense_input> x, bias, h0, c0, peephole;
    std::vector<float> constant_bias; // as the steps take it
    std::size_t pre_at = 0, work_at = 0, work_bytes = 0, bias_at = 0, library_at = 0, scratch = 0;
    std::vector<bool> unread;

    std::size_t scratch_bytes() const override { return scratch; }
    void add_constants(held_constants& held) const override {
        input_product.add_constants(held);
        for (const auto* list : {&state_products, &reset_products})
            for (const auto& g : *list)
                g.add_constants(held);
        for (const auto& b : blocked)
            b->add_to(held);
        held[constant_bias.data()] = constant_bias.size() * sizeof(float);
    }
    bool reads_input(std::size_t i) const override { return i >= unread.size() or not unread[i]; }
    std::string name() const override {
        return str(kind == layer_kind::lstm  ? "lstm"
                   : kind == layer_kind::gru ? "gru"
                                             : "rnn",
                   "_steps");
    }

    // The biases of both products as one, for all directions; behind them, of a linear gru, those
    // of the third gate's product with R, which its reset gate multiplies.
    void join_bias(const float* from, float* to) const {
        const auto n = gates * hidden, linear = kind == layer_kind::gru and linear_before_reset
                                                    ? 2 * hidden
                                                    : n; // joined
        float* apart = to + directions * n;
        for (int64_t d = 0; d < directions; d++, from += 2 * n, to += n)
            for (int64_t i = 0; i < n; i++) {
                to[i] = i < linear ? from[i] + from[n + i] : from[i];
                if (i >= linear)
                    *apart++ = from[n + i];
            }
    }
    std::size_t joined_bias_size() const { return std::size_t(directions * (gates + 1) * hidden); }

    void run(const kernel_args& args) const override {
        const auto floats = [](const char* p) { return reinterpret_cast<const float*>(p); };
        auto* pre = reinterpret_cast<float*>(args.scratch + pre_at);
        const float* in = floats(x ? x->get(args) : args.inputs[in_x]);
        const float* joined = constant_bias.empty() ? nullptr : constant_bias.data();
        if (bias) {
            auto* to = reinterpret_cast<float*>(args.scratch + bias_at);
            join_bias(floats(bias->get(args)), to);
            joined = to;
        }
        input_product.run(args, in, input_product.adds_bias() ? joined : nullptr, pre,
                          args.scratch + library_at);
        const float* first_h = h0 ? floats(h0->get(args)) : nullptr;
        const float* first_c = c0 ? floats(c0->get(args)) : nullptr;
        const float* peepholes = peephole ? floats(peephole->get(args)) : nullptr;
        const auto one = [&](int64_t d) {
            run_direction(args, d, pre, joined, first_h, first_c, peepholes);
        };
        // A short step costs less than sharing out its parts.
        const thread_count_guard threads(inline_steps and blocked.empty() and not side_by_side ? 1
                                                                                               : 0);
        if (side_by_side)
            parallel_for(directions, 1, [&](int64_t begin, int64_t end) {
                for (auto d = begin; d < end; d++)
                    one(d);
            });
        else
            for (int64_t d = 0; d < directions; d++)
                one(d);
    }

    void run_direction(const kernel_args& args, int64_t d, const float* pre, const float* joined,
                       const float* first_h, const float* first_c, const float* peepholes) const {
        const auto n = gates * hidden, states = batch * hidden;
        auto* work = reinterpret_cast<float*>(args.scratch + work_at + std::size_t(d) * work_bytes);
        float* product = work;                  // batch x n
        float* candidate = product + batch * n; // batch x hidden
        float* update = candidate + states;
        float* reset = update + states;
        float* zeros = reset + states;
        float* own_cell = zeros + states;
        std::memset(zeros, 0, std::size_t(states) * sizeof(float));

        recurrent_params q = base;
        q.first = functions[std::size_t(3 * d)];
        q.second = functions[std::size_t(3 * d + 1)];
        q.third = functions[std::size_t(3 * d + 2)];
        q.x_row = directions * n;
        q.h_row = n;
        q.state_row = q.out_row = q.cell_row = q.cell_out_row = q.update_row = q.reset_state_row =
            hidden;
        if (joined != nullptr and not input_product.adds_bias())
            q.bias = joined + d * n;
        if (joined != nullptr and kind == layer_kind::gru and linear_before_reset)
            q.state_bias = joined + directions * n + d * hidden;
        q.peephole = peepholes == nullptr ? nullptr : peepholes + d * 3 * hidden;
        float* cell = kind == layer_kind::lstm and tuple
                          ? reinterpret_cast<float*>(args.outputs[2]) + d * states
                          : own_cell;
        q.cell = first_c != nullptr ? first_c + d * states : zeros;
        q.cell_out = cell;
        q.state = first_h != nullptr ? first_h + d * states : zeros;

        if (blocked.empty())
            run_steps(args, d, pre, q, {product, candidate, update, reset});
        else
            run_blocks(args, d, pre, q);
        if (not tuple)
            return;
        const float* last = steps == 0 ? q.state : state_at(args, d, steps - 1);
        std::memcpy(args.outputs[1] + std::size_t(d * states) * sizeof(float), last,
                    std::size_t(states) * sizeof(float));
        if (kind == layer_kind::lstm and steps == 0)
            std::memcpy(cell, q.cell, std::size_t(states) * sizeof(float));
    }

    int64_t time_of(int64_t d, int64_t step) const {
        return reverse or d == 1 ? steps - 1 - step : step;
    }
    // After a step.
    float* state_at(const kernel_args& args, int64_t d, int64_t step) const {
        return reinterpret_cast<float*>(args.outputs[0]) +
               (time_of(d, step) * directions + d) * batch * hidden;
    }
    // Of the input alone.
    const float* gates_at(const float* pre, int64_t d, int64_t step) const {
        return pre + (time_of(d, step) * batch * directions + d) * gates * hidden;
    }

    struct step_memory {
        float *product, *candidate, *update, *reset;
    };

    void run_steps(const kernel_args& args, int64_t d, const float* pre, recurrent_params q,
                   const step_memory& m) const {
        const auto& table = kernels().recurrent;
        auto* library = args.scratch + library_at;
        q.h = m.product;
        for (int64_t s = 0; s < steps; s++) {
            q.x = gates_at(pre, d, s);
            q.out = state_at(args, d, s);
            state_products[std::size_t(d)].run(args, q.state, nullptr, m.product, library);
            if (kind == layer_kind::lstm)
                run_recurrent(table.lstm, q, batch);
            else if (kind == layer_kind::rnn)
                run_recurrent(table.rnn, q, batch);
            else if (linear_before_reset)
                run_recurrent(table.gru_linear, q, batch);
            else {
                q.update = m.update;
                q.reset_state = m.reset;
                run_recurrent(table.gru_gates, q, batch);
                reset_products[std::size_t(d)].run(args, m.reset, nullptr, m.candidate, library);
                auto last = q;
                last.h = m.candidate;
                last.h_row = hidden;
                run_recurrent(table.gru_output, last, batch);
            }
            q.state = q.out;
            q.cell = q.cell_out;
        }
    }

    void run_blocks(const kernel_args& args, int64_t d, const float* pre,
                    const recurrent_params& first) const {
        const auto& table = kernels().recurrent;
        const auto step = kind == layer_kind::lstm ? table.lstm_blocks : table.gru_linear_blocks;
        const int64_t blocks = ceil_div(hidden, table.block_units(batch));
        parallel_steps(steps, step_parts, [&](int64_t s, int part, int parts) {
            auto q = first;
            q.r = reinterpret_cast<const float*>(blocked[std::size_t(d)]->data.get());
            q.x = gates_at(pre, d, s);
            q.out = state_at(args, d, s);
            if (s > 0) {
                q.state = state_at(args, d, s - 1);
                q.cell = q.cell_out;
            }
            step(q, batch, {blocks * part / parts, blocks * (part + 1) / parts, s % 2 != 0});
        });
    }
};

std::string recurrent_refusal(const problem& p) {
    for (std::size_t i = 0; i < p.inputs.size(); i++) {
        if (is_absent(p.inputs, i) or i == in_lengths)
            continue;
        if (p.inputs[i].type() != shape::float_type)
            return "type " + p.inputs[i].type_string();
        // Weights are read where they lie.
        if ((i == in_w or i == in_r) and not is_dense(p.inputs[i]))
            return "weights that are not row-major";
    }
    const auto outs =
        p.output.type() == shape::tuple_type ? p.output.sub_shapes() : std::vector<shape>{p.output};
    for (const auto& s : outs)
        if (not is_dense(s) or s.elements() == 0)
            return "results that are empty or not row-major";
    if (not is_absent(p.inputs, in_lengths)) {
        if (not p.is_constant(in_lengths))
            return "sequence lengths";
        for (auto n : read_integers(p.constants[in_lengths]))
            if (n != int64_t(p.inputs[in_x].lens()[0]))
                return "sequences of different lengths";
    }
    return "";
}

bool read_functions(const problem& p, recurrent_kernel& k) {
    const std::size_t each = k.kind == layer_kind::rnn ? 1 : k.kind == layer_kind::gru ? 2 : 3;
    std::vector<operation> given;
    from_value(p.op.attribute("actv_func"), given);
    if (given.size() < each)
        return false;
    for (std::size_t d = 0; d < std::size_t(k.directions); d++)
        for (std::size_t i = 0; i < 3; i++) {
            const auto first = given.size() >= (d + 1) * each ? d * each : 0;
            const auto f = activation_of(given[first + std::min(i, each - 1)]);
            if (not f)
                return false;
            k.functions.push_back(*f);
        }
    return true;
}

bool takes_blocks(const problem& p, const recurrent_kernel& k) {
    return p.is_constant(in_r) and k.steps > 0 and
           (k.kind == layer_kind::lstm or (k.kind == layer_kind::gru and k.linear_before_reset));
}

std::shared_ptr<const packed_weight> pack_direction(const problem& p, const recurrent_kernel& k,
                                                    int64_t d) {
    const auto& table = kernels().recurrent;
    const int64_t rows = k.gates * k.hidden, units = table.block_units(k.batch),
                  blocks = ceil_div(k.hidden, units);
    const auto part =
        p.constants[in_r].view(shape{shape::float_type, {std::size_t(rows), std::size_t(k.hidden)}},
                               std::size_t(d * rows * k.hidden) * sizeof(float));
    return p.weights->get(
        part, str("recurrent blocks ", units, " of ", k.gates, "x", k.hidden), [&] {
            auto w =
                allocate_weight(std::size_t(blocks * units * k.gates * k.hidden) * sizeof(float));
            table.pack_blocks(
                {reinterpret_cast<const float*>(part.data()), k.gates, k.hidden, k.batch},
                reinterpret_cast<float*>(w.data.get()), 0, blocks);
            return w;
        });
}

// The directions are independent, but a step may be shared too.
void share_steps(recurrent_kernel& k, bool scratch_shared) {
    const auto step = k.batch * k.gates * k.hidden * k.hidden; // multiplications
    const int64_t threads = num_threads();
    if (not k.blocked.empty()) {
        constexpr int64_t least = 24 * 1024; // below, passing from step to step costs too much
        k.step_parts = std::clamp<int64_t>(step / least, 1, threads);
        k.side_by_side = k.directions == 2 and (threads <= 2 or k.step_parts < 3);
        return;
    }
    // Small states leave no work to share within a step.
    k.side_by_side =
        k.directions == 2 and not scratch_shared and (threads <= 2 or step < 1024 * 1024);
    k.inline_steps = step <= 256 * 1024;
}

lowered recurrent(const problem& p) {
    if (auto why = recurrent_refusal(p); not why.empty())
        return lowered::refuse(why);
    auto k = std::make_unique<recurrent_kernel>();
    const auto name = p.op.name();
    const auto& x = p.inputs[in_x];
    k->kind = name.starts_with("lstm")  ? layer_kind::lstm
              : name.starts_with("gru") ? layer_kind::gru
                                        : layer_kind::rnn;
    k->gates = k->kind == layer_kind::lstm ? 4 : k->kind == layer_kind::gru ? 3 : 1;
    k->tuple = p.output.type() == shape::tuple_type;
    k->steps = int64_t(x.lens()[0]);
    k->batch = int64_t(x.lens()[1]);
    k->hidden = p.op.get<int64_t>("hidden_size");
    k->directions = int64_t(p.inputs[in_w].lens()[0]);
    k->reverse = op::rnn_direction(p.op.get<int>("direction")) == op::rnn_direction::reverse;
    k->base.hidden = k->hidden;
    k->base.clip = p.op.get<float>("clip");
    if (k->kind == layer_kind::gru)
        k->linear_before_reset = p.op.get<int>("linear_before_reset") != 0;
    if (k->kind == layer_kind::lstm)
        k->base.input_forget = p.op.get<int>("input_forget") != 0;
    if (not read_functions(p, *k))
        return lowered::refuse("another activation");

    scratch_layout scratch;
    const auto rows = std::size_t(k->gates * k->hidden), hidden = std::size_t(k->hidden),
               directions = std::size_t(k->directions);
    // Rows of x: t * batch + b.
    auto row = merged_stride(x, 0, 2);
    if (not row or (x.lens()[2] != 1 and x.strides()[2] != 1)) {
        k->x = dense_input::make(p, in_x, scratch);
        row = int64_t(x.lens()[2]);
    }
    for (auto [i, place] : {std::pair{in_h0, &k->h0}, {in_c0, &k->c0}, {in_peephole, &k->peephole}})
        if (not is_absent(p.inputs, i))
            *place = dense_input::make(p, i, scratch);
    try {
        k->input_product = make_product(p, in_w, {0, directions * rows}, k->steps * k->batch, *row,
                                        int64_t(directions * rows));
        for (std::size_t d = 0; d < directions; d++) {
            if (takes_blocks(p, *k)) {
                k->blocked.push_back(pack_direction(p, *k, int64_t(d)));
                continue;
            }
            const bool split = k->kind == layer_kind::gru and not k->linear_before_reset;
            k->state_products.push_back(make_product(p, in_r, {d * rows, split ? 2 * hidden : rows},
                                                     k->batch, k->hidden, int64_t(rows)));
            if (split)
                k->reset_products.push_back(make_product(p, in_r, {d * rows + 2 * hidden, hidden},
                                                         k->batch, k->hidden, k->hidden));
        }
    } catch (const dnnl::error& error) {
        return lowered::refuse(str("oneDNN: ", error.what()));
    }
    k->unread.assign(p.inputs.size(), false);
    k->unread[in_w] = p.is_constant(in_w);
    k->unread[in_r] = p.is_constant(in_r);
    if (not is_absent(p.inputs, in_bias)) {
        if (p.is_constant(in_bias) and is_dense(p.inputs[in_bias])) {
            k->constant_bias.resize(k->joined_bias_size());
            k->join_bias(reinterpret_cast<const float*>(p.constants[in_bias].data()),
                         k->constant_bias.data());
            k->unread[in_bias] = true;
        } else {
            k->bias = dense_input::make(p, in_bias, scratch);
            k->bias_at = scratch.take(k->joined_bias_size() * sizeof(float));
        }
    }
    std::size_t library = k->input_product.scratch_bytes();
    bool scratch_shared = false;
    for (const auto* list : {&k->state_products, &k->reset_products})
        for (const auto& g : *list) {
            library = std::max(library, g.scratch_bytes());
            scratch_shared = scratch_shared or g.scratch_bytes() > 0;
        }
    share_steps(*k, scratch_shared);
    const auto states = std::size_t(k->batch) * hidden;
    k->pre_at = scratch.take(std::size_t(k->steps * k->batch) * directions * rows * sizeof(float));
    k->work_bytes = ((std::size_t(k->batch) * rows + 5 * states) * sizeof(float) + 63) / 64 * 64;
    k->work_at = scratch.take(directions * k->work_bytes);
    k->library_at = scratch.take(library);
    k->scratch = scratch.bytes();
    return k;
}

const implementations recurrent_choices{{"rnn", "rnn_all", "gru", "gru_all", "lstm", "lstm_all"},
                                        {{"steps", recurrent}}};

} // namespace

} // namespace migraphx::cpu
