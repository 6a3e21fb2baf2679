// SPDX-License-Identifier: MIT
// Folds of one level are done in one pass over the row. Registers of elements that later passes
// use again are held; where a row is too long for that, each pass computes them anew.
#include "targets/gpu/lower/row_kernel.hpp"

#include "targets/gpu/lower/code_text.hpp"
#include "targets/gpu/lower/fold_text.hpp"
#include "targets/gpu/lower/row_form.hpp"
#include "targets/gpu/lower/walk_text.hpp"

#include "codegen/device_text.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

namespace {

using codegen::fold;
using codegen::nest_access;
using codegen::nest_operand;
using codegen::row_nest;
using codegen::row_op;

std::string number(int64_t x) {
    return std::to_string(x);
}

std::string reg(int r) {
    return "v" + number(r);
}

// What one launch does: passes up to `last`; those before `first` are done already.
struct stage {
    int first = 0, last = 0;
    bool results = true; ///< stores the outputs, else the parts of the last pass's folds
};

class row_emitter {
public:
    row_emitter(const row_nest& nest, const row_form& form)
        : n(nest), f(form), is_element(nest.of_elements()), level(nest.levels()),
          params(is_wide(nest)) {
        for (std::size_t i = 0; i < n.inputs.size(); i++)
            inputs.push_back({"x" + number(int64_t(i)), &n.inputs[i]});
        for (std::size_t i = 0; i < n.outputs.size(); i++)
            outputs.push_back({"y" + number(int64_t(i)), &n.outputs[i].access});
        for (std::size_t i = 0; i < n.body.size(); i++)
            if (n.body[i].how) {
                passes = std::max(passes, level[n.inputs.size() + i]);
                place_partials(int(n.inputs.size() + i));
            }
        kept = {"k", n.kept, 0, f.columns ? f.vector : 1, true};
        row = {"j", n.reduced, n.kept.size(), f.columns ? 1 : f.vector};
        declare_sizes();
    }

    std::vector<generated> stages(const std::string& label, bool fast_math) {
        std::vector<stage> list;
        if (f.parts == 1)
            list.push_back({0, passes, true});
        else
            for (int s = 0; s <= passes; s++)
                list.push_back({s, s, s == passes});
        for (std::size_t s = 0; s < list.size(); s++)
            emit_stage(list[s], s);
        const auto source = source_head("reduce.cuh", fast_math, n.outputs) + params.declaration() +
                            code.str() + "} // namespace mgx\n";
        std::vector<generated> result;
        for (std::size_t s = 0; s < list.size(); s++) {
            generated g;
            g.name = label;
            g.source = source;
            g.entry = "rows" + number(int64_t(s));
            g.launch.grid.x = uint32_t((lines_of(n, f) + f.across - 1) / f.across);
            const bool parts = not list[s].results or has_element_outputs();
            g.launch.grid.y = uint32_t(parts ? f.parts : 1);
            g.launch.block.x = uint32_t(f.threads());
            g.params = params.data();
            g.scratch = scratch;
            g.writes_over = f.held and f.parts == 1 and
                            std::all_of(n.inputs.begin(), n.inputs.end(),
                                        [](const auto& a) { return a.by_strides(); });
            result.push_back(std::move(g));
        }
        return result;
    }

private:
    static std::vector<int64_t> all_dims(const row_nest& n) {
        auto dims = n.kept;
        dims.insert(dims.end(), n.reduced.begin(), n.reduced.end());
        return dims;
    }
    static bool is_wide(const row_nest& n) { return needs_wide_index(all_dims(n), accesses_of(n)); }

    // ---- facts

