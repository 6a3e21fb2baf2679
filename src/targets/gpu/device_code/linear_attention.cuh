// SPDX-License-Identifier: MIT
// Attention by a state that every token updates (ops/linear_attention.cpp). A block has 32 columns of
// one state, Lanes threads each, which hold the rows k = lane, lane + Lanes, ... of their column in
// registers while the tokens go by.
#pragma once
#include "dialect.cuh"
#include "linear_attention_params.cuh"

namespace mgx {

// T: of all tensors; Rows: of a thread, Rows * Lanes is at least the depth.
template <class T, int Lanes, int Rows, bool Gated, bool Delta>
MGX_DEVICE void linear_attention(const T* q, const T* k, const T* v, const T* state, const T* decay,
                                 const T* beta, T* y, T* states, const linear_attention_params& p) {
    using A = compute<T>;
    const int lane = thread_rank() % Lanes;
    const int e = static_cast<int>(blockIdx.x) * 32 + thread_rank() / Lanes;
    const int h = static_cast<int>(blockIdx.y), b = static_cast<int>(blockIdx.z);
    const bool mine = e < p.width; // all threads stay for the exchanges
    const int column = mine ? e : 0;
    q += b * p.q_batch;
    k += b * p.k_batch + static_cast<i64>(h / p.heads_per_key) * p.depth * p.k_column;
    v += b * p.v_batch + (static_cast<i64>(h) * p.width + column) * p.v_column;
    y += b * p.y_batch;
    state += p.last_state + b * p.state_batch + h * p.state_head + column * p.state_column;
    states += b * p.states_batch + h * p.states_head + column * p.states_column;
    const auto over_rows = [](A x) { return warp_reduce<Lanes>(x, add_op{}); };

    A s[Rows];
#pragma unroll
    for (int r = 0; r < Rows; r++) {
        const int d = r * Lanes + lane;
        s[r] = d < p.depth ? static_cast<A>(to_compute(state[d * p.state_row])) : A(0);
    }
    const auto keep = [&](i64 slot) {
#pragma unroll
        for (int r = 0; r < Rows; r++) {
            const int d = r * Lanes + lane;
            if (mine && d < p.depth)
                states[slot * p.states_slot + d * p.states_row] = convert<T>(s[r]);
        }
    };
    for (int t = 0; t < p.tokens; t++) {
        const T* const key = k + t * p.k_token;
        A now[Rows];
#pragma unroll
        for (int r = 0; r < Rows; r++) {
            const int d = r * Lanes + lane;
            now[r] = d < p.depth ? static_cast<A>(to_compute(key[d * p.k_column])) : A(0);
        }
        if constexpr (Gated) {
            const T* const gates = decay + b * p.decay_batch + t * p.decay_token +
                                   static_cast<i64>(h) * p.gates * p.decay_column;
#pragma unroll
            for (int r = 0; r < Rows; r++) {
                const int d = r * Lanes + lane;
                if (d < p.depth)
                    s[r] *= exp(to_compute(gates[(p.gates == 1 ? 0 : d) * p.decay_column]));
            }
        }
        A change = to_compute(v[t * p.v_token]);
        if constexpr (Delta) {
            A seen = 0;
#pragma unroll
            for (int r = 0; r < Rows; r++)
                seen = fma(s[r], now[r], seen);
            change = (change - over_rows(seen)) *
                     to_compute(beta[b * p.beta_batch + t * p.beta_token +
                                     (p.rates == 1 ? 0 : h) * p.beta_column]);
        }
#pragma unroll
        for (int r = 0; r < Rows; r++)
            s[r] = fma(now[r], change, s[r]);
        for (int reader = 0; reader < p.readers; reader++) {
            const i64 to = static_cast<i64>(h) * p.readers + reader,
                      from = to * p.query_heads / p.heads;
            const T* const query = q + t * p.q_token + from * p.depth * p.q_column;
            A sum = 0;
#pragma unroll
            for (int r = 0; r < Rows; r++) {
                const int d = r * Lanes + lane;
                if (d < p.depth)
                    sum = fma(static_cast<A>(to_compute(query[d * p.q_column])), s[r], sum);
            }
            sum = over_rows(sum);
            if (mine && lane == 0)
                y[t * p.y_token + (to * p.width + e) * p.y_column] =
                    convert<T>(sum * static_cast<A>(p.scale));
        }
        if (t + p.slots >= p.tokens)
            keep(t + p.slots - p.tokens);
    }
    // States of tokens before the first.
    for (i64 slot = 0; slot < p.slots - p.tokens; slot++)
#pragma unroll
        for (int r = 0; r < Rows; r++) {
            const int d = r * Lanes + lane;
            if (mine && d < p.depth)
                states[slot * p.states_slot + d * p.states_row] =
                    p.tokens == 0 && slot == p.slots - 1 ? convert<T>(s[r]) : T{};
        }
}

} // namespace mgx
