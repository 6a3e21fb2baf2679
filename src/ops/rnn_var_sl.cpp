// SPDX-License-Identifier: MIT
// Sequences of different lengths in recurrent layers: the state at a sequence's end, and sequences
// moved to the start or to the end of the time axis.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/op/common.hpp>

namespace migraphx {

namespace {

// `lengths` for each batch, checked against the time axis.
std::vector<std::size_t> sequence_lengths(const argument& a, std::size_t batch, std::size_t steps) {
    auto result = read_sizes(a, "sequence lengths");
    if (result.size() != batch)
        fail_shape(str(batch, " sequence lengths were expected, got ", result.size()));
    for (auto n : result)
        if (n > steps)
            fail_shape(str("sequence lengths up to ", steps, " were expected, got ", n));
    return result;
}

bool reads_backward(op::rnn_direction direction, std::size_t d) {
    return direction == op::rnn_direction::reverse or d == 1;
}

const std::vector<std::string> direction_words = {"forward", "reverse", "bidirectional"};

struct rnn_var_sl_last_output {
    op::rnn_direction direction = op::rnn_direction::forward;

    static constexpr auto name = "rnn_var_sl_last_output";
    static constexpr auto summary = "The state at the end of each sequence";
    static void fields(field_list<rnn_var_sl_last_output>& f) {
        f.choice("direction", &rnn_var_sl_last_output::direction, "which way the sequence is read",
                 direction_words);
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).only(0, 1).rank(4);
        const auto& x = in[0];
        if (x.dynamic())
            return {x.type(), std::vector<shape::dynamic_dimension>(x.dyn_dims().begin() + 1,
                                                                    x.dyn_dims().end())};
        return {x.type(), std::vector<std::size_t>(x.lens().begin() + 1, x.lens().end())};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> x(in[0]);
        const auto lengths = sequence_lengths(in[1], x.lens[2], x.lens[0]);
        numbers<double> y(out.get_shape().lens());
        std::vector<std::size_t> i(3, 0);
        for (std::size_t n = 0; n < y.size(); ++n, next_index(i, y.lens)) {
            const auto length = lengths[i[1]];
            const auto t = reads_backward(direction, i[0]) or length == 0 ? 0 : length - 1;
            y[n] = length == 0 ? 0 : x({t, i[0], i[1], i[2]});
        }
        store(out, y.data);
    }
};

struct rnn_var_sl_shift_output {
    std::string output_name = "hidden_states";
    op::rnn_direction direction = op::rnn_direction::forward;

    static constexpr auto name = "rnn_var_sl_shift_output";
    static constexpr auto summary =
        "States moved to the start of the time axis, zero after the end";
    static void fields(field_list<rnn_var_sl_shift_output>& f) {
        f.add("output_name", &rnn_var_sl_shift_output::output_name, "which states these are");
        f.choice("direction", &rnn_var_sl_shift_output::direction, "which way the sequence is read",
                 direction_words);
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).only(0, 1).rank(4);
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> x(in[0]);
        const auto steps = x.lens[0];
        const auto lengths = sequence_lengths(in[1], x.lens[2], steps);
        numbers<double> y(x.lens);
        std::vector<std::size_t> i(4, 0);
        for (std::size_t n = 0; n < y.size(); ++n, next_index(i, y.lens)) {
            const auto length = lengths[i[2]];
            if (i[0] >= length)
                continue;
            const auto t = reads_backward(direction, i[1]) ? i[0] + steps - length : i[0];
            y[n] = x({t, i[1], i[2], i[3]});
        }
        store(out, y.data);
    }
};

struct rnn_var_sl_shift_sequence {
    static constexpr auto name = "rnn_var_sl_shift_sequence";
    static constexpr auto summary = "Sequences moved to the end of the time axis, zero before";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).only(0, 1).rank(3);
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> x(in[0]);
        const auto steps = x.lens[0];
        const auto lengths = sequence_lengths(in[1], x.lens[1], steps);
        numbers<double> y(x.lens);
        std::vector<std::size_t> i(3, 0);
        for (std::size_t n = 0; n < y.size(); ++n, next_index(i, y.lens)) {
            const auto before = steps - lengths[i[1]];
            if (i[0] >= before)
                y[n] = x({i[0] - before, i[1], i[2]});
        }
        store(out, y.data);
    }
};

const registered_op<rnn_var_sl_last_output> rnn_var_sl_last_registered;
const registered_op<rnn_var_sl_shift_output> rnn_var_sl_shift_output_registered;
const registered_op<rnn_var_sl_shift_sequence> rnn_var_sl_shift_sequence_registered;

} // namespace

} // namespace migraphx