    bool is_input(int r) const { return r < int(n.inputs.size()); }
    const row_op& op_of(int r) const { return n.body[std::size_t(r) - n.inputs.size()]; }
    bool element(int r) const { return is_element[std::size_t(r)]; }
    bool is_element_output(const codegen::nest_output& o) const {
        for (std::size_t d = 0; d < n.reduced.size(); d++)
            if (n.reduced[d] > 1 and o.access.strides[n.kept.size() + d] != 0)
                return true;
        return false;
    }
    bool has_element_outputs() const {
        return std::any_of(n.outputs.begin(), n.outputs.end(),
                           [&](const auto& o) { return is_element_output(o); });
    }
    std::string held_type(int r) const { return codegen::held_type(n.reg_type(r)); }
    fold_text fold_of(int r) const {
        return text_of(*op_of(r).how, n.reg_type(op_of(r).op.operands.front().number));
    }
    std::vector<int> folds_of_pass(int pass) const {
        std::vector<int> result;
        for (int r = int(n.inputs.size()); r < n.registers(); r++)
            if (op_of(r).how and level[std::size_t(r)] == pass + 1)
                result.push_back(r);
        return result;
    }
    std::string run_of(const walked& a) const {
        if (f.vector == 1)
            return "run::unit, false";
        const auto dim = vector_dim(n, f);
        return std::string(run_kind(a.access->strides[dim], vector_dim_length(n, f))) +
               (stays_aligned(*a.access, all_dims(n), dim, f.vector) ? ", Wide" : ", false");
    }
    bool is_strided_run(const walked& a) const {
        return f.vector > 1 and run_of(a).find("strided") != std::string::npos;
    }
    std::string run_stride(const walked& a) const {
        return is_strided_run(a) ? "p.run_" + a.name : "Index(1)";
    }
    std::string vector_of(const std::string& type) const {
        return "vec<" + type + ", " + number(f.vector) + ">";
    }

    // ---- sizes and scratch

    void place_partials(int r) {
        if (f.parts == 1)
            return;
        constexpr std::size_t line = 256;
        partial_at.resize(std::size_t(n.registers()), 0);
        partial_at[std::size_t(r)] = scratch;
        const auto bytes =
            std::size_t(n.rows() * f.parts) * accumulator_bytes(n, op_of(r), is_wide(n));
        scratch += (bytes + line - 1) / line * line;
    }
    void declare_sizes() {
        params.add("lines", lines_of(n, f));
        params.add("items", items_of(n, f));
        params.add("length", n.row_length());
        if (f.parts > 1) {
            const auto step = int64_t{f.lanes} * f.chunk;
            const auto steps = (items_of(n, f) + step - 1) / step;
            params.add("parts", f.parts);
            params.add("part", (steps + f.parts - 1) / f.parts * step);
            params.add("rows", n.rows());
            for (int r = int(n.inputs.size()); r < n.registers(); r++)
                if (op_of(r).how)
                    params.add("partials" + number(r), int64_t(partial_at[std::size_t(r)]));
        }
        declare_walk(kept, all_accesses(), params);
        declare_walk(row, element_accesses(), params);
        for (const auto& a : all_accesses())
            if (is_strided_run(a))
                params.add("run_" + a.name, a.access->strides[vector_dim(n, f)]);
    }
    std::vector<walked> all_accesses() const {
        auto all = inputs;
        all.insert(all.end(), outputs.begin(), outputs.end());
        return all;
    }
    std::vector<walked> element_accesses() const {
        std::vector<walked> result;
        for (std::size_t i = 0; i < inputs.size(); i++)
            if (element(int(i)))
                result.push_back(inputs[i]);
        for (std::size_t i = 0; i < outputs.size(); i++)
            if (is_element_output(n.outputs[i]))
                result.push_back(outputs[i]);
        return result;
    }

    // ---- the frame of a launch

    std::string parameters() const {
        return pointer_parameters(inputs, outputs) + (f.parts > 1 ? "u8* scratch, " : "") +
               "const sizes p";
    }
    std::string arguments() const {
        std::string text;
        for (const auto& a : all_accesses())
            text += a.name + ", ";
        return text + (f.parts > 1 ? "scratch, " : "") + "p";
    }
    std::string alignment() const {
        std::string all;
        for (const auto& a : all_accesses())
            if (run_of(a) == "run::unit, Wide")
                all += (all.empty() ? "is_aligned<" : " && is_aligned<") + number(f.vector) + ">(" +
                       a.name + ")";
        return all;
    }

    void emit_stage(const stage& s, std::size_t index) {
        const auto name = number(int64_t(index));
        const auto aligned = alignment();
        code.line("template <bool Wide>");
        code.open("MGX_DEVICE void stage" + name + "(" + parameters() + ")");
        emit_frame();
        computed.assign(std::size_t(n.registers()), false);
        loaded.assign(n.inputs.size(), false);
        slots = 0;
        plan_holding(s);
        emit_row_inputs();
        for (int pass = 0; pass <= s.last; pass++) {
            emit_row_operators(pass);
            if (pass < s.first)
                for (int r : folds_of_pass(pass))
                    emit_combined(r);
            else if (pass < passes)
                emit_folds(pass, not s.results);
        }
        if (s.results)
            emit_results();
        code.close();
        code.open("MGX_KERNEL_BOUNDS(" + number(f.threads()) + ") void rows" + name + "(" +
                  parameters() + ")");
        if (not aligned.empty()) {
            code.line("if (" + aligned + ")");
            code.line("    stage" + name + "<true>(" + arguments() + ");");
            code.line("else");
            code.line("    stage" + name + "<false>(" + arguments() + ");");
        } else {
            code.line("stage" + name + "<false>(" + arguments() + ");");
        }
        code.close();
    }

