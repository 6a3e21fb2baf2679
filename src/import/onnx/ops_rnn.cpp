// SPDX-License-Identifier: MIT
// RNN, GRU, LSTM.
#include <migraphx/make_op.hpp>
#include <migraphx/op/common.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>
#include <cctype>

namespace migraphx::onnx {

namespace {

struct activation_name {
    const char* onnx;
    const char* own;
    int coefficients; ///< how many of alpha and beta it takes
    float alpha, beta;
};

constexpr activation_name activation_names[] = {
    {"tanh", "tanh", 0, 0, 0},
    {"relu", "relu", 0, 0, 0},
    {"sigmoid", "sigmoid", 0, 0, 0},
    {"leakyrelu", "leaky_relu", 1, 0.01f, 0},
    {"elu", "elu", 1, 1, 0},
    {"affine", "rnn_affine", 2, 1, 0},
    {"hardsigmoid", "rnn_hard_sigmoid", 2, 0.2f, 0.5f},
    {"scaledtanh", "rnn_scaled_tanh", 2, 1, 1},
    {"softplus", "rnn_softplus", 0, 0, 0},
    {"softsign", "rnn_softsign", 0, 0, 0},
    {"thresholdedrelu", "rnn_thresholded_relu", 1, 1, 0}};

op::rnn_direction direction_of(node_reader& n) {
    const auto d = n.text("direction", "forward");
    if (d == "forward")
        return op::rnn_direction::forward;
    if (d == "reverse")
        return op::rnn_direction::reverse;
    if (d == "bidirectional")
        return op::rnn_direction::bidirectional;
    n.malformed("direction: forward, reverse or bidirectional was expected, got '" + d + "'");
}

// The functions named, each with its coefficients in turn.
std::vector<operation> read_activations(node_reader& n, std::size_t count) {
    const auto names = n.texts("activations");
    if (names.empty())
        return {};
    if (names.size() != count)
        n.malformed(str("activations: ", count, " names were expected, got ", names.size()));
    const auto alphas = n.reals("activation_alpha"), betas = n.reals("activation_beta");
    std::size_t next_alpha = 0, next_beta = 0;
    std::vector<operation> result;
    for (auto name : names) {
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return std::tolower(c); });
        const auto* row = std::find_if(std::begin(activation_names), std::end(activation_names),
                                       [&](const auto& a) { return name == a.onnx; });
        if (row == std::end(activation_names))
            n.malformed("activations: a function that ONNX names was expected, got '" + name + "'");
        const auto alpha = row->coefficients > 0 and next_alpha < alphas.size()
                               ? alphas[next_alpha++]
                               : row->alpha;
        const auto beta =
            row->coefficients > 1 and next_beta < betas.size() ? betas[next_beta++] : row->beta;
        if (std::string_view(row->own).starts_with("rnn_"))
            result.push_back(make_op(row->own, {{"alpha", alpha}, {"beta", beta}}));
        else if (row->coefficients > 0)
            result.push_back(make_op(row->own, {{"alpha", alpha}}));
        else
            result.push_back(make_op(row->own));
    }
    return result;
}

instruction_ref swap_first_two(node_reader& n, instruction_ref x) {
    std::vector<int64_t> perm{1, 0};
    for (std::size_t d = 2; d < x->get_shape().ndim(); d++)
        perm.push_back(int64_t(d));
    return n.add(make_op("transpose", {{"permutation", perm}}), {x});
}

} // namespace

instructions recurrent_of(node_reader& n, std::string_view op, instructions in) {
    const bool lstm = op == "LSTM", gru = op == "GRU";
    const auto &x = in.at(0)->get_shape(), &w = in.at(1)->get_shape(), &r = in.at(2)->get_shape();
    if (x.ndim() != 3 or w.ndim() != 3 or r.ndim() != 3)
        n.malformed(
            str("X, W and R of three dimensions were expected, got ", x, ", ", w, " and ", r));
    const auto direction = direction_of(n);
    const std::size_t directions = direction == op::rnn_direction::bidirectional ? 2 : 1;
    const auto hidden =
        n.has_attribute("hidden_size") ? n.integer("hidden_size") : n.known_size(in[2], 2);
    if (hidden < 1 or
        (not r.dynamic() and (r.lens()[2] != std::size_t(hidden) or r.lens()[0] != directions)))
        n.malformed(str("R of ", directions, " directions and hidden_size ", hidden,
                        " was expected, got ", r));
    const auto layout = n.integer("layout", 0);
    if (layout != 0 and layout != 1)
        n.malformed(str("layout of 0 or 1 was expected, got ", layout));
    const std::size_t functions = lstm ? 3 : gru ? 2 : 1;
    value o = value::object{};
    o["hidden_size"] = hidden;
    o["direction"] = direction;
    o["clip"] = n.real("clip", 0);
    const auto activations = read_activations(n, functions * directions);
    if (not activations.empty())
        o["actv_func"] = to_value(activations);
    if (gru)
        o["linear_before_reset"] = n.integer("linear_before_reset", 0);
    if (lstm)
        o["input_forget"] = n.integer("input_forget", 0);
    if (layout == 1)
        for (std::size_t i : {0, 5, 6})
            if (i < in.size() and in[i]->name() != "undefined")
                in[i] = swap_first_two(n, in[i]);
    const auto all = n.add(make_op(lstm ? "lstm_all" : gru ? "gru_all" : "rnn_all", o), in);
    instructions results;
    for (std::size_t i = 0; i < all->get_shape().sub_shapes().size(); i++) {
        auto y = n.add(make_op("get_tuple_elem", {{"index", i}}), {all});
        if (layout == 1 and i == 0)
            y = n.add(make_op("transpose", {{"permutation", {2, 0, 1, 3}}}), {y});
        else if (layout == 1)
            y = swap_first_two(n, y);
        results.push_back(y);
    }
    return results;
}

namespace {

instructions read_recurrent(node_reader& n) {
    n.expect_inputs(3, n.op_type() == "LSTM" ? 8 : 6);
    for (std::size_t i = 0; i < 3; i++)
        (void)n.input(i); // given
    return recurrent_of(n, n.op_type(), n.inputs());
}

// W and R as (directions, inputs, 4 * hidden) of 8 bits, with scales and zero points of one number
// or one for each column of a direction.
instructions read_dynamic_quantize_lstm(node_reader& n) {
    n.expect_inputs(12, 12);
    const auto weights = [&](std::size_t i, std::size_t scale) {
        const auto w = n.input(i);
        const auto along = [&](instruction_ref v) {
            const std::vector<int64_t> axes =
                v->get_shape().ndim() == 1 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1};
            return n.broadcast_like(n.add(make_op("unsqueeze", {{"axes", axes}}), {v}), w);
        };
        const auto wide =
            n.add("dequantizelinear", w, along(n.input(scale)), along(n.input(scale + 1)));
        return n.add(make_op("transpose", {{"permutation", {0, 2, 1}}}), {wide});
    };
    instructions in{n.input(0), weights(1, 8), weights(2, 10)};
    in.insert(in.end(), n.inputs().begin() + 3, n.inputs().begin() + 8);
    return recurrent_of(n, "LSTM", in);
}

const operators rnn_operators{{"RNN", read_recurrent},
                              {"GRU", read_recurrent},
                              {"LSTM", read_recurrent},
                              {"DynamicQuantizeLSTM", read_dynamic_quantize_lstm, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
