// SPDX-License-Identifier: MIT
// One step of an LSTM, GRU or plain RNN, f32: gate pre-activations in, states out. The product with
// R is made elsewhere, or by the step itself where a gate's sums stay in registers.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

enum class activation_kind : int32_t {
    sigmoid,
    tanh,
    relu,
    affine,
    leaky_relu,
    thresholded_relu,
    scaled_tanh,
    hard_sigmoid,
    elu,
    softsign,
    softplus
};

struct activation {
    activation_kind kind;
    float alpha, beta; // as ONNX uses them; the caller fills in its defaults
};

// Rows are items of the batch; every row pointer advances by its *_row elements. Pre-activations
// are x + h + bias, where x is the input's part, h the state's; h and bias may be null. Outputs may
// be the previous states.
struct recurrent_params {
    int64_t hidden;
    float clip; // bound of what goes into activations; 0: none
    const float* x;
    int64_t x_row;
    const float* h;
    int64_t h_row;
    const float* bias;
    const float* state; // previous hidden state
    int64_t state_row;
    float* out; // hidden state
    int64_t out_row;
    activation first, second, third; // ONNX order: f, g, h
    // LSTM: gates i, o, f, c, each `hidden` long.
    const float* cell;
    int64_t cell_row;
    float* cell_out;
    int64_t cell_out_row;
    const float* peephole; // i, o, f or null
    bool input_forget;     // f = 1 - i
    // GRU: gates z, r, h.
    const float* state_bias; // linear_before_reset: of the product of the third gate, or null
    float* update;           // z
    int64_t update_row;
    float* reset_state; // r * state
    int64_t reset_state_row;
    const float* r; // R as pack_blocks wrote it; h is null then
};

// R of one direction, (gates * hidden) x hidden, for steps of that many rows.
struct recurrent_weights {
    const float* r;
    int64_t gates, hidden, rows;
};

// Blocks [begin, end) of a step. Every other step goes backwards, over blocks and sums: it begins
// with the weights that the last one left in the caches.
struct recurrent_share {
    int64_t begin, end;
    bool backwards;
};

struct recurrent_kernels {
    void (*rnn)(const recurrent_params& p, int64_t begin, int64_t end);
    void (*lstm)(const recurrent_params& p, int64_t begin, int64_t end);
    // linear_before_reset: h holds the products of all three gates.
    void (*gru_linear)(const recurrent_params& p, int64_t begin, int64_t end);
    // Otherwise in two steps: gates (h: products of z and r) gives update and reset_state; then
    // output takes the product of reset_state with the third weight as h (hidden wide), and update.
    void (*gru_gates)(const recurrent_params& p, int64_t begin, int64_t end);
    void (*gru_output)(const recurrent_params& p, int64_t begin, int64_t end);
    // Steps with their product: hidden units in blocks, the weights of all gates of a block
    // together, filled up with zeros. The states read must not be among those written.
    int64_t (*block_units)(int64_t rows);
    void (*pack_blocks)(const recurrent_weights& w, float* to, int64_t begin, int64_t end);
    void (*lstm_blocks)(const recurrent_params& p, int64_t rows, const recurrent_share& s);
    void (*gru_linear_blocks)(const recurrent_params& p, int64_t rows, const recurrent_share& s);
};

} // namespace migraphx::cpu
