// SPDX-License-Identifier: MIT
#include "codegen/row_stages.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string_view>
#include <utility>

namespace migraphx::codegen {

namespace {

// Costs of an element in units of a simple operator; a value held costs a store and a load.
constexpr double load_cost = 1.5;
constexpr double held_cost = 5;

double cost_of(const nest_op& op) {
    constexpr std::array<std::string_view, 6> free = {"add", "sub", "mul", "max", "min", "neg"};
    constexpr std::array<std::string_view, 8> simple = {"abs",  "relu", "clip", "where",
                                                        "sqrt", "div",  "less", "greater"};
    const std::string_view name = op.name();
    if (std::find(free.begin(), free.end(), name) != free.end() or op.row == nullptr)
        return 1;
    return std::find(simple.begin(), simple.end(), name) != simple.end() ? 2 : 8;
}

fold step_of(fold how) {
    switch (how) {
    case fold::prod:
        return fold::prod;
    case fold::max:
    case fold::any:
        return fold::max;
    case fold::min:
    case fold::all:
        return fold::min;
    default:
        return fold::sum;
    }
}

const char* operator_of(fold step) {
    return step == fold::sum ? "add" : step == fold::prod ? "mul" : name_of(step);
}

class stage_planner {
public:
    stage_planner(const row_nest& from, bool by_columns, int64_t width)
        : n(from), block(width), elements(n.of_elements()), level(n.levels()) {
        plan.columns = by_columns;
        fold_number.assign(std::size_t(n.registers()), -1);
        held_number.assign(fold_number.size(), -1);
        first_stage.assign(fold_number.size(), -1);
        find_folds();
        plan_holding();
    }

    staged_rows run() {
        for (int s = 0; s < stages; s++)
            plan.stages.push_back(write(s));
        if (writes(true))
            plan.stages.push_back(write(stages));
        if (writes(false))
            plan.stages.push_back(write_row_results());
        return std::move(plan);
    }

private:
    const row_nest& n;
    int64_t block;
    std::vector<bool> elements;
    std::vector<int> level;
    staged_rows plan;
    int stages = 0;               // with folds
    std::vector<int> fold_number; // by register
    std::vector<int> held_number; // by register
    std::vector<int> first_stage; // by register of elements: where it is computed first

    bool is_input(int r) const { return r < int(n.inputs.size()); }
    const row_op& op_of(int r) const { return n.body[std::size_t(r) - n.inputs.size()]; }
    bool is_fold(int r) const { return not is_input(r) and op_of(r).how.has_value(); }
    bool of_elements(const nest_output& o) const {
        const auto& s = o.access.strides;
        return elements[std::size_t(o.reg)] or
               std::any_of(s.begin() + std::ptrdiff_t(n.kept.size()), s.end(),
                           [](auto x) { return x != 0; });
    }
    bool writes(bool of) const {
        return std::any_of(n.outputs.begin(), n.outputs.end(),
                           [&](auto& o) { return of_elements(o) == of; });
    }

    void find_folds() {
        std::vector<bool> live(std::size_t(n.registers()), false);
        for (const auto& o : n.outputs)
            live[std::size_t(o.reg)] = true;
        for (int r = n.registers(); r-- > int(n.inputs.size());)
            if (live[std::size_t(r)])
                for (const auto& x : op_of(r).op.operands)
                    if (x.is_reg())
                        live[std::size_t(x.number)] = true;
        for (int r = int(n.inputs.size()); r < n.registers(); r++) {
            if (not live[std::size_t(r)] or not is_fold(r))
                continue;
            const auto type = op_of(r).op.type;
            fold_number[std::size_t(r)] = int(plan.folds.size());
            plan.folds.push_back({*op_of(r).how, type, cell_type(type), step_of(*op_of(r).how)});
            stages = std::max(stages, level[std::size_t(r)]);
        }
    }

    // What a stage is for: registers that it folds or stores.
    std::vector<int> targets(int stage) const {
        std::vector<int> result;
        if (stage == stages) {
            for (const auto& o : n.outputs)
                if (of_elements(o))
                    result.push_back(o.reg);
            return result;
        }
        for (int r = int(n.inputs.size()); r < n.registers(); r++)
            if (fold_number[std::size_t(r)] >= 0 and level[std::size_t(r)] == stage + 1)
                result.push_back(op_of(r).op.operands.front().number);
        return result;
    }

