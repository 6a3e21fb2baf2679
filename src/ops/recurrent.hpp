// SPDX-License-Identifier: MIT
// Recurrent layers with the equations of ONNX's RNN, GRU and LSTM.
//   X (T, B, I), W (D, G * H, I), R (D, G * H, H)[, bias (D, 2 * G * H), lengths (B), h0 (D, B, H),
//   c0 (D, B, H), peephole (D, 3 * H)] with D directions, G gates: rnn 1, gru 3 (z, r, h), lstm 4
//   (i, o, f, c). Inputs that are not there are `undefined`.
// Results: hidden states (T, D, B, H), zero after the end of a sequence, last hidden state (D, B,
// H) and last cell state (D, B, H).
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/op/common.hpp>
#include <migraphx/operation.hpp>

#include <functional>
#include <vector>

namespace migraphx {

/// Inputs of a recurrent layer, by position.
enum recurrent_input : std::size_t {
    in_x,
    in_w,
    in_r,
    in_bias,
    in_lengths,
    in_h0,
    in_c0,
    in_peephole
};

enum class recurrent_kind { rnn, gru, lstm };

struct recurrent_attributes {
    std::size_t hidden_size = 1;
    /// For each direction: rnn f; gru f, g; lstm f, g, h. Those of one direction serve for both.
    std::vector<operation> actv_func;
    op::rnn_direction direction = op::rnn_direction::forward;
    /// Bound of the magnitude of the gates before their activations; 0 for none.
    float clip = 0;
    int linear_before_reset = 0; ///< gru: the reset gate acts after the product with R
    int input_forget = 0;        ///< lstm: the forget gate is 1 - the input gate
};

/// All results: two members, three for lstm.
shape recurrent_shape(recurrent_kind kind, const recurrent_attributes& attributes,
                      const std::vector<shape>& in);
argument recurrent_compute(recurrent_kind kind, const recurrent_attributes& attributes,
                           const std::vector<argument>& in);

/// The function of one number that an activation operator computes. Throws for other operators.
std::function<double(double)> activation_function(const operation& op);

} // namespace migraphx
