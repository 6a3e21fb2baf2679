// SPDX-License-Identifier: MIT
// RNN, GRU, LSTM.
#include <migraphx/make_op.hpp>
#include <migraphx/op/common.hpp>

#include "import/onnx/importer.hpp"

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
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        const auto* row = std::find_if(std::begin(activation_names), std::end(activation_names),
                                       [&](const auto& a) { return name == a.onnx; });
        if (row == std::end(activation_names))
            n.malformed("activations: a function that ONNX names was expected, got '" + name + "'");
        const auto alpha = row->coefficients > 0 and next_alpha < alphas.size() ? alphas[next_alpha++] : row->alpha;
        const auto beta = row->coefficients > 1 and next_beta < betas.size() ? betas[next_beta++] : row->beta;
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

instructions read_recurrent(node_reader& n) {
    const bool lstm = n.op_type() == "LSTM", gru = n.op_type() == "GRU";
    n.expect_inputs(3, lstm ? 8 : 6);
    const auto& r = n.shape_of(2);
    if (n.rank_of(0) != 3 or n.rank_of(1) != 3 or r.ndim() != 3)
        n.malformed(str("X, W and R of three dimensions were expected, got ", n.shape_of(0), ", ", n.shape_of(1), " and ", r));
    const auto direction = direction_of(n);
    const std::size_t directions = direction == op::rnn_direction::bidirectional ? 2 : 1;
    const auto hidden = n.has_attribute("hidden_size") ? n.integer("hidden_size") : n.known_size(n.input(2), 2);
    if (hidden < 1 or (not r.dynamic() and (r.lens()[2] != std::size_t(hidden) or r.lens()[0] != directions)))
        n.malformed(str("R of ", directions, " directions and hidden_size ", hidden, " was expected, got ", r));
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
    auto in = n.inputs();
    if (layout == 1)
        for (std::size_t i : {0, 5, 6})
            if (n.has(i))
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

const operators rnn_operators{{"RNN", read_recurrent}, {"GRU", read_recurrent}, {"LSTM", read_recurrent}};

} // namespace

} // namespace migraphx::onnx
