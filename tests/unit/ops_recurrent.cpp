// SPDX-License-Identifier: MIT
// Recurrent layers: each gate against the equations written out, directions, lengths.
#include "ops_module_support.hpp"

#include <migraphx/rewrite_rnn.hpp>

using namespace ops_check;

namespace {

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}
const argument absent{shape{shape::float_type, lens{}}, nullptr};

// One step of hidden size 1 and input size 1 for gates in the order of the weights.
struct lstm_step {
    double h = 0, c = 0;
    void operator()(double x, const reals& w, const reals& r, const reals& b,
                    const reals& p = reals(3, 0)) {
        const auto pre = [&](std::size_t g) { return w[g] * x + r[g] * h + b[g] + b[4 + g]; };
        const double i = sigmoid(pre(0) + p[0] * c), f = sigmoid(pre(2) + p[2] * c),
                     g = std::tanh(pre(3));
        const double next = f * c + i * g;
        const double o = sigmoid(pre(1) + p[1] * next);
        c = next;
        h = o * std::tanh(c);
    }
};

const reals w4 = {0.5, -0.25, 0.75, 1}, r4 = {0.1, 0.2, -0.3, 0.4},
            b8 = {0.1, 0, -0.1, 0.2, 0, 0.3, 0, 0.1};

std::vector<argument> lstm_inputs(const reals& x) {
    return {floats({x.size(), 1, 1}, x), floats({1, 4, 1}, w4), floats({1, 4, 1}, r4),
            floats({1, 8}, b8)};
}

TEST(ops_lstm, forward) {
    const reals x = {1, -2, 0.5};
    lstm_step cell;
    reals h;
    for (auto v : x) {
        cell(v, w4, r4, b8);
        h.push_back(cell.h);
    }
    check(make_op("lstm"), lstm_inputs(x), h);
    check(make_op("lstm_all"), lstm_inputs(x), h, 1e-6, 0);
    check(make_op("lstm_all"), lstm_inputs(x), {cell.h}, 1e-6, 1);
    check(make_op("lstm_all"), lstm_inputs(x), {cell.c}, 1e-6, 2);
}

TEST(ops_lstm, reverse_and_states) {
    const reals x = {1, -2, 0.5};
    lstm_step cell;
    cell.h = 0.3, cell.c = -0.7;
    reals h(3);
    for (int t = 2; t >= 0; --t) {
        cell(x[static_cast<std::size_t>(t)], w4, r4, b8, {0.1, 0.2, 0.3});
        h[static_cast<std::size_t>(t)] = cell.h;
    }
    auto in = lstm_inputs(x);
    for (const auto& a : {absent, floats({1, 1, 1}, {0.3}), floats({1, 1, 1}, {-0.7}),
                          floats({1, 3}, {0.1, 0.2, 0.3})})
        in.push_back(a);
    const auto op = make_op("lstm_all", {{"direction", 1}});
    check(op, in, h, 1e-6, 0);
    check(op, in, {cell.h}, 1e-6, 1);
    check(op, in, {cell.c}, 1e-6, 2);
}

TEST(ops_lstm, bidirectional_and_lengths) {
    // Two sequences, of lengths 2 and 0, in a batch of 3 steps.
    const argument x = floats({3, 2, 1}, {1, 9, -2, 9, 7, 9});
    auto both = [&](const reals& v) {
        reals d = v;
        d.insert(d.end(), v.begin(), v.end());
        return d;
    };
    const std::vector<argument> in = {x, floats({2, 4, 1}, both(w4)), floats({2, 4, 1}, both(r4)),
                                      floats({2, 8}, both(b8)),
                                      tensor({shape::int32_type, {2}}, {2, 0})};
    lstm_step f, b;
    reals forward, backward(2);
    for (double v : {1.0, -2.0}) {
        f(v, w4, r4, b8);
        forward.push_back(f.h);
    }
    b(-2, w4, r4, b8);
    backward[1] = b.h;
    b(1, w4, r4, b8);
    backward[0] = b.h;
    const auto op = make_op("lstm_all", {{"direction", 2}});
    check(op, in, {forward[0], 0, backward[0], 0, forward[1], 0, backward[1], 0, 0, 0, 0, 0}, 1e-6,
          0);
    check(op, in, {f.h, 0, b.h, 0}, 1e-6, 1);
    check(op, in, {f.c, 0, b.c, 0}, 1e-6, 2);
}

TEST(ops_lstm, clip_and_coupled_gates) {
    auto in = lstm_inputs({30});
    const double limit = 0.5;
    const auto clipped = [&](double v) { return std::clamp(v, -limit, limit); };
    const auto pre = [&](std::size_t g) { return clipped(w4[g] * 30 + b8[g] + b8[4 + g]); };
    const double c = sigmoid(pre(0)) * std::tanh(pre(3));
    check(make_op("lstm", {{"clip", limit}}), in, {sigmoid(pre(1)) * std::tanh(c)});
    for (const auto& a : {absent, floats({1, 1, 1}, {0}), floats({1, 1, 1}, {2})})
        in.push_back(a);
    const auto raw = [&](std::size_t g) { return w4[g] * 30 + b8[g] + b8[4 + g]; };
    const double i = sigmoid(raw(0)), coupled = (1 - i) * 2 + i * std::tanh(raw(3));
    check(make_op("lstm_all", {{"input_forget", 1}}), in, {coupled}, 1e-6, 2);
}

