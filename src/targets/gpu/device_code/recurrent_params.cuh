// SPDX-License-Identifier: MIT
// What the kernels of recurrent.cuh get from lower/recurrent.cpp. Read by both sides. Strides are in
// elements: of directions, batches and hidden units where three are listed.
#pragma once

namespace mgx {

struct recurrent_params {
    long long pre_time, pre_batch, pre_direction;     // products of the inputs with W
    long long r_direction, r_row, r_column;           // weights of the state
    long long bias_direction, bias_column;
    long long peephole_direction, peephole_column;
    long long h0[3], c0[3], last_h[3], last_c[3];
    long long out_time, out[3];
    long long lengths;
    double clip;    // bound of the gates before their activations; 0: none
    int steps, batch, hidden;
    int reversed;   // whether the first direction reads backward; the second always does
    int rows;       // of the batch, for each block or cluster
    int step;       // of a launch for one step
    int cluster;    // blocks that share the units
    int unused;
};

} // namespace mgx