    void emit_frame() {
        const auto lanes = number(f.lanes), across = number(f.across);
        if (f.columns) {
            code.line("const Index lane = threadIdx.x / " + across + ";");
            code.line("const Index own = Index(blockIdx.x) * " + across + " + threadIdx.x % " +
                      across + ";");
        } else {
            code.line("const Index lane = threadIdx.x % " + lanes + ";");
            code.line("const Index own = Index(blockIdx.x) * " + across + " + threadIdx.x / " +
                      lanes + ";");
        }
        // Threads without a line of their own follow the first one; they take part in exchanges.
        code.line("const bool on = own < p.lines;");
        code.line("const Index line = on ? own : 0;");
        if (f.parts > 1) {
            code.line("const Index begin = blockIdx.y * p.part;");
            code.line("const Index end = begin + p.part < p.items ? begin + p.part : p.items;");
        } else {
            code.line("const Index end = p.items;");
        }
        emit_offsets(kept, "line", all_accesses(), code);
    }

    // Values of the row are scalars; of columns, vectors, of which loops over e take one.
    void emit_row_value(int r, const std::string& expression) {
        if (not f.columns)
            return code.line("const " + held_type(r) + " " + reg(r) + " = " + expression + ";");
        code.line(vector_of(held_type(r)) + " c" + number(r) + ";");
        code.unrolled("e", f.vector);
        for (int used : row_operands(r))
            take_row_value(used);
        code.line("c" + number(r) + "[e] = " + expression + ";");
        code.close();
    }
    void take_row_value(int r) {
        code.line("const " + held_type(r) + " " + reg(r) + " = c" + number(r) + "[e];");
    }
    std::vector<int> row_operands(int r) const {
        std::vector<int> result;
        if (not is_input(r) and not op_of(r).how)
            for (const auto& o : op_of(r).op.operands)
                if (o.is_reg() and not element(o.number) and
                    std::find(result.begin(), result.end(), o.number) == result.end())
                    result.push_back(o.number);
        return result;
    }
    std::string expression(int r) const {
        return codegen::expression(
            op_of(r).op, [&](int x) { return n.reg_type(x); }, reg);
    }

    void emit_row_inputs() {
        for (std::size_t i = 0; i < inputs.size(); i++) {
            if (element(int(i)))
                continue;
            const auto& a = inputs[i];
            const auto at = a.name + " + " + offset_name(kept, a.name);
            if (f.columns) {
                code.line("const auto a" + a.name + " = load_run<" + number(f.vector) + ", " +
                          run_of(a) + ">(" + at + ", " + run_stride(a) + ");");
                emit_row_value(int(i), "value(a" + a.name + "[e])");
            } else {
                emit_row_value(int(i), "value(" + a.name + "[" + offset_name(kept, a.name) + "])");
            }
        }
    }
    void emit_row_operators(int pass) {
        for (int r = int(n.inputs.size()); r < n.registers(); r++)
            if (not element(r) and not op_of(r).how and level[std::size_t(r)] == pass)
                emit_row_value(r, expression(r));
    }

    // ---- passes over the elements

    struct wanted {
        std::vector<int> folds;
        std::vector<std::size_t> stores; ///< outputs of elements
    };

    // Registers of elements to compute for `w`, in order, without those that are held already.
    std::vector<int> needed(const wanted& w, std::vector<int>& used_inputs,
                            std::vector<int>& used_rows) const {
        std::vector<bool> need(std::size_t(n.registers()), false);
        for (int r : w.folds)
            need[std::size_t(op_of(r).op.operands.front().number)] = true;
        for (auto o : w.stores)
            need[std::size_t(n.outputs[o].reg)] = true;
        std::vector<int> ops;
        for (int r = n.registers(); r-- > 0;) {
            if (not need[std::size_t(r)])
                continue;
            if (not element(r))
                used_rows.push_back(r);
            else if (is_input(r))
                used_inputs.push_back(r);
            else {
                ops.push_back(r);
                if (not computed[std::size_t(r)])
                    for (const auto& o : op_of(r).op.operands)
                        if (o.is_reg())
                            need[std::size_t(o.number)] = true;
            }
        }
        std::reverse(ops.begin(), ops.end());
        std::reverse(used_inputs.begin(), used_inputs.end());
        return ops;
    }

