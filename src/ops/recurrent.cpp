// SPDX-License-Identifier: MIT
#include "ops/recurrent.hpp"

#include "ops/expect.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

constexpr std::size_t gate_count(recurrent_kind kind) {
    return kind == recurrent_kind::rnn ? 1 : kind == recurrent_kind::gru ? 3 : 4;
}
constexpr std::size_t activation_count(recurrent_kind kind) {
    return kind == recurrent_kind::rnn ? 1 : kind == recurrent_kind::gru ? 2 : 3;
}

void expect_lens(const std::vector<shape>& in, std::size_t i, const char* what,
                 const std::vector<std::size_t>& wanted) {
    if (not is_absent(in, i) and not in[i].dynamic() and in[i].lens() != wanted)
        fail_shape(str(what, " of dimensions ", wanted, " was expected, got ", in[i]));
}

std::vector<double> load_or_zero(const std::vector<argument>& in, std::size_t i, std::size_t n) {
    return is_absent(in, i) ? std::vector<double>(n, 0.0) : load<double>(in[i]);
}

using activations = std::vector<std::function<double(double)>>;

// Everything of one direction, in pointers to its part of the tensors.
struct recurrent_direction {
    recurrent_kind kind;
    std::size_t inputs, hidden;
    const double *w, *r, *wb, *rb, *peephole;
    activations act;
    double clip;
    bool linear_before_reset, input_forget;

    double activate(std::size_t which, double x) const {
        return act[which](clip > 0 ? std::clamp(x, -clip, clip) : x);
    }
    // Products of n rows of a matrix with a vector, added to `to`.
    static void add_product(double* to, const double* matrix, const double* x, std::size_t n,
                            std::size_t width) {
        for (std::size_t i = 0; i < n; ++i) {
            double sum = 0;
#pragma omp simd reduction(+ : sum)
            for (std::size_t j = 0; j < width; ++j)
                sum += matrix[i * width + j] * x[j];
            to[i] += sum;
        }
    }
    void step(const double* x, std::vector<double>& h, std::vector<double>& c) const {
        const auto n = hidden, gates = gate_count(kind);
        std::vector<double> a(wb, wb + gates * n);
        add_product(a.data(), w, x, gates * n, inputs);
        switch (kind) {
        case recurrent_kind::rnn:
            step_rnn(a, h);
            break;
        case recurrent_kind::gru:
            step_gru(a, h);
            break;
        case recurrent_kind::lstm:
            step_lstm(a, h, c);
            break;
        }
    }
    void step_rnn(std::vector<double>& a, std::vector<double>& h) const {
        add_product(a.data(), r, h.data(), hidden, hidden);
        for (std::size_t i = 0; i < hidden; ++i)
            h[i] = activate(0, a[i] + rb[i]);
    }
    void step_gru(std::vector<double>& a, std::vector<double>& h) const {
        const auto n = hidden;
        add_product(a.data(), r, h.data(), 2 * n, n);
        std::vector<double> z(n), reset(n), candidate(rb + 2 * n, rb + 3 * n), gated(h);
        for (std::size_t i = 0; i < n; ++i) {
            z[i] = activate(0, a[i] + rb[i]);
            reset[i] = activate(0, a[n + i] + rb[n + i]);
            if (not linear_before_reset)
                gated[i] *= reset[i];
        }
        add_product(candidate.data(), r + 2 * n * n, gated.data(), n, n);
        for (std::size_t i = 0; i < n; ++i) {
            const double v = linear_before_reset ? reset[i] * candidate[i] : candidate[i];
            h[i] = (1 - z[i]) * activate(1, a[2 * n + i] + v) + z[i] * h[i];
        }
    }
    void step_lstm(std::vector<double>& a, std::vector<double>& h, std::vector<double>& c) const {
        const auto n = hidden;
        add_product(a.data(), r, h.data(), 4 * n, n);
        for (std::size_t i = 0; i < 4 * n; ++i)
            a[i] += rb[i];
        const double *pi = peephole, *po = peephole + n, *pf = peephole + 2 * n;
        for (std::size_t i = 0; i < n; ++i) {
            const double in = activate(0, a[i] + pi[i] * c[i]);
            const double forget = input_forget ? 1 - in : activate(0, a[2 * n + i] + pf[i] * c[i]);
            c[i] = forget * c[i] + in * activate(1, a[3 * n + i]);
            h[i] = activate(0, a[n + i] + po[i] * c[i]) * act[2](c[i]);
        }
    }
};

} // namespace