TEST(ops_gru, both_forms) {
    const reals w = {0.5, -0.25, 1}, r = {0.1, 0.2, -0.3}, b = {0.1, -0.1, 0.2, 0.05, 0, 0.3};
    const reals x = {1, -0.5};
    for (bool linear : {false, true}) {
        double h = 0;
        reals all;
        for (auto v : x) {
            const double z = sigmoid(w[0] * v + r[0] * h + b[0] + b[3]);
            const double g = sigmoid(w[1] * v + r[1] * h + b[1] + b[4]);
            const double n = linear ? std::tanh(w[2] * v + b[2] + g * (r[2] * h + b[5]))
                                    : std::tanh(w[2] * v + b[2] + r[2] * (g * h) + b[5]);
            h = (1 - z) * n + z * h;
            all.push_back(h);
        }
        const std::vector<argument> in = {floats({2, 1, 1}, x), floats({1, 3, 1}, w),
                                          floats({1, 3, 1}, r), floats({1, 6}, b)};
        check(make_op("gru", {{"linear_before_reset", int(linear)}}), in, all);
        check(make_op("gru_all", {{"linear_before_reset", int(linear)}}), in, {h}, 1e-6, 1);
    }
}

TEST(ops_rnn, activations_and_sizes) {
    const std::vector<argument> in = {floats({1, 1, 2}, {1, 2}), floats({1, 2, 2}, {1, 0, 0, 1}),
                                      floats({1, 2, 2}, {0, 1, 1, 0})};
    check(make_op("rnn", {{"hidden_size", 2}}), in, {std::tanh(1), std::tanh(2)});
    const auto with = [](const operation& f) {
        return make_op("rnn",
                       {{"hidden_size", 2}, {"actv_func", to_value(std::vector<operation>{f})}});
    };
    check(with(make_op("relu")), in, {1, 2});
    check(with(make_op("leaky_relu", {{"alpha", 0.5}})), {floats({1, 1, 2}, {-1, 2}), in[1], in[2]},
          {-0.5, 2});
    check(with(make_op("rnn_hard_sigmoid", {{"alpha", 0.25}, {"beta", 0.1}})), in, {0.35, 0.6});
    check(make_op("rnn_scaled_tanh", {{"alpha", 2}, {"beta", 0.5}}), {floats({1}, {1})},
          {2 * std::tanh(0.5)});
    EXPECT_EQ(make_op("rnn", {{"hidden_size", 2}}).compute_shape(to_shapes(in)), of({1, 1, 1, 2}));
    EXPECT_EQ(make_op("rnn", {{"hidden_size", 2}})
                  .compute_shape({dyn({{1, 9}, {1, 4}, {2, 2}}), of({1, 2, 2}), of({1, 2, 2})}),
              dyn({{1, 9}, {1, 1}, {1, 4}, {2, 2}}));
    refused(make_op("rnn", {{"hidden_size", 3}}), to_shapes(in), "R of dimensions");
    refused(make_op("lstm"), {of({1, 1, 2}), of({1, 4, 3}), of({1, 4, 1})}, "size 3");
    refused(with(make_op("add")), to_shapes(in), "activation");
    EXPECT_EQ(make_op("lstm").attribute("actv_func").size(), 3u);
}

TEST(ops_rnn, last_states_are_marks) {
    EXPECT_EQ(make_op("rnn_last_hs_output").compute_shape({of({5, 2, 3, 4})}), of({2, 3, 4}));
    EXPECT_EQ(make_op("rnn_last_cell_output").compute_shape({of({5, 2, 3, 4})}), of({2, 3, 4}));
}

TEST(ops_rnn, last_states_of_a_module) {
    const auto in = lstm_inputs({1, -2, 0.5});
    for (int direction : {0, 1}) {
        module m("main");
        std::vector<instruction_ref> parameters;
        std::unordered_map<std::string, argument> values;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const auto name = "p" + std::to_string(i);
            parameters.push_back(m.add_parameter(name, in[i].get_shape()));
            values[name] = in[i];
        }
        auto hs = m.add_instruction(make_op("lstm", {{"direction", direction}}), parameters);
        auto h = m.add_instruction(make_op("rnn_last_hs_output"), hs);
        auto c = m.add_instruction(make_op("rnn_last_cell_output"), hs);
        m.add_return({hs, h, c});
        rewrite_rnn{}.apply(m);
        module_ref body = &m;
        const auto results = run_body(body, values);
        const auto all = run(make_op("lstm_all", {{"direction", direction}}), in).get_sub_objects();
        for (std::size_t i = 0; i < 3; ++i)
            EXPECT_EQ(results.at(i), all.at(i));
    }
}

TEST(ops_rnn, different_lengths) {
    const auto lengths = tensor({shape::int32_type, {2}}, {2, 1});
    const auto states = ramp(of({3, 1, 2, 1}), 1, 1); // step t, sequence b: 2t + b + 1
    check(make_op("rnn_var_sl_last_output"), {states, lengths}, {3, 2});
    check(make_op("rnn_var_sl_last_output", {{"direction", 1}}), {states, lengths}, {1, 2});
    check(make_op("rnn_var_sl_shift_output"), {states, lengths}, {1, 2, 3, 0, 0, 0});
    check(make_op("rnn_var_sl_shift_output", {{"direction", 1}}), {states, lengths},
          {3, 6, 5, 0, 0, 0});
    check(make_op("rnn_var_sl_shift_sequence"), {ramp(of({3, 2, 1}), 1, 1), lengths},
          {0, 0, 1, 0, 3, 2});
    EXPECT_THROW(
        run(make_op("rnn_var_sl_shift_output"), {states, tensor({shape::int32_type, {2}}, {4, 1})}),
        migraphx::exception);
}

} // namespace