    wanted wanted_of_results() const {
        wanted w;
        for (std::size_t i = 0; i < n.outputs.size(); i++)
            if (is_element_output(n.outputs[i]))
                w.stores.push_back(i);
        return w;
    }

    // Runs through the stage's passes to see what a later one uses again.
    void plan_holding(const stage& s) {
        held.assign(std::size_t(n.registers()), false);
        if (not f.held)
            return;
        std::vector<wanted> all;
        for (int pass = s.first; pass < std::min(passes, s.last + 1); pass++)
            all.push_back({folds_of_pass(pass), {}});
        if (s.results)
            all.push_back(wanted_of_results());
        for (const auto& w : all) {
            std::vector<int> in, rows;
            for (int r : needed(w, in, rows)) {
                if (computed[std::size_t(r)])
                    held[std::size_t(r)] = true;
                computed[std::size_t(r)] = true;
            }
        }
        computed.assign(computed.size(), false);
        for (int r = 0; r < n.registers(); r++)
            if (held[std::size_t(r)])
                code.line(vector_of(held_type(r)) + " h" + number(r) + "[" + number(f.chunk) +
                          "];");
        for (std::size_t i = 0; i < inputs.size(); i++)
            if (element(int(i)))
                declare_input(inputs[i]);
        // All loads at once, where they leave registers for the rest.
        constexpr std::size_t most_bytes = 256;
        std::size_t bytes = 0;
        std::vector<int> elements;
        for (std::size_t i = 0; i < inputs.size(); i++)
            if (element(int(i))) {
                bytes += shape(n.inputs[i].type).type_size() * std::size_t(f.vector * f.chunk);
                elements.push_back(int(i));
            }
        if (bytes <= most_bytes)
            early = elements;
    }
    void declare_input(const walked& a) {
        code.line(vector_of(codegen::stored_type(a.access->type)) + " a" + a.name + "[" +
                  number(f.chunk) + "];");
    }

    void emit_loads(const std::vector<int>& which) {
        if (which.empty())
            return;
        std::vector<walked> list;
        for (int i : which)
            list.push_back(inputs[std::size_t(i)]);
        code.unrolled("c", f.chunk);
        open_item();
        emit_offsets(row, "j", list, code);
        for (const auto& a : list)
            code.line("a" + a.name + "[c] = load_run<" + number(f.vector) + ", " + run_of(a) +
                      ">(" + a.name + " + " + offset_name(kept, a.name) + " + " +
                      offset_name(row, a.name) + ", " + run_stride(a) + ");");
        code.close();
        code.close();
    }
    void open_item() {
        code.line("const Index j = " + std::string(f.held ? "" : "base + ") + "c * Index(" +
                  number(f.lanes) + ") + lane;");
        code.open("if (j < end)");
    }

