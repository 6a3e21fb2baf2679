// SPDX-License-Identifier: MIT
// From the form of a nest to its function: emit_kernel.cpp (the loops), emit_memory.cpp (loads and
// stores), emit_ops.cpp (operators), emit_folds.cpp (values of rows).
#pragma once

#include "targets/cpu/jit/form.hpp"
#include "targets/cpu/jit/llvm/ir.hpp"

#include <vector>

namespace migraphx::cpu::jit {

// Up to one vector of iterations.
struct window {
    std::vector<value> at;   // address of each stream for the first lane
    value count = nullptr;   // i64, lanes in use; null: all
    value mask = nullptr;    // the same as i1 lanes
};

class nest_emitter {
public:
    nest_emitter(ir& builder, const jit_form& form)
        : b(builder), f(form), width(builder.lanes()), held(form.graph.nodes.size(), nullptr) {}

    void run();

private:
    ir& b;
    const jit_form& f;
    int width;
    value constants = nullptr;
    value helpers = nullptr;
    std::vector<value> col_steps;   // of streams with a stride of their own; else null
    std::vector<value> lane_offset; // of the same streams: bytes of each lane
    std::vector<value> held;        // values of nodes that do not change with the iteration
    std::vector<int> folds;         // numbers of the stores that are

    // Loops.
    std::vector<value> load_table(int64_t field);
    std::vector<value> gathered_rows(std::vector<value> rows) const;
    void emit_fixed(vm_rate rate, const std::vector<value>& rows);
    void emit_columns(const std::vector<value>& rows, value cols);
    std::vector<value> emit_windows(const std::vector<window>& windows,
                                    std::vector<value> accumulators);
    window window_at(const std::vector<value>& rows, value column, int64_t further) const;

    // Folds: `vectors` accumulators of each, one after the other.
    const vm_store& fold_store(int k) const { return f.graph.stores[std::size_t(k)]; }
    elem fold_elem(int k) const { return elem_of(node(fold_store(k).node).cls); }
    value fold_start(int k);
    value join_values(int k, value x, value accumulator);
    value fold_in(int k, value x, value accumulator, value mask);
    std::vector<value> fold_starts();
    std::vector<value> join_folds();
    void flow_folds(const std::vector<value>& phis, const std::vector<value>& values, block from);
    void end_folds(const std::vector<value>& accumulators, const std::vector<value>& rows);

    // Memory.
    const vm_node& node(int id) const { return f.graph.nodes[std::size_t(id)]; }
    const jit_stream& stream(int s) const { return f.streams[std::size_t(s)]; }
    bool by_helper(vm_type t) const;
    bool can_mask(vm_type t) const;
    bool can_gather(vm_type t) const;
    value load_elements(int s, const window& w);
    value load_by_copy(int s, const window& w);
    value load(int id, const window& w, bool one);
    value load_by_helper(int id, const window& w, bool one);
    value widen(value elements, vm_type t, vm_class cls);
    value narrow(value v, const vm_store& st, vm_type t);
    value saturate(value v, vm_type t);
    void store(int k, value v, const window& w);
    void store_elements(int s, value elements, const window& w);
    void copy_elements(vm_type t, value to, value to_step, value from, value from_step,
                       value count);

    // Operators.
    value evaluate(int id, const std::vector<value>& values);
    value chain(const vm_node& v, const std::vector<value>& values);
    value math(int id, const std::vector<value>& values);
    value wide(int id, const std::vector<value>& values);
    value wide_f64(vm_wide op, const std::vector<value>& x);
    value wide_i64(vm_wide op, const std::vector<value>& x);
    value wrap(value x, elem to, bool is_signed);
    value cast(vm_cast c, value x);
    value by_call(int id, const std::vector<value>& values);
    value helper(int64_t index);
    value constant(int id);
    elem elem_of(vm_class c) const {
        return c == vm_class::f32 ? elem::f32 : c == vm_class::f64 ? elem::f64 : elem::i64;
    }
};

elem memory_elem(vm_type t);

} // namespace migraphx::cpu::jit
