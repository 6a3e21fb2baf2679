// SPDX-License-Identifier: MIT
// Loops: While with functions, and those of TensorFlow 1, which are circles of Enter, Merge,
// Switch, NextIteration and Exit round a LoopCond.
#pragma once

#include "import/tf/node_reader.hpp"

#include <functional>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace migraphx::tf {

/// A value that changes from turn to turn.
struct loop_variable {
    const node* merge = nullptr;
    const node* turn = nullptr; ///< the Switch into the body or out
    std::string_view first;     ///< the value before the loop
    std::string_view next;      ///< the value after a turn
    const node* exit = nullptr; ///< its last value, if anybody wants it
};

struct graph_loop {
    std::vector<loop_variable> variables;
    std::vector<const node*> constants; ///< Enter nodes of values that stay
    std::string_view condition;
};

using node_index = std::unordered_map<std::string_view, const node*>;

/// The loops of a graph by their Exit nodes.
class loop_table {
public:
    loop_table(const std::vector<node>& nodes, const node_index& by_name);
    const graph_loop* find(const node& exit) const;

private:
    std::map<std::string_view, graph_loop> loops; // by LoopCond
    std::map<std::string_view, const graph_loop*> by_exit;
};

/// What a loop does with its state, in a module of the caller's choice.
struct loop_parts {
    std::function<instruction_ref(module&, const instructions&)> condition;
    std::function<instructions(module&, const instructions&)> step;
};

/// The last state. A tensor list whose elements had no known shape takes that which the step gives
/// it.
instructions build_loop(const node_reader& n, instructions state, const loop_parts& parts);

/// One element of any type as a scalar of type bool.
instruction_ref condition_of(const node_reader& n, instruction_ref x);
/// The tensors that a tuple holds, or the tensor itself.
instructions parts_of(const node_reader& n, instruction_ref x);
module_ref new_module(const node_reader& n, const std::string& name);
void finish_module(module& m, instructions results);

} // namespace migraphx::tf
