// SPDX-License-Identifier: MIT
// rnn, gru, lstm and their _all forms: the input's product with W for all steps at once, then for
// each step the state's product with R and the gates. Constant weights are packed.
#include "targets/cpu/dnnl_kernel.hpp"
#include "targets/cpu/kernels/dispatch/run_recurrent.hpp"
#include "targets/cpu/kernels/dispatch/run_small_gemm.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/parallel.hpp"
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

// c = a * weight^T for rows [first, first + n) of a matrix of width k.
struct gate_product {
    small_gemm_params params{};
    std::size_t input = 0,
                offset = 0; // where the weight lies unless it is packed; offset in floats
    std::shared_ptr<const packed_weight> packed;
    std::shared_ptr<const dnnl_kernel> library;

    void run(const kernel_args& args, const float* a, float* c, char* scratch) const {
        if (library != nullptr) {
            char* in[] = {reinterpret_cast<char*>(const_cast<float*>(a))};
            char* out[] = {reinterpret_cast<char*>(c)};
            library->run({in, out, scratch});
            return;
        }
        auto q = params;
        q.a = a;
        q.c = c;
        q.b = packed != nullptr ? reinterpret_cast<const float*>(packed->data.get())
                                : reinterpret_cast<const float*>(args.inputs[input]) + offset;
        if (packed != nullptr)
            run_packed_gemm(q);
        else
            run_thin_gemm(q);
    }
    std::size_t scratch_bytes() const { return library == nullptr ? 0 : library->scratch_bytes(); }
    void add_constants(held_constants& held) const {
        if (library != nullptr)
            library->add_constants(held);
        else if (packed != nullptr)
            packed->add_to(held);
    }
};

struct product_rows {
    std::size_t first = 0, n = 0;
};

