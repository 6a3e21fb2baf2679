// SPDX-License-Identifier: MIT
// Folds along the columns of a row, in registers; the same order as kernels/nest_fold.cpp.

#include "targets/cpu/jit/llvm/emit.hpp"
#include "targets/cpu/jit/llvm/symbolic_vec.hpp"

#include <limits>

namespace migraphx::cpu::jit {

value nest_emitter::fold_start(int k) {
    const elem e = fold_elem(k);
    const bool whole = e == elem::i64;
    switch (fold_store(k).fold) {
    case vm_fold::prod:
        return whole ? b.integer(e, 1, width) : b.number(e, 1, width);
    case vm_fold::max:
        return whole ? b.integer(e, INT64_MIN, width)
                     : b.number(e, -std::numeric_limits<double>::infinity(), width);
    case vm_fold::min:
        return whole ? b.integer(e, INT64_MAX, width)
                     : b.number(e, std::numeric_limits<double>::infinity(), width);
    default:
        return whole ? b.integer(e, 0, width) : b.number(e, 0, width);
    }
}

// Of any number of lanes, also of one.
value nest_emitter::join_values(int k, value x, value a) {
    const elem e = fold_elem(k);
    const vm_fold how = fold_store(k).fold;
    if (e == elem::f32) {
        const vec::vf p{x}, q{a};
        switch (how) {
        case vm_fold::prod:
            return (p * q).v;
        case vm_fold::max:
            return vec::max(p, q).v;
        case vm_fold::min:
            return vec::min(p, q).v;
        default:
            return (p + q).v;
        }
    }
    if (how == vm_fold::sum or how == vm_fold::prod) {
        const bool sum = how == vm_fold::sum;
        return b.apply(e == elem::i64 ? (sum ? binary::add : binary::mul)
                                      : (sum ? binary::fadd : binary::fmul),
                       x, a);
    }
    const bool largest = how == vm_fold::max;
    if (e == elem::i64)
        return b.select(b.apply(largest ? compare::sgt : compare::slt, x, a), x, a);
    return b.select(b.apply(compare::fne, x, x), x,
                    b.select(b.apply(largest ? compare::fgt : compare::flt, x, a), x, a));
}

value nest_emitter::fold_in(int k, value x, value accumulator, value mask) {
    if (mask != nullptr)
        x = b.select(mask, x, fold_start(k));
    return join_values(k, x, accumulator);
}

std::vector<value> nest_emitter::fold_starts() {
    std::vector<value> result;
    for (int k : folds)
        result.insert(result.end(), std::size_t(f.vectors), fold_start(k));
    return result;
}

std::vector<value> nest_emitter::join_folds() {
    std::vector<value> result;
    for (int k : folds)
        for (int i = 0; i < f.vectors; ++i)
            result.push_back(b.join_point(fold_elem(k), false, width));
    return result;
}

void nest_emitter::flow_folds(const std::vector<value>& phis, const std::vector<value>& values,
                              block from) {
    for (std::size_t i = 0; i < phis.size(); ++i)
        b.flow_in(phis[i], values[i], from);
}

void nest_emitter::end_folds(const std::vector<value>& accumulators,
                             const std::vector<value>& rows) {
    for (std::size_t i = 0; i < folds.size(); ++i) {
        const int k = folds[i];
        const auto first = accumulators.begin() + std::ptrdiff_t(i) * f.vectors;
        std::vector<value> a(first, first + f.vectors);
        for (std::size_t half = a.size() / 2; half > 0; half /= 2)
            for (std::size_t j = 0; j < half; ++j)
                a[j] = join_values(k, a[j + half], a[j]);
        value v = a[0];
        for (int lanes = width; lanes > 2; lanes /= 2)
            v = join_values(k, b.half_of(v, true), b.half_of(v, false));
        b.store(join_values(k, b.extract(v, 1), b.extract(v, 0)),
                rows[std::size_t(f.inputs() + k)]);
    }
}

} // namespace migraphx::cpu::jit
