// SPDX-License-Identifier: MIT
// Gates and states of recurrent layers, a vector of hidden units at a time.
#include "targets/cpu/kernels/recurrent.hpp"
#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"
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

struct whole_access {
    int64_t at;
    MIGRAPHX_VEC_INLINE vf get(const float* p) const { return load(p + at); }
    MIGRAPHX_VEC_INLINE vf get_or_zero(const float* p, int64_t offset) const {
        return p == nullptr ? vf{} : get(p + offset);
    }
    MIGRAPHX_VEC_INLINE void put(float* p, vf v) const { store(p + at, v); }
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

// What a layer does with pre-activations, as its parameters say …
struct given_layer {
    const recurrent_params& p;
    MIGRAPHX_VEC_INLINE vf first(vf x) const { return activate(p.first, bounded(p, x)); }
    MIGRAPHX_VEC_INLINE vf second(vf x) const { return activate(p.second, bounded(p, x)); }
    MIGRAPHX_VEC_INLINE vf third(vf x) const { return activate(p.third, x); }
    const float* bias() const { return p.bias; }
    const float* peephole() const { return p.peephole; }
    bool input_forget() const { return p.input_forget; }
};

// … or as most layers have it, with nothing to look at.
struct usual_layer {
    static MIGRAPHX_VEC_INLINE vf first(vf x) { return sigmoid(x); }
    static MIGRAPHX_VEC_INLINE vf second(vf x) { return vec::tanh(x); }
    static MIGRAPHX_VEC_INLINE vf third(vf x) { return vec::tanh(x); }
    static constexpr const float* bias() { return nullptr; }
    static constexpr const float* peephole() { return nullptr; }
    static constexpr bool input_forget() { return false; }
};

bool is_usual(const recurrent_params& p) {
    return p.first.kind == activation_kind::sigmoid && p.second.kind == activation_kind::tanh &&
           p.third.kind == activation_kind::tanh && p.clip == 0 && p.bias == nullptr &&
           p.peephole == nullptr && !p.input_forget;
}

// From the pre-activations.
template <class Layer, class Access>
MIGRAPHX_VEC_INLINE void lstm_unit(const recurrent_params& p, Layer f, int64_t r, const Access& u,
                                   vf in, vf out, vf keep, vf fresh) {
    const vf c = u.get(p.cell + r * p.cell_row);
    const float* peephole = f.peephole();
    if (peephole != nullptr) {
        in += u.get(peephole) * c;
        keep += u.get(peephole + 2 * p.hidden) * c;
    }
    in = f.first(in);
    keep = f.input_forget() ? 1.0f - in : f.first(keep);
    const vf cell = keep * c + in * f.second(fresh);
    if (peephole != nullptr)
        out += u.get(peephole + p.hidden) * cell;
    u.put(p.cell_out + r * p.cell_out_row, cell);
    u.put(p.out + r * p.out_row, f.first(out) * f.third(cell));
}

void lstm(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        lstm_unit(p, given_layer{p}, r, u, gate(p, row, u, 0), gate(p, row, u, 1),
                  gate(p, row, u, 2), gate(p, row, u, 3));
    });
}

MIGRAPHX_VEC_INLINE vf gru_gate(const recurrent_params& p, const recurrent_row& row,
                                const row_access& u, int number) {
    return activate(p.first, bounded(p, gate(p, row, u, number)));
}

// From the products of the state with the weights of z, r and h.
template <class Layer, class Access>
MIGRAPHX_VEC_INLINE void gru_linear_unit(const recurrent_params& p, Layer f,
                                         const recurrent_row& row, const Access& u, vf z, vf reset,
                                         vf fresh) {
    const int64_t n = p.hidden;
    const float* bias = f.bias();
    z = f.first(z + u.get(row.x) + u.get_or_zero(bias, 0));
    reset = f.first(reset + u.get(row.x + n) + u.get_or_zero(bias, n));
    fresh = reset * (fresh + u.get_or_zero(p.state_bias, 0));
    fresh = f.second(fresh + u.get(row.x + 2 * n) + u.get_or_zero(bias, 2 * n));
    u.put(row.out, (1.0f - z) * fresh + z * u.get(row.state));
}

void gru_linear(const recurrent_params& p, int64_t begin, int64_t end) {
    for_each_unit(p, begin, end, [&](int64_t r, const row_access& u) {
        const recurrent_row row = row_of(p, r);
        gru_linear_unit(p, given_layer{p}, row, u, u.get_or_zero(row.h, 0),
                        u.get_or_zero(row.h, p.hidden), u.get_or_zero(row.h, 2 * p.hidden));
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
        const vf pre = u.get(row.x + at) + u.get_or_zero(row.h, 0) + u.get_or_zero(p.bias, at);
        const vf fresh = activate(p.second, bounded(p, pre));
        const vf z = u.get(p.update + r * p.update_row);
        u.put(row.out, (1.0f - z) * fresh + z * u.get(row.state));
    });
}

// ---- steps that make the product with R themselves, a block of hidden units at a time

// Vectors of a gate in a block. A single row needs as many sums as multiply-adds are under way.
constexpr int vectors_for(int64_t rows) {
    return rows == 1 ? 2 : 1;
}

// Rows whose sums fit the registers, beside a weight and what it is multiplied by.
constexpr int rows_at_once(int gates) {
    return lanes == 16 ? 6 : 12 / gates;
}

int64_t block_units(int64_t rows) {
    return vectors_for(rows) * lanes;
}

