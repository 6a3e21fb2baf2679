// SPDX-License-Identifier: MIT
// rnn, gru, lstm: the hidden states. rnn_all, gru_all: (hidden states, last hidden state),
// lstm_all: those and the last cell state. rnn_last_hs_output and rnn_last_cell_output mark the
// last states of the layer they are applied to; they are replaced by members of its `_all` form
// before evaluation.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/recurrent.hpp"

#include <migraphx/make_op.hpp>

namespace migraphx {

namespace {

constexpr const char* recurrent_names[][2] = {
    {"rnn", "rnn_all"}, {"gru", "gru_all"}, {"lstm", "lstm_all"}};

std::vector<operation> default_activations(recurrent_kind kind) {
    const auto sigmoid = make_op("sigmoid"), tanh = make_op("tanh");
    switch (kind) {
    case recurrent_kind::rnn:
        return {tanh, tanh};
    case recurrent_kind::gru:
        return {sigmoid, tanh};
    case recurrent_kind::lstm:
        break;
    }
    return {sigmoid, tanh, tanh};
}

// No activations stand for the default ones: when operators are registered, those of other files
// may not be known yet.
template <recurrent_kind Kind, bool All>
struct recurrent_op : recurrent_attributes {
    static constexpr auto name = recurrent_names[static_cast<int>(Kind)][All];
    static constexpr auto summary = All ? "Recurrent layer: all hidden states and the last states"
                                        : "Recurrent layer: all hidden states";
    static void fields(field_list<recurrent_op>& f) {
        using a = recurrent_attributes;
        f.add("hidden_size", &a::hidden_size, "size of a hidden state");
        auto& functions = f.add("actv_func", &a::actv_func, "activations, for each direction");
        functions.get = [](const void* self) {
            return to_value(static_cast<const recurrent_op*>(self)->with_defaults().actv_func);
        };
        f.choice("direction", &a::direction, "which way the sequence is read",
                 {"forward", "reverse", "bidirectional"});
        f.add("clip", &a::clip, "bound of the gates before their activations; 0: none");
        if (Kind == recurrent_kind::gru)
            f.add("linear_before_reset", &a::linear_before_reset,
                  "the reset gate acts after the product with R");
        if (Kind == recurrent_kind::lstm)
            f.add("input_forget", &a::input_forget, "the forget gate is 1 - the input gate");
    }

    recurrent_attributes with_defaults() const {
        recurrent_attributes result = *this;
        if (result.actv_func.empty())
            result.actv_func = default_activations(Kind);
        return result;
    }
    shape infer(const std::vector<shape>& in) const {
        const auto all = recurrent_shape(Kind, with_defaults(), in);
        return All ? all : all.sub_shapes()[0];
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        auto all = recurrent_compute(Kind, with_defaults(), in);
        return All ? all : all.get_sub_objects()[0];
    }
};

const registered_op<recurrent_op<recurrent_kind::rnn, false>> rnn_registered;
const registered_op<recurrent_op<recurrent_kind::rnn, true>> rnn_all_registered;
const registered_op<recurrent_op<recurrent_kind::gru, false>> gru_registered;
const registered_op<recurrent_op<recurrent_kind::gru, true>> gru_all_registered;
const registered_op<recurrent_op<recurrent_kind::lstm, false>> lstm_registered;
const registered_op<recurrent_op<recurrent_kind::lstm, true>> lstm_all_registered;

template <bool Cell>
struct rnn_last_op {
    static constexpr auto name = Cell ? "rnn_last_cell_output" : "rnn_last_hs_output";
    static constexpr auto summary = Cell ? "Marks the last cell state of an lstm"
                                         : "Marks the last hidden state of a recurrent layer";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).rank(4);
        const auto& x = in[0];
        if (x.dynamic())
            return {x.type(), std::vector<shape::dynamic_dimension>(x.dyn_dims().begin() + 1,
                                                                    x.dyn_dims().end())};
        return {x.type(), std::vector<std::size_t>(x.lens().begin() + 1, x.lens().end())};
    }
};

const registered_op<rnn_last_op<false>> rnn_last_hs_registered;
const registered_op<rnn_last_op<true>> rnn_last_cell_registered;

} // namespace

} // namespace migraphx