    // Compared with an extreme of its own, for which it must be the same in every stage: operators
    // of different stages need not round alike.
    bool meets_extreme(int r) const {
        for (int user = int(n.inputs.size()); user < n.registers(); user++) {
            const auto& op = op_of(user).op;
            if (is_fold(user) or std::string_view(op.name()) != "equal")
                continue;
            const auto& x = op.operands;
            if (x[0].number == r and x[1].is_reg() and is_fold(x[1].number) and
                op_of(x[1].number).op.operands.front().number == r)
                return true;
        }
        return false;
    }
    bool can_hold(int r) const {
        const auto type = n.reg_type(r);
        return type == shape::bool_type or is_float_class(class_of(type));
    }
    // Of computing an element anew.
    double cone(int r, std::vector<bool>& seen) const {
        if (not elements[std::size_t(r)] or seen[std::size_t(r)])
            return 0;
        seen[std::size_t(r)] = true;
        if (is_input(r) or held_number[std::size_t(r)] >= 0)
            return load_cost;
        double cost = cost_of(op_of(r).op);
        for (const auto& x : op_of(r).op.operands)
            if (x.is_reg())
                cost += cone(x.number, seen);
        return cost;
    }
    void plan_holding() {
        for (int s = 0; s <= stages; s++) {
            std::vector<bool> seen(std::size_t(n.registers()), false);
            const std::function<void(int)> visit = [&](int r) {
                if (not elements[std::size_t(r)] or is_input(r) or seen[std::size_t(r)])
                    return;
                seen[std::size_t(r)] = true;
                auto& first = first_stage[std::size_t(r)];
                if (first < 0)
                    first = s;
                std::vector<bool> walked(std::size_t(n.registers()), false);
                if (first < s and held_number[std::size_t(r)] < 0 and can_hold(r) and
                    (cone(r, walked) > held_cost or meets_extreme(r))) {
                    held_number[std::size_t(r)] = int(plan.held.size());
                    plan.held.push_back(cell_type(n.reg_type(r)));
                }
                if (first == s or held_number[std::size_t(r)] < 0)
                    for (const auto& x : op_of(r).op.operands)
                        if (x.is_reg())
                            visit(x.number);
            };
            for (int r : targets(s))
                visit(r);
        }
    }

    // ---- writing

    // Dims of a stage in order: places among those of the row nest, kept and then reduced.
    std::vector<std::size_t> dim_order(bool rows_only) const {
        std::vector<std::size_t> order(n.kept.size() + (rows_only ? 0 : n.reduced.size()));
        std::iota(order.begin(), order.end(), std::size_t{0});
        if (plan.columns and not rows_only)
            std::rotate(order.begin() + std::ptrdiff_t(n.kept.size()) - 1,
                        order.begin() + std::ptrdiff_t(n.kept.size()), order.end());
        return order;
    }
    int64_t dim(std::size_t d) const {
        return d < n.kept.size() ? n.kept[d] : n.reduced[d - n.kept.size()];
    }
    // Strides of memory that has a place for each index of the dims from `first` to `last`, of
    // blocks for columns, each of `unit` elements.
    std::vector<int64_t> memory_strides(std::size_t first, std::size_t last, int64_t unit) const {
        std::vector<int64_t> strides(n.kept.size() + n.reduced.size(), 0);
        for (auto d = last; d-- > first;) {
            strides[d] = unit;
            unit *= dim(d);
        }
        return strides;
    }
    std::vector<int64_t> strides_of(const stage_tensor& t) const {
        const auto kept = n.kept.size(), all = kept + n.reduced.size();
        if (plan.columns) {
            auto strides =
                memory_strides(kept, t.what == stage_tensor::kind::held ? all : kept, block);
            strides[kept - 1] = 1;
            return strides;
        }
        if (t.what == stage_tensor::kind::row)
            return memory_strides(0, kept, 1);
        return memory_strides(0, t.what == stage_tensor::kind::held ? all : all - 1, 1);
    }

    struct writer {
        static constexpr int later = 1 << 24; // from here on: numbers of the body

        const stage_planner& p;
        int stage;
        std::vector<std::size_t> order;
        row_stage result;
        std::vector<int> values; // by register

        writer(const stage_planner& planner, int number, bool rows_only)
            : p(planner), stage(number), order(planner.dim_order(rows_only)),
              values(std::size_t(planner.n.registers()), -1) {
            for (auto d : order)
                result.body.dims.push_back(p.dim(d));
        }

        template <class T>
        std::vector<T> ordered(const std::vector<T>& by_dim) const {
            std::vector<T> r;
            for (auto d : order)
                r.push_back(by_dim[d]);
            return r;
        }
        int input(stage_tensor t, nest_access a) {
            a.strides = ordered(a.strides);
            if (not a.border.empty())
                a.border = ordered(a.border);
            result.body.inputs.push_back(std::move(a));
            result.inputs.push_back(t);
            return int(result.inputs.size()) - 1;
        }
        int append(nest_op op) {
            result.body.body.push_back(std::move(op));
            return later + int(result.body.body.size()) - 1;
        }
        // A cell that stands for a register of `type`.
        int cell(stage_tensor t, shape::type_t cell, shape::type_t type) {
            const int r = input(t, {cell, p.strides_of(t)});
            if (type != shape::bool_type)
                return r;
            nest_op op;
            op.type = type;
            op.operands = {nest_operand::reg(r)};
            return append(std::move(op));
        }
        void output(stage_tensor t, nest_access a, int reg, std::optional<fold> how = {}) {
            a.strides = ordered(a.strides);
            result.body.outputs.push_back({std::move(a), reg, how});
            result.outputs.push_back(t);
        }

