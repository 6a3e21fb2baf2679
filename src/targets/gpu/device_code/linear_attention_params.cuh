// SPDX-License-Identifier: MIT
// What linear_attention.cuh gets from lower/linear_attention.cpp. Read by both sides. Strides are in
// elements.
#pragma once

namespace mgx {

struct linear_attention_params {
    long long q_batch, q_token, q_column;
    long long k_batch, k_token, k_column;
    long long v_batch, v_token, v_column;
    long long decay_batch, decay_token, decay_column;
    long long beta_batch, beta_token, beta_column;
    long long y_batch, y_token, y_column;
    long long last_state; // where the last slot of the given states begins
    long long state_batch, state_head, state_row, state_column;
    long long states_slot, states_batch, states_head, states_row, states_column;
    double scale;
    int tokens, depth, width; // of a head's keys and values
    int query_heads, heads;   // heads: of the result
    int readers;              // heads of the result for each state
    int heads_per_key;        // states that share the keys of a head
    int gates, rates;         // numbers of decay for each head, of beta for each token
    int slots;                // states of the result
};

} // namespace mgx