    void emit_elements(const wanted& w) {
        std::vector<int> used_inputs, used_rows;
        const auto ops = needed(w, used_inputs, used_rows);
        if (not f.held)
            code.open("for (Index base = " + std::string(f.parts > 1 ? "begin" : "0") +
                      "; base < end; base += " + number(int64_t{f.lanes} * f.chunk) + ")");
        std::vector<int> to_load;
        auto due = used_inputs;
        if (f.held and not early.empty()) {
            due = early;
            early.clear();
        }
        for (int i : due)
            if (not f.held)
                declare_input(inputs[std::size_t(i)]);
        for (int i : due)
            if (not f.held or not loaded[std::size_t(i)]) {
                to_load.push_back(i);
                loaded[std::size_t(i)] = true;
            }
        emit_loads(to_load);
        code.unrolled("c", f.chunk);
        open_item();
        std::vector<walked> stores;
        for (auto o : w.stores) {
            stores.push_back(outputs[o]);
            code.line(vector_of(codegen::stored_type(n.outputs[o].access.type)) + " r" +
                      outputs[o].name + ";");
        }
        code.unrolled("e", f.vector);
        if (f.columns)
            for (int r : used_rows)
                take_row_value(r);
        for (int i : used_inputs)
            code.line("const " + held_type(i) + " " + reg(i) + " = value(a" +
                      inputs[std::size_t(i)].name + "[c][e]);");
        for (int r : ops) {
            const bool done = computed[std::size_t(r)];
            code.line("const " + held_type(r) + " " + reg(r) + " = " +
                      (done ? "h" + number(r) + "[c][e]" : expression(r)) + ";");
            if (not done and held[std::size_t(r)])
                code.line("h" + number(r) + "[c][e] = " + reg(r) + ";");
        }
        for (int r : w.folds)
            emit_step(r);
        for (auto o : w.stores)
            code.line("r" + outputs[o].name + "[e] = stored<" +
                      codegen::stored_type(n.outputs[o].access.type) + ">(" +
                      reg(n.outputs[o].reg) + ");");
        code.close();
        if (not w.stores.empty()) {
            code.open("if (on)");
            emit_offsets(row, "j", stores, code);
            for (const auto& a : stores)
                code.line("store_run<" + run_of(a) + ">(" + a.name + " + " +
                          offset_name(kept, a.name) + " + " + offset_name(row, a.name) + ", r" +
                          a.name + ", " + run_stride(a) + ");");
            code.close();
        }
        code.close();
        code.close();
        if (not f.held)
            code.close();
        else
            for (int r : ops)
                computed[std::size_t(r)] = true;
    }

    // ---- folds

    std::string accumulator(int r) const { return "f" + number(r) + (f.columns ? "[e]" : ""); }
    void declare_accumulator(int r) {
        const auto t = fold_of(r);
        if (not f.columns)
            return code.line(t.type + " f" + number(r) + " = " + t.identity + ";");
        code.line(vector_of(t.type) + " f" + number(r) + ";");
        code.unrolled("e", f.vector);
        code.line(accumulator(r) + " = " + t.identity + ";");
        code.close();
    }
    void emit_step(int r) {
        const auto t = fold_of(r);
        auto x = reg(op_of(r).op.operands.front().number);
        if (codegen::is_position(*op_of(r).how))
            x = t.type + "{" + x + ", " +
                (f.columns or f.vector == 1 ? "j" : "j * " + number(f.vector) + " + e") + "}";
        code.line(accumulator(r) + " = " + t.op + "(" + accumulator(r) + ", " + x + ");");
    }
    // Over the threads of the row.
    void emit_exchange(int r) {
        const auto t = fold_of(r);
        const auto name = "f" + number(r), slot = number(slots++);
        if (f.columns)
            code.line(name + " = column_reduce<" + number(f.across) + ", " + number(f.lanes) +
                      ", " + slot + ">(" + name + ", " + t.op + ");");
        else
            code.line(name + " = row_reduce<" + number(f.lanes) + ", " + slot + ">(" + name + ", " +
                      t.identity + ", " + t.op + ");");
    }
    void emit_exchange_of_two(int a, int b) {
        const auto x = fold_of(a), y = fold_of(b);
        const auto type = "pair<" + x.type + ", " + y.type + ">", first = "f" + number(a),
                   second = "f" + number(b), both = first + second;
        code.line("const auto " + both + " = row_reduce<" + number(f.lanes) + ", " +
                  number(slots++) + ">(" + type + "{" + first + ", " + second + "}, " + type + "{" +
                  x.identity + ", " + y.identity + "}, pair_op<" + x.functor() + ", " +
                  y.functor() + ">{});");
        code.line(first + " = " + both + ".first;");
        code.line(second + " = " + both + ".second;");
    }
    std::string folded(int r) const {
        const auto how = *op_of(r).how;
        const auto type = n.reg_type(op_of(r).op.operands.front().number);
        const std::string held = codegen::held_type(type);
        auto x = accumulator(r);
        const bool real = codegen::is_float_class(codegen::class_of(type));
        if (codegen::is_position(how))
            return "whole::of(" + x + ".at)";
        if (how == fold::mean)
            x += real ? " / static_cast<" + held + ">(p.length)" : " / " + held + "::of(p.length)";
        if (not real and type != shape::int64_type and type != shape::uint64_type)
            x = std::string("wrapped<") + codegen::stored_type(type) + ">(" + x + ")";
        return x;
    }
    void emit_folds(int pass, bool to_scratch) {
        const auto folds = folds_of_pass(pass);
        if (folds.empty())
            return;
        for (int r : folds)
            declare_accumulator(r);
        emit_elements({folds, {}});
        const bool together = not f.columns and folds.size() == 2;
        if (together)
            emit_exchange_of_two(folds[0], folds[1]);
        for (int r : folds) {
            if (not together)
                emit_exchange(r);
            if (not to_scratch) {
                emit_row_value(r, folded(r));
                continue;
            }
            code.open("if (on && lane == 0)");
            if (f.columns)
                code.unrolled("e", f.vector);
            code.line(partial(r, "blockIdx.y") + " = " + accumulator(r) + ";");
            if (f.columns)
                code.close();
            code.close();
        }
    }
    // The part `s` of this line's fold, in the scratch memory.
    std::string partial(int r, const std::string& s) const {
        const auto line = f.columns ? "line * " + number(f.vector) + " + e" : std::string("line");
        return "reinterpret_cast<" + fold_of(r).type + "*>(scratch + p.partials" + number(r) +
               ")[" + s + " * p.rows + " + line + "]";
    }
    // A fold whose parts an earlier launch left.
    void emit_combined(int r) {
        const auto t = fold_of(r);
        declare_accumulator(r);
        code.open("for (Index s = lane; s < p.parts; s += " + number(f.lanes) + ")");
        if (f.columns)
            code.unrolled("e", f.vector);
        code.line(accumulator(r) + " = " + t.op + "(" + accumulator(r) + ", " + partial(r, "s") +
                  ");");
        if (f.columns)
            code.close();
        code.close();
        emit_exchange(r);
        emit_row_value(r, folded(r));
    }

