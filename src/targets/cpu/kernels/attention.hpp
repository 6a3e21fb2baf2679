// SPDX-License-Identifier: MIT
// softmax(cap(scale * Q K^T) + mask) V for batches of heads, f32. Q, K, V and the output keep
// whatever strides the projections gave them; only the head dimension of V and of the output (and
// of Q) must be contiguous.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

struct attention_params {
    static constexpr int64_t max_head = 256; // largest q_dim and v_dim
    static constexpr int64_t max_block = 66; // rows of Q in a unit of work
    static constexpr int64_t kv_block = 512; // keys whose scores are held at once
    const float* q;
    const float* k;
    const float* v;
    const float* mask; // added after scaling; null: none
    const float* sink; // one more score for each query of a head, without a value; null: none
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
    int64_t block, blocks;                             // rows of Q in a unit, ceil(queries / block)
};

struct attention_kernels {
    // Units: (batch x heads + head) x blocks + block.
    void (*tiles)(const attention_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
