// SPDX-License-Identifier: MIT
// The loops of a kernel: rows, then columns a few vectors at a time, then what is left of a row.

#include "targets/cpu/jit/llvm/emit.hpp"

#include "targets/cpu/jit/abi.hpp"
#include "targets/cpu/jit/llvm/symbolic_vec.hpp"

#include <algorithm>
#include <cstddef>

namespace migraphx::cpu::jit {

std::vector<value> nest_emitter::load_table(int64_t field) {
    const value table = b.load_pointer(b.argument(), field);
    std::vector<value> entries;
    for (std::size_t s = 0; s < f.streams.size(); ++s)
        entries.push_back(field == int64_t(offsetof(jit_call, begins))
                              ? b.load_pointer(table, int64_t(8 * s))
                              : b.load_scalar(elem::i64, table, int64_t(8 * s)));
    return entries;
}

void nest_emitter::run() {
    vec::target = &b;
    const std::vector<value> begins = load_table(offsetof(jit_call, begins));
    const std::vector<value> row_steps = load_table(offsetof(jit_call, row_steps));
    col_steps = load_table(offsetof(jit_call, col_steps));
    lane_offset.resize(f.streams.size());
    for (std::size_t s = 0; s < f.streams.size(); ++s)
        if (f.streams[s].stride == jit_stride::other)
            lane_offset[s] = b.apply(binary::mul, b.lane_numbers(elem::i64, width),
                                     b.splat(col_steps[s], width));
    constants = b.load_pointer(b.argument(), offsetof(jit_call, constants));
    helpers = b.load_pointer(b.argument(), offsetof(jit_call, helpers));
    const value rows = b.load_scalar(elem::i64, b.argument(), offsetof(jit_call, rows));
    const value cols = b.load_scalar(elem::i64, b.argument(), offsetof(jit_call, cols));
    for (std::size_t k = 0; k < f.graph.stores.size(); ++k)
        if (f.graph.stores[k].folds != nullptr)
            folds.push_back(int(k));
    emit_fixed(vm_rate::once, begins);

    const block before = b.current();
    const block row = b.add_block("row");
    const block done = b.add_block("done");
    b.jump(row);
    b.enter(row);
    const value r = b.join_point(elem::i64, false, 0);
    b.flow_in(r, b.integer(elem::i64, 0), before);
    std::vector<value> at;
    for (std::size_t s = 0; s < begins.size(); ++s) {
        at.push_back(b.join_point(elem::i64, true, 0));
        b.flow_in(at[s], begins[s], before);
    }
    const std::vector<value> found = gathered_rows(at);
    emit_fixed(vm_rate::per_row, found);
    emit_columns(found, cols);
    const block latch = b.current();
    const value next = b.apply(binary::add, r, b.integer(elem::i64, 1));
    b.flow_in(r, next, latch);
    for (std::size_t s = 0; s < begins.size(); ++s)
        b.flow_in(at[s], b.advance(at[s], row_steps[s]), latch);
    b.branch(b.apply(compare::slt, next, rows), row, done);
    b.enter(done);
    b.finish();
    vec::target = nullptr;
}

// Rows of streams with a table begin where it says.
std::vector<value> nest_emitter::gathered_rows(std::vector<value> rows) const {
    for (std::size_t s = 0; s < rows.size(); ++s)
        if (f.streams[s].table >= 0)
            rows[s] = b.advance(
                rows[s], b.load_scalar(elem::i64, rows[std::size_t(f.streams[s].table)], 0));
    return rows;
}

// Nodes that change with each row at most, in order.
void nest_emitter::emit_fixed(vm_rate rate, const std::vector<value>& rows) {
    window w;
    w.at = rows;
    for (std::size_t id = 0; id < held.size(); ++id) {
        const vm_node& v = f.graph.nodes[id];
        if (v.rate != rate)
            continue;
        if (v.what == vm_node::kind::constant)
            held[id] = constant(int(id));
        else if (v.what == vm_node::kind::load)
            held[id] = load(int(id), w, true);
        else
            held[id] = evaluate(int(id), held);
    }
}

window nest_emitter::window_at(const std::vector<value>& rows, value column,
                               int64_t further) const {
    window w;
    for (std::size_t s = 0; s < rows.size(); ++s) {
        const jit_stream& st = f.streams[s];
        if (st.stride == jit_stride::none) {
            w.at.push_back(rows[s]);
            continue;
        }
        const value step = st.stride == jit_stride::unit
                               ? b.integer(elem::i64, vm_type_size(st.type))
                               : col_steps[s];
        const value here = b.advance(rows[s], b.apply(binary::mul, column, step));
        w.at.push_back(further == 0
                           ? here
                           : b.advance(here, b.apply(binary::mul, step,
                                                     b.integer(elem::i64, further))));
    }
    return w;
}

void nest_emitter::emit_columns(const std::vector<value>& rows, value cols) {
    const int vectors = f.vectors;
    const value zero = b.integer(elem::i64, 0);
    const value step = b.integer(elem::i64, vectors * width);
    const block before = b.current();
    const block whole = b.add_block("columns");
    const block rest = b.add_block("rest");
    const block part = b.add_block("part");
    const block end = b.add_block("row_end");
    b.branch(b.apply(compare::slt, cols, step), rest, whole);

    b.enter(whole);
    const value column = b.join_point(elem::i64, false, 0);
    b.flow_in(column, zero, before);
    // Accumulators as they are where control comes from several sides.
    const std::vector<value> begun = fold_starts();
    const std::vector<value> rounds = join_folds();
    flow_folds(rounds, begun, before);
    std::vector<window> windows;
    for (int k = 0; k < vectors; ++k)
        windows.push_back(window_at(rows, column, k * width));
    const std::vector<value> round = emit_windows(windows, rounds);
    const value next = b.apply(binary::add, column, step);
    b.flow_in(column, next, b.current());
    const block whole_end = b.current();
    flow_folds(rounds, round, whole_end);
    const value after_next = b.apply(binary::add, next, step);
    b.branch(b.apply(compare::sgt, after_next, cols), rest, whole);

    b.enter(rest);
    const value left = b.join_point(elem::i64, false, 0);
    b.flow_in(left, zero, before);
    b.flow_in(left, next, whole_end);
    const std::vector<value> rounded = join_folds();
    flow_folds(rounded, begun, before);
    flow_folds(rounded, round, whole_end);
    b.branch(b.apply(compare::slt, left, cols), part, end);

    b.enter(part);
    const value at = b.join_point(elem::i64, false, 0);
    b.flow_in(at, left, rest);
    const std::vector<value> partly = join_folds();
    flow_folds(partly, rounded, rest);
    window w = window_at(rows, at, 0);
    const value remaining = b.apply(binary::sub, cols, at);
    const value full = b.integer(elem::i64, width);
    w.count = b.select(b.apply(compare::slt, remaining, full), remaining, full);
    w.mask = b.apply(compare::ult, b.lane_numbers(elem::i32, width),
                     b.splat(b.convert(change::trunc, w.count, elem::i32), width));
    const std::vector<value> parted = emit_windows({w}, partly);
    const value after = b.apply(binary::add, at, full);
    b.flow_in(at, after, b.current());
    flow_folds(partly, parted, b.current());
    const block part_end = b.current();
    b.branch(b.apply(compare::slt, after, cols), part, end);
    b.enter(end);
    const std::vector<value> folded = join_folds();
    flow_folds(folded, rounded, rest);
    flow_folds(folded, parted, part_end);
    end_folds(folded, rows);
}

// All loads come before all stores: an output may be the memory of an input. Gives the accumulators
// with the windows' values in them.
std::vector<value> nest_emitter::emit_windows(const std::vector<window>& windows,
                                              std::vector<value> accumulators) {
    std::vector<std::vector<value>> values(windows.size(), held);
    for (std::size_t k = 0; k < windows.size(); ++k)
        for (std::size_t id = 0; id < held.size(); ++id) {
            const vm_node& v = f.graph.nodes[id];
            if (v.rate != vm_rate::per_element)
                continue;
            values[k][id] = v.what == vm_node::kind::load ? load(int(id), windows[k], false)
                                                          : evaluate(int(id), values[k]);
        }
    for (std::size_t k = 0; k < windows.size(); ++k)
        for (std::size_t o = 0; o < f.graph.stores.size(); ++o)
            if (f.graph.stores[o].folds == nullptr)
                store(int(o), values[k][std::size_t(f.graph.stores[o].node)], windows[k]);
    for (std::size_t k = 0; k < windows.size(); ++k)
        for (std::size_t i = 0; i < folds.size(); ++i) {
            value& a = accumulators[i * std::size_t(f.vectors) + k];
            a = fold_in(folds[i], values[k][std::size_t(fold_store(folds[i]).node)], a,
                        windows[k].mask);
        }
    return accumulators;
}

} // namespace migraphx::cpu::jit
