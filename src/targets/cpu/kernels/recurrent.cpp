// SPDX-License-Identifier: MIT
// Gates and states of recurrent layers, a vector of hidden units at a time.
#include "targets/cpu/kernels/recurrent.hpp"
#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

vf activate(const activation& a, vf x) {
    switch (a.kind) {
    case activation_kind::sigmoid:
        return sigmoid(x);
    case activation_kind::tanh:
        return vec::tanh(x);
    case activation_kind::relu:
        return x < 0.0f ? vf{} : x;
    case activation_kind::affine:
        return x * a.alpha + a.beta;
    case activation_kind::leaky_relu:
        return x < 0.0f ? x * a.alpha : x;
    case activation_kind::thresholded_relu:
        return x > a.alpha ? x : vf{};
    case activation_kind::scaled_tanh:
        return vec::tanh(x * a.beta) * a.alpha;
    case activation_kind::hard_sigmoid:
        return max(vf{}, min(splat(1.0f), x * a.alpha + a.beta));
    case activation_kind::elu:
        return x < 0.0f ? expm1_negative(min(x, vf{})) * a.alpha : x;
    case activation_kind::softsign:
        return x / (vec::abs(x) + 1.0f);
    case activation_kind::softplus:
        return max(x, vf{}) + vec::log(vec::exp(-vec::abs(x)) + 1.0f);
    }
    return x;
}

// One row: loads and stores of up to a vector of hidden units.
struct row_access {
    int64_t at, count;
    MIGRAPHX_VEC_INLINE vf get(const float* p) const {
        return count == lanes ? load(p + at) : load_first(p + at, count);
    }
    MIGRAPHX_VEC_INLINE vf get_or_zero(const float* p, int64_t offset) const {
        return p == nullptr ? vf{} : get(p + offset);
    }
    MIGRAPHX_VEC_INLINE void put(float* p, vf v) const {
        if (count == lanes)
            store(p + at, v);
        else
            store_first(p + at, v, count);
    }
};

MIGRAPHX_VEC_INLINE vf bounded(const recurrent_params& p, vf x) {
    return p.clip > 0 ? max(splat(-p.clip), min(splat(p.clip), x)) : x;
}

struct recurrent_row {
    const float* x;
    const float* h;
    const float* state;
    float* out;
};

inline recurrent_row row_of(const recurrent_params& p, int64_t r) {
    return {p.x + r * p.x_row, p.h == nullptr ? nullptr : p.h + r * p.h_row,
            p.state == nullptr ? nullptr : p.state + r * p.state_row, p.out + r * p.out_row};
}

// Calls f(row number, vectors of its hidden units).
template <class F>
inline void for_each_unit(const recurrent_params& p, int64_t begin, int64_t end, F f) {
    for (int64_t r = begin; r < end; ++r)
        for (int64_t i = 0; i < p.hidden; i += lanes)
            f(r, row_access{i, p.hidden - i < lanes ? p.hidden - i : lanes});
}

// Pre-activation of a gate.
MIGRAPHX_VEC_INLINE vf gate(const recurrent_params& p, const recurrent_row& row,
                            const row_access& u, int number) {
    const int64_t at = number * p.hidden;
    return u.get(row.x + at) + u.get_or_zero(row.h, at) + u.get_or_zero(p.bias, at);
}

void rnn(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        u.put(row.out, activate(p.first, bounded(p, gate(p, row, u, 0))));
    });
}

void lstm(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        const vf c = u.get(p.cell + r * p.cell_row);
        vf in = gate(p, row, u, 0), out = gate(p, row, u, 1), keep = gate(p, row, u, 2);
        if (p.peephole != nullptr) {
            in += u.get(p.peephole) * c;
            keep += u.get(p.peephole + 2 * p.hidden) * c;
        }
        in = activate(p.first, bounded(p, in));
        keep = p.input_forget ? 1.0f - in : activate(p.first, bounded(p, keep));
        const vf fresh = activate(p.second, bounded(p, gate(p, row, u, 3)));
        const vf cell = keep * c + in * fresh;
        if (p.peephole != nullptr)
            out += u.get(p.peephole + p.hidden) * cell;
        out = activate(p.first, bounded(p, out));
        u.put(p.cell_out + r * p.cell_out_row, cell);
        u.put(row.out, out * activate(p.third, cell));
    });
}

MIGRAPHX_VEC_INLINE vf gru_gate(const recurrent_params& p, const recurrent_row& row,
                                const row_access& u, int number) {
    const vf pre = gate(p, row, u, number) + u.get_or_zero(p.state_bias, number * p.hidden);
    return activate(p.first, bounded(p, pre));
}

void gru_linear(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        const int64_t at = 2 * p.hidden;
        const vf z = gru_gate(p, row, u, 0);
        const vf reset = gru_gate(p, row, u, 1);
        const vf from_state = u.get_or_zero(row.h, at) + u.get_or_zero(p.state_bias, at);
        const vf pre = u.get(row.x + at) + u.get_or_zero(p.bias, at) + reset * from_state;
        const vf fresh = activate(p.second, bounded(p, pre));
        u.put(row.out, (1.0f - z) * fresh + z * u.get(row.state));
    });
}

void gru_gates(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        u.put(p.update + r * p.update_row, gru_gate(p, row, u, 0));
        u.put(p.reset_state + r * p.reset_state_row, gru_gate(p, row, u, 1) * u.get(row.state));
    });
}

void gru_output(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        const int64_t at = 2 * p.hidden;
        const vf pre = u.get(row.x + at) + u.get_or_zero(row.h, 0) + u.get_or_zero(p.bias, at) +
                       u.get_or_zero(p.state_bias, at);
        const vf fresh = activate(p.second, bounded(p, pre));
        const vf z = u.get(p.update + r * p.update_row);
        u.put(row.out, (1.0f - z) * fresh + z * u.get(row.state));
    });
}

} // namespace

void fill_recurrent(recurrent_kernels& table) {
    table.rnn = rnn;
    table.lstm = lstm;
    table.gru_linear = gru_linear;
    table.gru_gates = gru_gates;
    table.gru_output = gru_output;
}

} // namespace migraphx::cpu::KERNEL_ISA
