// SPDX-License-Identifier: MIT
// Recurrent steps against the ONNX formulas in double, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_recurrent.hpp"

#include <gtest/gtest.h>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

double apply(const activation& a, double x) {
    const double alpha = double(a.alpha), beta = double(a.beta);
    switch (a.kind) {
    case activation_kind::sigmoid:
        return 1 / (1 + std::exp(-x));
    case activation_kind::tanh:
        return std::tanh(x);
    case activation_kind::relu:
        return std::max(x, 0.0);
    case activation_kind::affine:
        return alpha * x + beta;
    case activation_kind::leaky_relu:
        return x < 0 ? alpha * x : x;
    case activation_kind::thresholded_relu:
        return x > alpha ? x : 0;
    case activation_kind::scaled_tanh:
        return alpha * std::tanh(beta * x);
    case activation_kind::hard_sigmoid:
        return std::min(std::max(alpha * x + beta, 0.0), 1.0);
    case activation_kind::elu:
        return x < 0 ? alpha * std::expm1(x) : x;
    case activation_kind::softsign:
        return x / (1 + std::abs(x));
    case activation_kind::softplus:
        return std::log1p(std::exp(x));
    }
    return x;
}

const activation every_activation[] = {{activation_kind::sigmoid, 0, 0},
                                       {activation_kind::tanh, 0, 0},
                                       {activation_kind::relu, 0, 0},
                                       {activation_kind::affine, 0.7f, 0.1f},
                                       {activation_kind::leaky_relu, 0.01f, 0},
                                       {activation_kind::thresholded_relu, 1, 0},
                                       {activation_kind::scaled_tanh, 1.3f, 0.6f},
                                       {activation_kind::hard_sigmoid, 0.2f, 0.5f},
                                       {activation_kind::elu, 1.2f, 0},
                                       {activation_kind::softsign, 0, 0},
                                       {activation_kind::softplus, 0, 0}};

struct step_data {
    int64_t rows, hidden;
    std::vector<float> x, h, bias, state_bias, state, cell, peephole;
    step_data(int64_t r, int64_t n) : rows(r), hidden(n) {
        const auto make = [&](int64_t size, unsigned seed) {
            return random_floats(size_t(size), seed, -3, 3);
        };
        x = make(r * (4 * n + 1), 1);
        h = make(r * (4 * n + 2), 2);
        bias = make(4 * n, 3);
        state_bias = make(n, 4);
        state = make(r * n, 5);
        cell = make(r * n, 6);
        peephole = make(3 * n, 7);
    }
    recurrent_params params(bool all, float clip) const {
        recurrent_params p{};
        p.hidden = hidden;
        p.clip = clip;
        p.x = x.data();
        p.x_row = 4 * hidden + 1;
        p.h = all ? h.data() : nullptr;
        p.h_row = 4 * hidden + 2;
        p.bias = all ? bias.data() : nullptr;
        p.state = state.data();
        p.state_row = p.out_row = hidden;
        p.cell = cell.data();
        p.cell_row = p.cell_out_row = hidden;
        p.peephole = all ? peephole.data() : nullptr;
        p.state_bias = all ? state_bias.data() : nullptr;
        p.update_row = p.reset_state_row = hidden;
        p.first = {activation_kind::sigmoid, 0, 0};
        p.second = p.third = {activation_kind::tanh, 0, 0};
        return p;
    }
    double pre(const recurrent_params& p, int64_t r, int gate, int64_t i) const {
        const size_t at = size_t(gate * hidden + i);
        return double(x[size_t(r * p.x_row) + at]) +
               (p.h ? double(h[size_t(r * p.h_row) + at]) : 0) + (p.bias ? double(bias[at]) : 0);
    }
    double state_part(const recurrent_params& p, int64_t i) const {
        return p.state_bias ? double(state_bias[size_t(i)]) : 0;
    }
};

double clipped(double x, float clip) {
    return clip > 0 ? std::min(std::max(x, -double(clip)), double(clip)) : x;
}

