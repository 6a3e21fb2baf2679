// SPDX-License-Identifier: MIT
// What the kernels of attention.cuh get from lower/attention.cpp. Read by both sides. Strides are in
// elements.
#pragma once
#include "fast_div.cuh"

namespace mgx {

struct attention_params {
    long long q_batch, q_head, q_row, q_dim;
    long long k_batch, k_head, k_row, k_dim;
    long long v_batch, v_head, v_row, v_dim;
    long long out_batch, out_head, out_row, out_dim;
    long long mask_batch, mask_head, mask_row, mask_key;
    long long sink_head;
    double scale; // of the products, times log2(e) unless there is a bound
    double cap, of_cap; // bound of the scores times log2(e); scale / bound
    fast_div by_queries, by_tiles, by_kv_heads;
    int rows;     // queries * heads that share keys
    int queries, keys, group; // group: heads that share keys
    int q_size, v_size;
    int splits, split_keys; // keys of a split: a multiple of the tile
    int slices;             // of the columns of v, Outs each
    int causal;             // whether key t is hidden from query s where t > s + keys - queries
    int blocks;             // tiles * kv_heads * batches
    int unused;
};

} // namespace mgx
