// SPDX-License-Identifier: MIT
// Operators on vectors: chains and functions of float by the formulas of the tile machine, double
// and int64, changes of class, and calls of the tile machine's own functions for the rest.

#include "targets/cpu/jit/llvm/emit.hpp"
#include "targets/cpu/jit/llvm/symbolic_vec.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

#include <cstddef>
#include <limits>

namespace migraphx::cpu::jit {

value nest_emitter::constant(int id) {
    return b.splat(b.load_scalar(elem_of(node(id).cls), constants, 8 * id), width);
}

value nest_emitter::helper(int64_t index) {
    return b.load_pointer(helpers, 8 * index);
}

value nest_emitter::evaluate(int id, const std::vector<value>& values) {
    const vm_node& v = node(id);
    if (v.what == vm_node::kind::chain)
        return chain(v, values);
    switch (v.function.family) {
    case vm_family::math:
        return math(id, values);
    case vm_family::wide:
        return wide(id, values);
    case vm_family::cast:
        return cast(vm_cast(v.function.code), values[std::size_t(v.operands[0])]);
    case vm_family::scalar:
    case vm_family::none:
        break;
    }
    return by_call(id, values);
}

value nest_emitter::chain(const vm_node& v, const std::vector<value>& values) {
    using namespace vec;
    const auto operand = [&](uint8_t k) {
        return vf{values[std::size_t(v.operands[std::size_t(k)])]};
    };
    vf p = operand(0);
    for (const chain_step& step : v.steps) {
        const vf q = operand(step.x);
        const vf r = operand(step.y);
        switch (step.op) {
#define UNARY_STEP(name, expression)                                                               \
    case chain_op::name:                                                                           \
        p = expression;                                                                            \
        break;
#define BINARY_STEP(name, expression) UNARY_STEP(name, expression)
#define TERNARY_STEP(name, expression) UNARY_STEP(name, expression)
#include "targets/cpu/kernels/nest_steps.inc"
#undef UNARY_STEP
#undef BINARY_STEP
#undef TERNARY_STEP
        }
    }
    return p.v;
}

value nest_emitter::math(int id, const std::vector<value>& values) {
    using vec::vf;
    const vm_node& v = node(id);
    const vf x{values[std::size_t(v.operands[0])]};
    switch (vm_math(v.function.code)) {
    case vm_math::exp:
        return vec::exp(x).v;
    case vm_math::log:
        return vec::log(x).v;
    case vm_math::log2:
        return vec::log2(x).v;
    case vm_math::erf:
        return vec::erf(x).v;
    case vm_math::tanh:
        return vec::tanh(x).v;
    case vm_math::sigmoid:
        return vec::sigmoid(x).v;
    case vm_math::silu:
        return (x * vec::sigmoid(x)).v;
    case vm_math::gelu_erf:
        return vec::gelu_erf(x).v;
    case vm_math::elu:
        return vec::elu(x, {values[std::size_t(v.operands[1])]}).v;
    default:
        return by_call(id, values);
    }
}

value nest_emitter::wide(int id, const std::vector<value>& values) {
    const vm_node& v = node(id);
    std::vector<value> x;
    for (int o : v.operands)
        x.push_back(values[std::size_t(o)]);
    const value y = v.cls == vm_class::f64 ? wide_f64(vm_wide(v.function.code), x)
                                           : wide_i64(vm_wide(v.function.code), x);
    return y != nullptr ? y : by_call(id, values);
}

value nest_emitter::wide_f64(vm_wide op, const std::vector<value>& x) {
    const value zero = b.number(elem::f64, 0, width);
    const value one = b.number(elem::f64, 1, width);
    const auto truth = [&](value m) { return b.select(m, one, zero); };
    const auto nonzero = [&](value a) { return b.apply(compare::fne, a, zero); };
    const auto larger = [&](value a, value c) {
        return b.select(b.apply(compare::fne, a, a), a,
                        b.select(b.apply(compare::fgt, a, c), a, c));
    };
    const auto smaller = [&](value a, value c) {
        return b.select(b.apply(compare::fne, a, a), a,
                        b.select(b.apply(compare::flt, a, c), a, c));
    };
    switch (op) {
    case vm_wide::add:
        return b.apply(binary::fadd, x[0], x[1]);
    case vm_wide::sub:
        return b.apply(binary::fsub, x[0], x[1]);
    case vm_wide::mul:
        return b.apply(binary::fmul, x[0], x[1]);
    case vm_wide::div:
        return b.apply(binary::fdiv, x[0], x[1]);
    case vm_wide::max:
        return larger(x[0], x[1]);
    case vm_wide::min:
        return smaller(x[0], x[1]);
    case vm_wide::sqdiff: {
        const value d = b.apply(binary::fsub, x[0], x[1]);
        return b.apply(binary::fmul, d, d);
    }
    case vm_wide::equal:
        return truth(b.apply(compare::feq, x[0], x[1]));
    case vm_wide::greater:
        return truth(b.apply(compare::fgt, x[0], x[1]));
    case vm_wide::less:
        return truth(b.apply(compare::flt, x[0], x[1]));
    case vm_wide::logical_and:
        return truth(b.apply(binary::bit_and, nonzero(x[0]), nonzero(x[1])));
    case vm_wide::logical_or:
        return truth(b.apply(binary::bit_or, nonzero(x[0]), nonzero(x[1])));
    case vm_wide::logical_xor:
        return truth(b.apply(binary::bit_xor, nonzero(x[0]), nonzero(x[1])));
    case vm_wide::abs:
        return b.convert(change::bits,
                         b.apply(binary::bit_and, b.convert(change::bits, x[0], elem::i64),
                                 b.integer(elem::i64, INT64_MAX, width)),
                         elem::f64);
    case vm_wide::neg:
        return b.apply(unary::neg, x[0]);
    case vm_wide::relu:
        return b.select(b.apply(compare::flt, x[0], zero), zero, x[0]);
    case vm_wide::logical_not:
        return truth(b.apply(compare::feq, x[0], zero));
    case vm_wide::sign:
        return b.apply(binary::fsub, truth(b.apply(compare::fgt, x[0], zero)),
                       truth(b.apply(compare::flt, x[0], zero)));
    case vm_wide::sqrt:
        return b.apply(unary::sqrt, x[0]);
    case vm_wide::where:
        return b.select(nonzero(x[0]), x[1], x[2]);
    case vm_wide::clip:
        return smaller(larger(x[0], x[1]), x[2]);
    default:
        return nullptr;
    }
}

value nest_emitter::wrap(value x, elem to, bool is_signed) {
    return b.convert(is_signed ? change::sext : change::zext, b.convert(change::trunc, x, to),
                     elem::i64);
}

value nest_emitter::wide_i64(vm_wide op, const std::vector<value>& x) {
    const value zero = b.integer(elem::i64, 0, width);
    const value one = b.integer(elem::i64, 1, width);
    const auto truth = [&](value m) { return b.convert(change::zext, m, elem::i64); };
    const auto nonzero = [&](value a) { return b.apply(compare::ne, a, zero); };
    const auto larger = [&](value a, value c) {
        return b.select(b.apply(compare::sgt, a, c), a, c);
    };
    const auto smaller = [&](value a, value c) {
        return b.select(b.apply(compare::slt, a, c), a, c);
    };
    switch (op) {
    case vm_wide::add:
        return b.apply(binary::add, x[0], x[1]);
    case vm_wide::sub:
        return b.apply(binary::sub, x[0], x[1]);
    case vm_wide::mul:
        return b.apply(binary::mul, x[0], x[1]);
    case vm_wide::div: { // by 0 gives 0; by -1 wraps
        const value minus = b.apply(compare::eq, x[1], b.integer(elem::i64, -1, width));
        const value special = b.apply(binary::bit_or, minus, b.apply(compare::eq, x[1], zero));
        const value q = b.apply(binary::sdiv, x[0], b.select(special, one, x[1]));
        return b.select(special, b.select(minus, b.apply(unary::neg, x[0]), zero), q);
    }
    case vm_wide::max:
        return larger(x[0], x[1]);
    case vm_wide::min:
        return smaller(x[0], x[1]);
    case vm_wide::sqdiff: {
        const value d = b.apply(binary::sub, x[0], x[1]);
        return b.apply(binary::mul, d, d);
    }
    case vm_wide::equal:
        return truth(b.apply(compare::eq, x[0], x[1]));
    case vm_wide::greater:
        return truth(b.apply(compare::sgt, x[0], x[1]));
    case vm_wide::less:
        return truth(b.apply(compare::slt, x[0], x[1]));
    case vm_wide::logical_and:
        return truth(b.apply(binary::bit_and, nonzero(x[0]), nonzero(x[1])));
    case vm_wide::logical_or:
        return truth(nonzero(b.apply(binary::bit_or, x[0], x[1])));
    case vm_wide::logical_xor:
        return truth(b.apply(binary::bit_xor, nonzero(x[0]), nonzero(x[1])));
    case vm_wide::bitwise_and:
        return b.apply(binary::bit_and, x[0], x[1]);
    case vm_wide::abs:
        return b.select(b.apply(compare::slt, x[0], zero), b.apply(unary::neg, x[0]), x[0]);
    case vm_wide::neg:
        return b.apply(unary::neg, x[0]);
    case vm_wide::relu:
        return larger(x[0], zero);
    case vm_wide::logical_not:
        return truth(b.apply(compare::eq, x[0], zero));
    case vm_wide::sign:
        return b.apply(binary::sub, truth(b.apply(compare::sgt, x[0], zero)),
                       truth(b.apply(compare::slt, x[0], zero)));
    case vm_wide::where:
        return b.select(nonzero(x[0]), x[1], x[2]);
    case vm_wide::clip:
        return smaller(larger(x[0], x[1]), x[2]);
    case vm_wide::wrap_u8:
        return wrap(x[0], elem::i8, false);
    case vm_wide::wrap_i8:
        return wrap(x[0], elem::i8, true);
    case vm_wide::wrap_u16:
        return wrap(x[0], elem::i16, false);
    case vm_wide::wrap_i16:
        return wrap(x[0], elem::i16, true);
    case vm_wide::wrap_u32:
        return wrap(x[0], elem::i32, false);
    case vm_wide::wrap_i32:
        return wrap(x[0], elem::i32, true);
    default:
        return nullptr;
    }
}

value nest_emitter::cast(vm_cast c, value x) {
    switch (c) {
    case vm_cast::f32_f64:
        return b.convert(change::fpext, x, elem::f64);
    case vm_cast::f32_i64:
    case vm_cast::f64_i64:
        return b.convert(change::fptosi, x, elem::i64);
    case vm_cast::f64_f32: { // finite values stay finite
        const double top = std::numeric_limits<float>::max();
        const value high = b.number(elem::f64, top, width);
        const value low = b.number(elem::f64, -top, width);
        const value inside =
            b.select(b.apply(compare::fgt, x, high), high,
                     b.select(b.apply(compare::flt, x, low), low, x));
        const value inf = b.number(elem::f64, std::numeric_limits<double>::infinity(), width);
        const value infinite = b.apply(compare::feq, wide_f64(vm_wide::abs, {x}), inf);
        return b.convert(change::fptrunc, b.select(infinite, x, inside), elem::f32);
    }
    case vm_cast::i64_f32:
        return b.convert(change::sitofp, x, elem::f32);
    case vm_cast::i64_f64:
        return b.convert(change::sitofp, x, elem::f64);
    case vm_cast::f64_truth:
        return vec::one_where({b.apply(compare::fne, x, b.number(elem::f64, 0, width))}).v;
    case vm_cast::i64_truth:
    case vm_cast::count:
        break;
    }
    return vec::one_where({b.apply(compare::ne, x, b.integer(elem::i64, 0, width))}).v;
}

// The tile machine's function on a tile of one vector. Lanes out of use are computed too.
value nest_emitter::by_call(int id, const std::vector<value>& values) {
    const vm_node& v = node(id);
    const auto bytes = [&](vm_class c) { return int64_t(vm_class_bytes(c)) * width; };
    const value result = b.stack(bytes(v.cls));
    const value sources = b.stack(int64_t(8 * v.operands.size()));
    const auto at = [&](value base, std::size_t offset) {
        return b.advance(base, b.integer(elem::i64, int64_t(offset)));
    };
    for (std::size_t i = 0; i < v.operands.size(); ++i) {
        const value tile = b.stack(bytes(node(v.operands[i]).cls));
        b.store(values[std::size_t(v.operands[i])], tile);
        b.store(tile, at(sources, 8 * i));
    }
    const value args = b.stack(sizeof(vm_args));
    b.store(result, at(args, offsetof(vm_args, dst)));
    b.store(sources, at(args, offsetof(vm_args, src)));
    b.store(b.integer(elem::i64, width), at(args, offsetof(vm_args, n)));
    b.store(b.integer(elem::i32, 0), at(args, offsetof(vm_args, splats)));
    b.store(helper(2 * id + 1), at(args, offsetof(vm_args, data)));
    b.call(helper(2 * id), args);
    return b.load(elem_of(v.cls), width, result);
}

} // namespace migraphx::cpu::jit