void check_lstm(const step_data& d, recurrent_params p) {
    for (isa level : levels()) {
        std::vector<float> out(size_t(d.rows * d.hidden)), cell = out;
        p.out = out.data();
        p.cell_out = cell.data();
        run_recurrent(kernels_for(level).recurrent.lstm, p, d.rows);
        for (int64_t r = 0; r < d.rows; ++r)
            for (int64_t i = 0; i < d.hidden; ++i) {
                const size_t at = size_t(r * d.hidden + i);
                const double c0 = double(d.cell[at]);
                const auto peep = [&](int gate) {
                    return p.peephole ? double(d.peephole[size_t(gate * d.hidden + i)]) : 0;
                };
                const double in = apply(p.first, clipped(d.pre(p, r, 0, i) + peep(0) * c0, p.clip));
                const double keep =
                    p.input_forget
                        ? 1 - in
                        : apply(p.first, clipped(d.pre(p, r, 2, i) + peep(2) * c0, p.clip));
                const double c =
                    keep * c0 + in * apply(p.second, clipped(d.pre(p, r, 3, i), p.clip));
                const double o = apply(p.first, clipped(d.pre(p, r, 1, i) + peep(1) * c, p.clip));
                ASSERT_NEAR(double(cell[at]), c, 2e-6 * std::max(1.0, std::abs(c)))
                    << to_string(level);
                const double want = o * apply(p.third, c);
                ASSERT_NEAR(double(out[at]), want, 4e-6 * std::max(1.0, std::abs(want)))
                    << to_string(level);
            }
    }
}

TEST(kernels_recurrent, lstm) {
    for (int64_t hidden : {1, 3, 4, 8, 15, 16, 17, 64, 100})
        for (bool all : {false, true})
            for (float clip : {0.0f, 1.5f}) {
                const step_data d(3, hidden);
                auto p = d.params(all, clip);
                check_lstm(d, p);
                p.input_forget = true;
                check_lstm(d, p);
            }
    const step_data d(40, 200);
    check_lstm(d, d.params(true, 0));
}

TEST(kernels_recurrent, every_activation) {
    const step_data d(2, 37);
    for (const auto& a : every_activation) {
        auto p = d.params(true, 0);
        p.first = a;
        for (isa level : levels()) {
            std::vector<float> out(size_t(d.rows * d.hidden));
            p.out = out.data();
            run_recurrent(kernels_for(level).recurrent.rnn, p, d.rows);
            for (int64_t r = 0; r < d.rows; ++r)
                for (int64_t i = 0; i < d.hidden; ++i) {
                    const double want = apply(a, d.pre(p, r, 0, i));
                    ASSERT_NEAR(double(out[size_t(r * d.hidden + i)]), want, 1e-5) << int(a.kind);
                }
        }
        auto q = d.params(true, 0);
        q.second = q.third = a;
        check_lstm(d, q);
    }
}

TEST(kernels_recurrent, gru) {
    for (int64_t hidden : {1, 5, 16, 33})
        for (bool all : {false, true})
            for (float clip : {0.0f, 1.0f}) {
                const step_data d(3, hidden);
                auto p = d.params(all, clip);
                for (isa level : levels()) {
                    const auto& k = kernels_for(level).recurrent;
                    const size_t n = size_t(d.rows * hidden);
                    std::vector<float> linear(n), out(n), update(n), reset(n);
                    p.out = linear.data();
                    run_recurrent(k.gru_linear, p, d.rows);
                    p.update = update.data();
                    p.reset_state = reset.data();
                    run_recurrent(k.gru_gates, p, d.rows);
                    auto q = p;
                    q.out = out.data();
                    run_recurrent(k.gru_output, q,
                                  d.rows); // h[0..hidden) stands for the third product
                    for (int64_t r = 0; r < d.rows; ++r)
                        for (int64_t i = 0; i < hidden; ++i) {
                            const size_t at = size_t(r * hidden + i);
                            const auto gate = [&](int g) {
                                return apply(p.first, clipped(d.pre(p, r, g, i), p.clip));
                            };
                            const double z = gate(0), reset_gate = gate(1),
                                         h0 = double(d.state[at]);
                            const auto h_at = [&](int64_t offset) {
                                return p.h ? double(d.h[size_t(r * p.h_row + offset)]) : 0;
                            };
                            const double from_state = h_at(2 * hidden + i) + d.state_part(p, i);
                            const double input = d.pre(p, r, 2, i) - h_at(2 * hidden + i);
                            const double fresh =
                                apply(p.second, clipped(input + reset_gate * from_state, p.clip));
                            ASSERT_NEAR(double(linear[at]), (1 - z) * fresh + z * h0, 4e-6);
                            ASSERT_NEAR(double(update[at]), z, 2e-6);
                            ASSERT_NEAR(double(reset[at]), reset_gate * h0, 4e-6);
                            const double two = apply(p.second, clipped(input + h_at(i), p.clip));
                            ASSERT_NEAR(double(out[at]), (1 - z) * two + z * h0, 4e-6);
                        }
                }
            }
}