    // ---- results

    void emit_results() {
        if (const auto w = wanted_of_results(); not w.stores.empty())
            emit_elements(w);
        std::vector<std::size_t> stores;
        for (std::size_t i = 0; i < n.outputs.size(); i++)
            if (not is_element_output(n.outputs[i]))
                stores.push_back(i);
        if (stores.empty())
            return;
        code.open(std::string("if (on && lane == 0") + (f.parts > 1 ? " && blockIdx.y == 0" : "") +
                  ")");
        for (auto o : stores) {
            const auto& a = outputs[o];
            const std::string type = codegen::stored_type(n.outputs[o].access.type);
            const auto r = n.outputs[o].reg;
            if (f.columns) {
                code.line(vector_of(type) + " r" + a.name + ";");
                code.unrolled("e", f.vector);
                take_row_value(r);
                code.line("r" + a.name + "[e] = stored<" + type + ">(" + reg(r) + ");");
                code.close();
                code.line("store_run<" + run_of(a) + ">(" + a.name + " + " +
                          offset_name(kept, a.name) + ", r" + a.name + ", " + run_stride(a) + ");");
            } else {
                code.line(a.name + "[" + offset_name(kept, a.name) + "] = stored<" + type + ">(" +
                          reg(r) + ");");
            }
        }
        code.close();
    }

    const row_nest& n;
    const row_form& f;
    std::vector<bool> is_element;
    std::vector<int> level;
    index_params params;
    walk kept, row;
    std::vector<walked> inputs, outputs;
    int passes = 0; ///< levels of folds
    std::size_t scratch = 0;
    std::vector<std::size_t> partial_at;
    code_text code;
    // Of the stage that is written: registers of elements already computed, those that stay in
    // registers, inputs already loaded and those to be loaded with the first.
    std::vector<bool> computed, held, loaded;
    std::vector<int> early;
    int slots = 0;
};

} // namespace

std::string row_reads_refusal(const row_nest& given, const device_properties& on) {
    const auto n = simplify(given);
    auto dims = n.kept;
    dims.insert(dims.end(), n.reduced.begin(), n.reduced.end());
    std::vector<std::size_t> fixed;
    for (auto d = n.kept.size(); d < dims.size(); d++)
        fixed.push_back(d);
    if (row_form_of(n, on).columns)
        fixed.push_back(n.kept.size() - 1);
    return reads_refusal(n.inputs, dims, fixed, false);
}

std::vector<generated> row_code(const row_nest& given, const device_properties& on,
                                const std::string& label, bool fast_math) {
    const auto n = simplify(given);
    const auto f = row_form_of(n, on);
    return row_emitter{n, f}.stages(label, fast_math);
}

} // namespace migraphx::gpu