void pack_blocks(const recurrent_weights& w, float* to, int64_t begin, int64_t end) {
    const int64_t units = block_units(w.rows), width = w.gates * units;
    for (int64_t b = begin; b < end; ++b) {
        float* block = to + b * width * w.hidden;
        const int64_t first = b * units;
        const int64_t count = w.hidden - first < units ? w.hidden - first : units;
        if (count < units)
            for (int64_t i = 0; i < width * w.hidden; ++i)
                block[i] = 0;
        for (int64_t g = 0; g < w.gates; ++g)
            transpose_floats(w.r + (g * w.hidden + first) * w.hidden, w.hidden, block + g * units,
                             width, w.hidden, count);
    }
}

// Rows [row, row + R), the units from `first` on; unit(row, access, sums of the gates) follows.
template <int G, int V, int R, class F>
MIGRAPHX_VEC_INLINE void step_tile(const recurrent_params& p, const float* w, int64_t row,
                                   int64_t first, bool backwards, F unit) {
    vf sums[R][G * V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int j = 0; j < G * V; ++j)
            sums[r][j] = vf{};
    const float* h = p.state + row * p.state_row;
    int64_t step = 1;
    if (backwards) {
        h += p.hidden - 1;
        w += (p.hidden - 1) * G * V * lanes;
        step = -1;
    }
    for (int64_t k = p.hidden; k > 0; --k, h += step, w += step * G * V * lanes) {
        vf weights[G * V];
#pragma GCC unroll 8
        for (int j = 0; j < G * V; ++j)
            weights[j] = load(w + j * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            const vf x = splat(h[r * p.state_row]);
#pragma GCC unroll 8
            for (int j = 0; j < G * V; ++j)
                add_product(sums[r][j], x, weights[j]);
        }
    }
    // Copies: sums whose address is taken would not stay in registers above.
    vf copies[R][V][G];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v)
#pragma GCC unroll 8
            for (int g = 0; g < G; ++g)
                copies[r][v][g] = sums[r][g * V + v];
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) {
            const int64_t at = first + v * lanes, left = p.hidden - at;
            if (left >= lanes)
                unit(row + r, whole_access{at}, copies[r][v]);
            else if (left > 0)
                unit(row + r, row_access{at, left}, copies[r][v]);
        }
}

// All rows of a block, in tiles of about the same height.
template <int G, class F>
MIGRAPHX_VEC_INLINE void step_block(const recurrent_params& p, int64_t rows, int64_t block,
                                    bool backwards, F unit) {
    constexpr int most = rows_at_once(G);
    const int64_t units = block_units(rows), first = block * units;
    const float* w = p.r + block * G * units * p.hidden;
    if (rows == 1) {
        step_tile<G, vectors_for(1), 1>(p, w, 0, first, backwards, unit);
        return;
    }
    int64_t row = 0;
    for (int64_t tiles = (rows + most - 1) / most; tiles > 0; --tiles) {
        const int64_t n = (rows - row + tiles - 1) / tiles;
        switch (n) {
        case 1:
            step_tile<G, 1, 1>(p, w, row, first, backwards, unit);
            break;
        case 2:
            step_tile<G, 1, 2>(p, w, row, first, backwards, unit);
            break;
        case 3:
            step_tile<G, 1, 3>(p, w, row, first, backwards, unit);
            break;
        case 4:
            step_tile < G, 1, most<4 ? 1 : 4>(p, w, row, first, backwards, unit);
            break;
        case 5:
            step_tile < G, 1, most<5 ? 1 : 5>(p, w, row, first, backwards, unit);
            break;
        default:
            step_tile < G, 1, most<6 ? 1 : 6>(p, w, row, first, backwards, unit);
            break;
        }
        row += n;
    }
}

template <int G, class F>
MIGRAPHX_VEC_INLINE void step_blocks(const recurrent_params& p, int64_t rows,
                                     const recurrent_share& s, F unit) {
    for (int64_t i = s.begin; i < s.end; ++i)
        step_block<G>(p, rows, s.backwards ? s.begin + s.end - 1 - i : i, s.backwards, unit);
}

template <class Layer>
void lstm_blocks_of(const recurrent_params& p, Layer f, int64_t rows, const recurrent_share& s) {
    step_blocks<4>(p, rows, s, [&](int64_t r, const auto& u, const vf(&sums)[4]) {
        const float* x = p.x + r * p.x_row;
        const auto pre = [&](int g) {
            return sums[g] + u.get(x + g * p.hidden) + u.get_or_zero(f.bias(), g * p.hidden);
        };
        lstm_unit(p, f, r, u, pre(0), pre(1), pre(2), pre(3));
    });
}

void lstm_blocks(const recurrent_params& p, int64_t rows, const recurrent_share& s) {
    if (is_usual(p))
        lstm_blocks_of(p, usual_layer{}, rows, s);
    else
        lstm_blocks_of(p, given_layer{p}, rows, s);
}

template <class Layer>
void gru_linear_blocks_of(const recurrent_params& p, Layer f, int64_t rows,
                          const recurrent_share& s) {
    step_blocks<3>(p, rows, s, [&](int64_t r, const auto& u, const vf(&sums)[3]) {
        gru_linear_unit(p, f, row_of(p, r), u, sums[0], sums[1], sums[2]);
    });
}

void gru_linear_blocks(const recurrent_params& p, int64_t rows, const recurrent_share& s) {
    if (is_usual(p))
        gru_linear_blocks_of(p, usual_layer{}, rows, s);
    else
        gru_linear_blocks_of(p, given_layer{p}, rows, s);
}

} // namespace

void fill_recurrent(recurrent_kernels& table) {
    table.rnn = rnn;
    table.lstm = lstm;
    table.gru_linear = gru_linear;
    table.gru_gates = gru_gates;
    table.gru_output = gru_output;
    table.block_units = block_units;
    table.pack_blocks = pack_blocks;
    table.lstm_blocks = lstm_blocks;
    table.gru_linear_blocks = gru_linear_blocks;
}

} // namespace migraphx::cpu::KERNEL_ISA
