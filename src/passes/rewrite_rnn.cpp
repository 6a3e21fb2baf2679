// SPDX-License-Identifier: MIT
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/rewrite_rnn.hpp>

#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool is_last_state(instruction_ref ins) {
    return ins->name() == "rnn_last_hs_output" or ins->name() == "rnn_last_cell_output";
}

bool is_recurrent_layer(instruction_ref ins) {
    return ins->name() == "rnn" or ins->name() == "gru" or ins->name() == "lstm";
}

} // namespace

void rewrite_rnn::apply(module& m) const {
    for (auto i = m.begin(); i != m.end();) {
        auto layer = i++;
        if (not is_recurrent_layer(layer))
            continue;
        auto marks = layer->outputs();
        marks.erase(std::remove_if(marks.begin(), marks.end(),
                                   [](instruction_ref x) { return not is_last_state(x); }),
                    marks.end());
        if (marks.empty())
            continue;
        const auto& op = layer->get_operator();
        const auto all = m.insert_instruction(
            layer, make_op_from_value(op.name() + "_all", op.to_value()), layer->inputs());
        for (auto mark : marks) {
            const bool cell = mark->name() == "rnn_last_cell_output";
            if (cell and op.name() != "lstm")
                fail(error_kind::invalid_argument, "rnn_last_cell_output: the hidden states of an "
                                                   "lstm were expected, got those of " +
                                                       op.name());
            m.replace_instruction(mark, make_op("get_tuple_elem", {{"index", cell ? 2 : 1}}), all);
        }
        m.replace_instruction(layer, make_op("get_tuple_elem", {{"index", 0}}), all);
    }
}

namespace {

const registered_pass rewrite_rnn_registered{"rewrite_rnn", [] { return pass{rewrite_rnn{}}; }};

} // namespace

} // namespace migraphx