gate_product make_product(const problem& p, std::size_t input, product_rows rows, int64_t m,
                          int64_t a_row, int64_t c_row) {
    constexpr int64_t library_rows = 24; // from here on a blocked product pays
    const auto k = int64_t(p.inputs[input].lens().back()), n = int64_t(rows.n);
    gate_product g;
    auto& q = g.params;
    q.m = m;
    q.n = n;
    q.k = k;
    q.a_row = a_row;
    q.a_k = 1;
    q.b_k = 1;
    q.b_n = k;
    q.c_row = c_row;
    g.input = input;
    g.offset = rows.first * std::size_t(k);
    if (not p.is_constant(input))
        return g;
    const auto part = p.constants[input].view(shape{shape::float_type, {rows.n, std::size_t(k)}},
                                              g.offset * sizeof(float));
    if (m >= library_rows) {
        const auto a = dnnl_desc(shape::float_type, {m, k}, {a_row, 1});
        const auto b = dnnl_desc(shape::float_type, {k, n}, {1, k});
        const auto c = dnnl_desc(shape::float_type, {m, n}, {c_row, 1});
        dnnl::primitive_attr attr;
        attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const dnnl::memory::desc any(b.get_dims(), b.get_data_type(),
                                     dnnl::memory::format_tag::any);
        const dnnl::matmul::primitive_desc pd(dnnl_engine(), a, any, c, attr);
        using place = dnnl_kernel::operand::place;
        std::vector<dnnl_kernel::operand> operands{{DNNL_ARG_SRC, a, place::input, 0}};
        operands.push_back({DNNL_ARG_WEIGHTS, pd.weights_desc(), place::constant, 0,
                            pack_weight(*p.weights, part, b, pd.weights_desc())});
        operands.push_back({DNNL_ARG_DST, c, place::output, 0});
        g.library = std::make_shared<dnnl_kernel>("dnnl::matmul", dnnl::primitive(pd),
                                                  pd.scratchpad_desc(), std::move(operands));
        return g;
    }
    g.packed = p.weights->get(
        part, str("panels ", kernels().small_gemm.panel(m), " transposed ", n, "x", k), [&] {
            auto w = allocate_weight(std::size_t(packed_gemm_size(q)) * sizeof(float));
            auto with_b = q;
            with_b.b = reinterpret_cast<const float*>(part.data());
            pack_gemm(with_b, reinterpret_cast<float*>(w.data.get()));
            return w;
        });
    return g;
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
    std::vector<gate_product> state_products, reset_products; // by direction; gru: z and r, then h
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
        held[constant_bias.data()] = constant_bias.size() * sizeof(float);
    }
    bool reads_input(std::size_t i) const override { return i >= unread.size() or not unread[i]; }
    std::string name() const override {
        return str(kind == layer_kind::lstm  ? "lstm"
                   : kind == layer_kind::gru ? "gru"
                                             : "rnn",
                   "_steps");
    }

    // The step kernels take the biases of both products as one, but for gru.
    void join_bias(const float* from, float* to) const {
        const auto n = gates * hidden;
        for (int64_t d = 0; d < directions; d++)
            for (int64_t i = 0; i < n; i++)
                if (kind == layer_kind::gru) {
                    to[(2 * d) * n + i] = from[(2 * d) * n + i];
                    to[(2 * d + 1) * n + i] = from[(2 * d + 1) * n + i];
                } else
                    to[d * n + i] = from[(2 * d) * n + i] + from[(2 * d + 1) * n + i];
    }
    std::size_t joined_bias_size() const {
        return std::size_t(directions * gates * hidden * (kind == layer_kind::gru ? 2 : 1));
    }

    void run(const kernel_args& args) const override {
        const auto floats = [](const char* p) { return reinterpret_cast<const float*>(p); };
        auto* pre = reinterpret_cast<float*>(args.scratch + pre_at);
        const float* in = floats(x ? x->get(args) : args.inputs[in_x]);
        input_product.run(args, in, pre, args.scratch + library_at);
        const float* joined = constant_bias.empty() ? nullptr : constant_bias.data();
        if (bias) {
            auto* to = reinterpret_cast<float*>(args.scratch + bias_at);
            join_bias(floats(bias->get(args)), to);
            joined = to;
        }
        const float* first_h = h0 ? floats(h0->get(args)) : nullptr;
        const float* first_c = c0 ? floats(c0->get(args)) : nullptr;
        const float* peepholes = peephole ? floats(peephole->get(args)) : nullptr;
        const auto one = [&](int64_t d) {
            run_direction(args, d, pre, joined, first_h, first_c, peepholes);
        };
        // A short step costs less than sharing it.
        const thread_count_guard threads(inline_steps and not side_by_side ? 1 : 0);
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
        auto* all = reinterpret_cast<float*>(args.outputs[0]);
        const auto& table = kernels().recurrent;
        auto* library = args.scratch + library_at;

        recurrent_params q = base;
        q.first = functions[std::size_t(3 * d)];
        q.second = functions[std::size_t(3 * d + 1)];
        q.third = functions[std::size_t(3 * d + 2)];
        q.x_row = directions * n;
        q.h_row = n;
        q.state_row = q.out_row = q.cell_row = q.cell_out_row = q.update_row = q.reset_state_row =
            hidden;
        if (joined != nullptr) {
            q.bias = joined + (kind == layer_kind::gru ? 2 : 1) * d * n;
            q.state_bias = kind == layer_kind::gru ? q.bias + n : nullptr;
        }
        q.peephole = peepholes == nullptr ? nullptr : peepholes + d * 3 * hidden;
        float* cell = kind == layer_kind::lstm and tuple
                          ? reinterpret_cast<float*>(args.outputs[2]) + d * states
                          : own_cell;
        q.cell = first_c != nullptr ? first_c + d * states : zeros;
        q.cell_out = cell;
        q.state = first_h != nullptr ? first_h + d * states : zeros;

        const bool backward = reverse or d == 1;
        for (int64_t s = 0; s < steps; s++) {
            const auto t = backward ? steps - 1 - s : s;
            q.x = pre + t * batch * directions * n + d * n;
            q.out = all + (t * directions + d) * states;
            q.h = product;
            state_products[std::size_t(d)].run(args, q.state, product, library);
            if (kind == layer_kind::lstm)
                run_recurrent(table.lstm, q, batch);
            else if (kind == layer_kind::rnn)
                run_recurrent(table.rnn, q, batch);
            else if (linear_before_reset)
                run_recurrent(table.gru_linear, q, batch);
            else {
                q.update = update;
                q.reset_state = reset;
                run_recurrent(table.gru_gates, q, batch);
                reset_products[std::size_t(d)].run(args, reset, candidate, library);
                auto last = q;
                last.h = candidate;
                last.h_row = hidden;
                run_recurrent(table.gru_output, last, batch);
            }
            q.state = q.out;
            q.cell = cell;
        }
        if (not tuple)
            return;
        std::memcpy(args.outputs[1] + std::size_t(d * states) * sizeof(float), q.state,
                    std::size_t(states) * sizeof(float));
        if (kind == layer_kind::lstm and steps == 0)
            std::memcpy(cell, q.cell, std::size_t(states) * sizeof(float));
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
    bool blocked = false;
    for (const auto* list : {&k->state_products, &k->reset_products})
        for (const auto& g : *list) {
            library = std::max(library, g.scratch_bytes());
            blocked = blocked or g.library != nullptr;
        }
    // Small states leave no work to share within a step; the directions are independent.
    k->side_by_side = directions == 2 and not blocked and
                      (num_threads() <= 2 or std::size_t(k->batch) * rows * hidden < 1024 * 1024);
    k->inline_steps = std::size_t(k->batch) * rows * hidden <= 256 * 1024;
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
