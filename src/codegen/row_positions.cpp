// SPDX-License-Identifier: MIT
// Positions of extremes as two plain folds.
#include "codegen/row_stages.hpp"

#include <utility>

namespace migraphx::codegen {

namespace {

bool is_largest(fold how) {
    return how == fold::argmax_first or how == fold::argmax_last;
}

bool is_last(fold how) {
    return how == fold::argmax_last or how == fold::argmin_last;
}

nest_access numbers_along(const row_nest& n) {
    nest_access a{shape::float_type, std::vector<int64_t>(n.kept.size() + n.reduced.size(), 0)};
    int64_t step = 1;
    for (auto d = n.reduced.size(); d-- > 0;) {
        a.strides[n.kept.size() + d] = step;
        step *= n.reduced[d];
    }
    return a;
}

// The least, or greatest, number of the elements that are the extreme. NaN, which equals nothing,
// is one.
int position(row_builder& b, fold how, int x, int numbers) {
    const auto r = [](int number) { return nest_operand::reg(number); };
    const auto type = b.result.reg_type(x);
    const int extreme = b.reduce(is_largest(how) ? fold::max : fold::min, x);
    auto none = nest_operand::real(is_last(how) ? -1 : double(most_positions));
    if (is_float_class(class_of(type))) {
        // Not isnan, whose result would be held as an integer.
        const int number = b.op("equal", {r(x), r(x)}, type);
        none = r(b.op("where", {r(number), none, r(numbers)}, shape::float_type));
    }
    const int equal = b.op("equal", {r(x), r(extreme)}, type);
    const int at = b.op("where", {r(equal), r(numbers), none}, shape::float_type);
    nest_op whole;
    whole.type = shape::int64_type;
    whole.operands = {r(b.reduce(is_last(how) ? fold::max : fold::min, at))};
    return b.append(std::move(whole));
}

} // namespace

row_nest with_plain_folds(const row_nest& n) {
    row_builder b;
    b.result.kept = n.kept;
    b.result.reduced = n.reduced;
    b.result.inputs = n.inputs;
    const int numbers = b.input(numbers_along(n));
    std::vector<int> now; // by register of `n`
    for (int i = 0; i < int(n.inputs.size()); i++)
        now.push_back(i);
    for (auto [op, how] : n.body) {
        for (auto& x : op.operands)
            if (x.is_reg())
                x.number = now[std::size_t(x.number)];
        now.push_back(how and is_position(*how)
                          ? position(b, *how, op.operands.front().number, numbers)
                          : b.append(std::move(op), how));
    }
    for (auto o : n.outputs) {
        o.reg = now[std::size_t(o.reg)];
        b.result.outputs.push_back(std::move(o));
    }
    return std::move(b.result);
}

} // namespace migraphx::codegen