shape recurrent_shape(recurrent_kind kind, const recurrent_attributes& attributes,
                      const std::vector<shape>& in) {
    const bool lstm = kind == recurrent_kind::lstm;
    const std::size_t most = lstm ? 8 : 6;
    expect(in).at_least(3).that(in.size() <= most,
                                str("at most ", most, " inputs were expected, got ", in.size()));
    expect(in).only(0, 3).rank(3).same_type().floating();
    expect(in).only(1, 3).static_shapes();
    const std::size_t directions = attributes.direction == op::rnn_direction::bidirectional ? 2 : 1;
    const auto hidden = attributes.hidden_size, rows = gate_count(kind) * hidden;
    const auto& w = in[1].lens();
    expect_lens(in, 2, "R", {directions, rows, hidden});
    expect_lens(in, 1, "W", {directions, rows, w[2]});
    const auto x = dims_of(in[0]);
    if (x[2].is_fixed() and x[2].get_interval().min != w[2])
        fail_shape(str("input of size ", w[2], " was expected, got ", x[2]));
    expect_lens(in, 3, "bias", {directions, 2 * rows});
    if (x[1].is_fixed()) {
        const auto batch = x[1].get_interval().min;
        expect_lens(in, 4, "sequence lengths", {batch});
        expect_lens(in, 5, "initial hidden state", {directions, batch, hidden});
        expect_lens(in, 6, "initial cell state", {directions, batch, hidden});
    }
    expect_lens(in, 7, "peephole weights", {directions, 3 * hidden});
    const auto functions = attributes.actv_func.size(), needed = activation_count(kind);
    if (functions != needed and functions != directions * needed and
        not(kind == recurrent_kind::rnn and functions >= 1))
        fail_shape(str(needed, " activations for each direction were expected, got ", functions));
    for (const auto& f : attributes.actv_func)
        activation_function(f);

    const auto tensor = [&](std::vector<shape::dynamic_dimension> dims) -> shape {
        if (in[0].dynamic())
            return dynamic_shape(in[0], in[0].type(), std::move(dims));
        std::vector<std::size_t> lens;
        for (const auto& d : dims)
            lens.push_back(d.get_interval().min);
        return {in[0].type(), lens};
    };
    std::vector<shape> results{tensor({x[0], {directions, directions}, x[1], {hidden, hidden}})};
    for (int i = 0; i < (lstm ? 2 : 1); ++i)
        results.push_back(tensor({{directions, directions}, x[1], {hidden, hidden}}));
    return shape{results};
}

argument recurrent_compute(recurrent_kind kind, const recurrent_attributes& attributes,
                           const std::vector<argument>& in) {
    auto out = argument::uninitialized(recurrent_shape(kind, attributes, to_shapes(in)));
    const auto& lens = in[0].get_shape().lens();
    const auto steps = lens[0], batch = lens[1], inputs = lens[2], hidden = attributes.hidden_size;
    const auto directions = in[1].get_shape().lens()[0];
    const auto rows = gate_count(kind) * hidden;
    const auto x = load<double>(in[0]), w = load<double>(in[1]), r = load<double>(in[2]);
    const auto bias = load_or_zero(in, 3, directions * 2 * rows);
    const auto states = directions * batch * hidden;
    auto h = load_or_zero(in, 5, states), c = load_or_zero(in, 6, states);
    const auto peephole = load_or_zero(in, 7, directions * 3 * hidden);
    std::vector<int64_t> lengths(batch, static_cast<int64_t>(steps));
    if (not is_absent(in, 4))
        lengths = load<int64_t>(in[4]);
    for (auto n : lengths)
        if (n < 0 or n > static_cast<int64_t>(steps))
            fail_shape(str("sequence lengths from 0 to ", steps, " were expected, got ", n));

    std::vector<double> all(steps * states, 0.0);
    const auto one = [&](std::size_t d, std::size_t b) {
        const bool backward = attributes.direction == op::rnn_direction::reverse or d == 1;
        const auto needed = activation_count(kind);
        recurrent_direction cell{kind,
                                 inputs,
                                 hidden,
                                 w.data() + d * rows * inputs,
                                 r.data() + d * rows * hidden,
                                 bias.data() + d * 2 * rows,
                                 bias.data() + (d * 2 + 1) * rows,
                                 peephole.data() + d * 3 * hidden,
                                 {},
                                 static_cast<double>(attributes.clip),
                                 attributes.linear_before_reset != 0,
                                 attributes.input_forget != 0};
        const auto own = attributes.actv_func.size() >= (d + 1) * needed ? d * needed : 0;
        for (std::size_t i = 0; i < needed; ++i)
            cell.act.push_back(activation_function(attributes.actv_func[own + i]));
        const auto at = (d * batch + b) * hidden;
        const auto to = [&](std::vector<double>& v, std::size_t from) {
            return v.begin() + static_cast<std::ptrdiff_t>(from);
        };
        std::vector<double> hidden_state(to(h, at), to(h, at + hidden));
        std::vector<double> cell_state(to(c, at), to(c, at + hidden));
        const auto length = static_cast<std::size_t>(lengths[b]);
        for (std::size_t s = 0; s < length; ++s) {
            const auto t = backward ? length - 1 - s : s;
            cell.step(x.data() + (t * batch + b) * inputs, hidden_state, cell_state);
            std::copy(hidden_state.begin(), hidden_state.end(), to(all, t * states + at));
        }
        std::copy(hidden_state.begin(), hidden_state.end(), to(h, at));
        std::copy(cell_state.begin(), cell_state.end(), to(c, at));
    };
    parallel_for(static_cast<int64_t>(directions * batch), 1, [&](int64_t begin, int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
            one(i / batch, i % batch);
    });
    const auto results = out.get_sub_objects();
    store(results[0], all);
    store(results[1], h);
    if (kind == recurrent_kind::lstm)
        store(results[2], c);
    return out;
}

} // namespace migraphx
