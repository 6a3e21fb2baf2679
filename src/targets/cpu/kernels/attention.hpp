// SPDX-License-Identifier: MIT
// softmax(cap(scale * Q K^T) + mask) V for batches of heads, f32. Q, K, V and the output keep
// whatever strides the projections gave them; only the head dimension of V and of the output (and
// of Q) must be contiguous.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

// Where the parts of a thread's scratch memory begin, in floats; the scaled queries come first.
struct attention_layout {
    int64_t keys, values, scores, sums, total;
    int64_t partial; // floats that a part of the keys leaves behind, see attention_params::splits
    bool keeps;      // K and V stay packed from one block of rows to the next
};

struct attention_params {
    static constexpr int64_t max_head = 256;  // largest q_dim and v_dim
    static constexpr int64_t max_block = 132; // rows in a unit of work
    static constexpr int64_t kv_block = 384;  // keys whose scores are held at once
    static constexpr int64_t value_rows = 96; // rows of V that stay in L1 while all rows pass
    const float* q;
    const float* k;
    const float* v;
    const float* mask;    // added after scaling; null: none
    const uint8_t* hides; // instead of mask: a key is hidden where this is 0; null: none
    const float* sink;    // one more score for each query of a head, without a value; null: none
    float* out;
    float scale;
    float softcap; // scores become softcap * tanh(x / softcap); 0: they stay
    bool causal;   // query i sees keys 0 .. i + causal_offset
    int64_t causal_offset;
    int64_t batches, heads, queries, keys, q_dim, v_dim;
    int64_t heads_per_kv; // heads that share one K and V; 1: none
    // Steps in elements: by batch, head, position; k_dim: K's step along the head dimension.
    int64_t q_batch, q_head, q_row;
    int64_t k_batch, k_head, k_row, k_dim;
    int64_t v_batch, v_head, v_row;
    int64_t out_batch, out_head, out_row;
    int64_t mask_batch, mask_head, mask_row, mask_key; // 0 where broadcast
    // Rows are the queries of the heads that share one K and V, one head after the other:
    int64_t block, blocks; // rows in a unit, ceil(heads_per_kv * queries / block)
    // Where few rows see many keys, each unit is cut into parts of split_keys keys (a multiple of
    // 64). A part leaves its sums, not divided yet, then its rows' maxima and totals, in
    // layout.partial floats of `partials`; combine() joins them. 1: no parts.
    int64_t splits, split_keys;
    float* partials;
    bool pairs; // scores may be products in pairs (paired_tile.hpp), which planning may take back
    bool in_lanes; // lane_tiles() is to run, whose units are these blocks; no parts of keys then
    attention_layout layout;
};

struct attention_kernels {
    bool pairs; // lane_tiles can multiply in pairs
    // For many rows. Units: (batch x heads of K + head) x blocks + block.
    void (*lane_tiles)(const attention_params& p, float* scratch, int64_t begin, int64_t end);
    int64_t (*lane_scratch)(const attention_params& p); // floats for a thread
    // Units: ((batch x heads of K + head) x blocks + block) x splits + part.
    void (*tiles)(const attention_params& p, float* scratch, int64_t begin, int64_t end);
    // Units: (batch x heads of K + head) x blocks + block, all parts of which are done.
    void (*combine)(const attention_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