// Steps that multiply by R themselves, in two shares, against steps that are given the product.
void check_blocks(int64_t rows, int64_t hidden, bool all, const activation& f, float clip) {
    for (int64_t gates : {3, 4}) {
        step_data d(rows, hidden);
        const auto r = random_floats(size_t(gates * hidden * hidden), 8, -0.2f, 0.2f);
        auto p = d.params(all, clip);
        p.first = f;
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t j = 0; j < gates * hidden; ++j) {
                double sum = 0;
                for (int64_t k = 0; k < hidden; ++k)
                    sum += double(d.state[size_t(row * hidden + k)]) *
                           double(r[size_t(j * hidden + k)]);
                d.h[size_t(row * p.h_row + j)] = float(sum);
            }
        p.h = d.h.data();
        for (isa level : levels()) {
            const auto& table = kernels_for(level).recurrent;
            const size_t n = size_t(rows * hidden);
            std::vector<float> want(n), want_cell(n), out(n), cell = d.cell;
            auto given = p;
            given.out = want.data();
            given.cell_out = want_cell.data();
            run_recurrent(gates == 4 ? table.lstm : table.gru_linear, given, rows);

            const int64_t units = table.block_units(rows), blocks = (hidden + units - 1) / units;
            const size_t floats = size_t(blocks * units * gates * hidden);
            std::vector<float> packed(floats + 16, -77);
            const recurrent_weights w{r.data(), gates, hidden, rows};
            table.pack_blocks(w, packed.data(), 0, blocks / 2);
            table.pack_blocks(w, packed.data(), blocks / 2, blocks);
            ASSERT_EQ(packed[floats], -77);
            auto own = p;
            own.h = nullptr;
            own.r = packed.data();
            own.out = out.data();
            own.cell = own.cell_out = cell.data();
            const auto step = gates == 4 ? table.lstm_blocks : table.gru_linear_blocks;
            step(own, rows, {0, blocks / 3, false});
            step(own, rows, {blocks / 3, blocks, true});
            for (size_t i = 0; i < n; ++i) {
                ASSERT_NEAR(out[i], want[i], 1e-5) << to_string(level) << " gates " << gates
                                                   << " rows " << rows << " hidden " << hidden;
                if (gates == 4) {
                    ASSERT_NEAR(cell[i], want_cell[i], 2e-5) << to_string(level);
                }
            }
        }
    }
}

TEST(kernels_recurrent, blocks) {
    const activation sigmoid{activation_kind::sigmoid, 0, 0};
    for (int64_t hidden : {1, 5, 16, 33, 64, 100})
        for (int64_t rows : {1, 2, 3, 4, 5, 6, 7, 13})
            check_blocks(rows, hidden, rows % 2 == 0, sigmoid, 0);
    for (int64_t rows : {1, 3}) {
        check_blocks(rows, 49, true, sigmoid, 0.7f);
        check_blocks(rows, 49, false, {activation_kind::hard_sigmoid, 0.2f, 0.5f}, 0);
    }
}

} // namespace
