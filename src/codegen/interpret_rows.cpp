// SPDX-License-Identifier: MIT
// Row nests, one element at a time.
#include "codegen/interpret.hpp"
#include "codegen/reads.hpp"
#include "codegen/scalar_machine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx::codegen {

namespace {

// A fold in double or int64, as the reference does it.
struct scalar_fold {
    const row_op& op;
    shape::type_t type; // of the operand
    scalar_value best;
    int64_t position = -1;
    bool is_nan = false;

    scalar_fold(const row_op& o, shape::type_t t) : op(o), type(t) {
        if (not op.how)
            return;
        const bool one = op.how == fold::prod or op.how == fold::all;
        best = {one ? 1.0 : 0.0, one ? 1 : 0};
        if (op.how == fold::max or op.how == fold::min) {
            const bool low = op.how == fold::max;
            const double top = std::numeric_limits<double>::infinity();
            best = {low ? -top : top, convert_scalar(shape::double_type, {low ? -1e300 : 1e300, 0},
                                                     real() ? shape::int64_type : type)
                                          .integer};
        }
    }

    bool real() const { return is_float_class(class_of(type)); }
    bool is_less(const scalar_value& a, const scalar_value& b) const {
        return real()                       ? a.real < b.real
               : type == shape::uint64_type ? uint64_t(a.integer) < uint64_t(b.integer)
                                            : a.integer < b.integer;
    }
    void add(const scalar_value& x, int64_t j) {
        const bool nan = real() and std::isnan(x.real);
        const bool truth = real() ? x.real != 0 : x.integer != 0;
        switch (*op.how) {
        case fold::sum:
        case fold::mean:
            best = {best.real + x.real, int64_t(uint64_t(best.integer) + uint64_t(x.integer))};
            return;
        case fold::prod:
            best = {best.real * x.real, int64_t(uint64_t(best.integer) * uint64_t(x.integer))};
            return;
        case fold::all:
        case fold::any:
            if (truth != (op.how == fold::all))
                best = {truth ? 1.0 : 0.0, truth ? 1 : 0};
            return;
        case fold::max:
        case fold::min:
            if (not is_nan and (nan or (op.how == fold::max ? is_less(best, x) : is_less(x, best))))
                best = x;
            is_nan = is_nan or nan;
            return;
        default:
            break;
        }
        const bool largest = op.how == fold::argmax_first or op.how == fold::argmax_last;
        const bool last = op.how == fold::argmax_last or op.how == fold::argmin_last;
        const bool further = largest ? is_less(best, x) : is_less(x, best);
        const bool same = is_nan ? nan : not nan and not is_less(best, x) and not is_less(x, best);
        if (position < 0 or (nan and not is_nan) or (not is_nan and further) or (last and same)) {
            best = x;
            position = j;
        }
        is_nan = is_nan or nan;
    }
    scalar_value result(int64_t length) const {
        if (is_position(*op.how))
            return {0, std::max<int64_t>(position, 0)};
        if (op.how == fold::mean)
            return {best.real / double(length),
                    length == 0 ? 0
                    : type == shape::uint64_type
                        ? int64_t(uint64_t(best.integer) / uint64_t(length))
                        : wrap_integer(type, best.integer / length)};
        return {best.real, real() ? 0 : wrap_integer(type, best.integer)};
    }
};

} // namespace

void interpret(const row_nest& n, std::span<const void* const> inputs,
               std::span<void* const> outputs) {
    validate(n);
    nest_interpreter<row_nest> machine{n, std::vector<scalar_value>(std::size_t(n.registers()))};
    auto dims = n.kept;
    dims.insert(dims.end(), n.reduced.begin(), n.reduced.end());
    std::vector<int64_t> index(dims.size(), 0);
    const int64_t length = n.row_length();
    const auto levels = n.levels();
    const int passes = *std::max_element(levels.begin(), levels.end());
    const auto elements = n.of_elements();
    const auto load_inputs = [&](bool of_elements) {
        for (std::size_t i = 0; i < n.inputs.size(); ++i)
            if (of_elements or not elements[i])
                machine.regs[i] =
                    load_scalar(n.inputs[i].type, element_at(n.inputs, i, inputs, index, dims));
    };
    const auto store_all = [&](bool of_elements) {
        for (std::size_t k = 0; k < n.outputs.size(); ++k) {
            const auto& a = n.outputs[k].access;
            const bool moves = std::any_of(a.strides.begin() + std::ptrdiff_t(n.kept.size()),
                                           a.strides.end(), [](auto s) { return s != 0; });
            if (of_elements or not moves)
                store_scalar(a.type, static_cast<char*>(outputs[k]) + byte_offset(a, index),
                             machine.regs[std::size_t(n.outputs[k].reg)]);
        }
    };
    const auto evaluate_all = [&](const std::vector<scalar_value>& folded) {
        for (std::size_t i = 0; i < n.body.size(); ++i)
            machine.regs[n.inputs.size() + i] =
                n.body[i].how ? folded[i] : machine.evaluate(n.body[i].op);
    };
    // Each pass over the row completes the folds of one level; the last one writes. Rows of no
    // elements have results of the row all the same.
    for (int64_t left = n.rows(); left > 0; --left) {
        std::vector<scalar_value> folded(n.body.size());
        for (int pass = 0; pass <= passes; ++pass) {
            std::vector<scalar_fold> folds;
            for (const row_op& o : n.body)
                folds.emplace_back(o, o.how ? n.reg_type(o.op.operands.front().number) : o.op.type);
            const auto due = [&](std::size_t i) {
                return n.body[i].how and levels[n.inputs.size() + i] == pass + 1;
            };
            for (int64_t j = 0; j < length; ++j) {
                load_inputs(true);
                evaluate_all(folded);
                for (std::size_t i = 0; i < n.body.size(); ++i)
                    if (due(i))
                        folds[i].add(machine.operand(n.body[i].op.operands.front()), j);
                if (pass == passes)
                    store_all(true);
                step(index, dims, n.kept.size(), dims.size());
            }
            for (std::size_t i = 0; i < n.body.size(); ++i)
                if (due(i))
                    folded[i] = folds[i].result(length);
        }
        if (length == 0) {
            load_inputs(false);
            evaluate_all(folded);
            store_all(false);
        }
        step(index, dims, 0, n.kept.size());
    }
}

} // namespace migraphx::codegen