        int value(int r) {
            auto& known = values[std::size_t(r)];
            if (known < 0)
                known = made(r);
            return known;
        }
        int made(int r) {
            using kind = stage_tensor::kind;
            if (p.is_input(r)) {
                auto access = p.n.inputs[std::size_t(r)];
                if (access.gathered)
                    access.gathered->input = value(access.gathered->input);
                return input({kind::tensor, r}, std::move(access));
            }
            const auto type = p.n.reg_type(r);
            if (p.is_fold(r)) {
                const int f = p.fold_number[std::size_t(r)];
                return cell({kind::row, f}, p.plan.folds[std::size_t(f)].cell, type);
            }
            const int h = p.held_number[std::size_t(r)];
            if (h >= 0 and p.first_stage[std::size_t(r)] < stage)
                return cell({kind::held, h}, p.plan.held[std::size_t(h)], type);
            auto op = p.op_of(r).op;
            for (auto& x : op.operands)
                if (x.is_reg())
                    x.number = value(x.number);
            return append(std::move(op));
        }
        // x != 0 as 1 and 0.
        int truth(int reg, shape::type_t cell) {
            nest_op op;
            op.row = find_pointwise_row("where");
            op.type = cell;
            op.operands = {nest_operand::reg(reg), nest_operand::integer(1),
                           nest_operand::integer(0)};
            return append(std::move(op));
        }
        void fold_into(int r) {
            const int number = p.fold_number[std::size_t(r)];
            const auto& f = p.plan.folds[std::size_t(number)];
            const stage_tensor t{stage_tensor::kind::partial, number};
            int x = value(p.op_of(r).op.operands.front().number);
            if (f.how == fold::all or f.how == fold::any)
                x = truth(x, f.cell);
            const nest_access a{f.cell, p.strides_of(t)};
            if (p.plan.columns) {
                nest_op op;
                op.row = find_pointwise_row(operator_of(f.step));
                op.type = f.cell;
                op.operands = {nest_operand::reg(input(t, a)), nest_operand::reg(x)};
                output(t, a, append(std::move(op)));
            } else {
                output(t, a, x, f.step);
            }
            result.folds.push_back(number);
        }
        row_stage finish() {
            const auto number = [&](int reg) {
                return reg < later ? reg : reg - later + int(result.inputs.size());
            };
            for (auto& op : result.body.body)
                for (auto& x : op.operands)
                    x.number = x.is_reg() ? number(x.number) : x.number;
            for (auto& o : result.body.outputs)
                o.reg = number(o.reg);
            return std::move(result);
        }
    };

    row_stage write(int stage) const {
        writer w{*this, stage, false};
        for (int r = int(n.inputs.size()); r < n.registers(); r++)
            if (stage < stages and fold_number[std::size_t(r)] >= 0 and
                level[std::size_t(r)] == stage + 1)
                w.fold_into(r);
        for (int r = 0; r < n.registers(); r++)
            if (held_number[std::size_t(r)] >= 0 and first_stage[std::size_t(r)] == stage) {
                const int h = held_number[std::size_t(r)];
                const stage_tensor t{stage_tensor::kind::held, h};
                w.output(t, {plan.held[std::size_t(h)], strides_of(t)}, w.value(r));
            }
        if (stage == stages)
            write_results(w, true);
        return w.finish();
    }
    row_stage write_row_results() const {
        writer w{*this, stages, true};
        write_results(w, false);
        return w.finish();
    }
    void write_results(writer& w, bool of) const {
        for (std::size_t i = 0; i < n.outputs.size(); i++)
            if (of_elements(n.outputs[i]) == of)
                w.output({stage_tensor::kind::tensor, int(n.inputs.size() + i)},
                         n.outputs[i].access, w.value(n.outputs[i].reg));
    }
};

} // namespace

shape::type_t cell_type(shape::type_t type) {
    if (type == shape::bool_type)
        return shape::float_type;
    switch (class_of(type)) {
    case value_class::f32:
        return shape::float_type;
    case value_class::f64:
        return shape::double_type;
    case value_class::i64:
        break;
    }
    return shape::int64_type;
}

bool rows_side_by_side(const row_nest& n) {
    if (n.kept.empty() or n.reduced.empty())
        return false;
    // By bytes of inputs that move along either.
    int64_t along = 0, across = 0;
    const auto elements = n.of_elements();
    for (std::size_t i = 0; i < n.inputs.size(); i++) {
        if (not elements[i])
            continue;
        const auto& a = n.inputs[i];
        const auto size = int64_t(shape(a.type).type_size());
        if (a.strides.back() == 1)
            along += size;
        else if (a.strides[n.kept.size() - 1] == 1)
            across += size;
    }
    return across > along;
}

staged_rows stages_of(const row_nest& n, bool columns, int64_t block) {
    return stage_planner{n, columns, block}.run();
}

} // namespace migraphx::codegen
