// SPDX-License-Identifier: MIT
// Conversions between types and classes, and the stores.

#include "targets/cpu/nest_lowering.hpp"

#include "codegen/interpret.hpp"

#include <limits>

namespace migraphx::cpu {
namespace {

bool is_short_float(shape::type_t t) {
    return codegen::class_of(t) == codegen::value_class::f32 and t != shape::float_type;
}

integer_limits limits_of(shape::type_t t) {
    const double huge = std::numeric_limits<double>::infinity();
    return {codegen::convert_scalar(shape::double_type, {-huge, 0}, t).integer,
            codegen::convert_scalar(shape::double_type, {huge, 0}, t).integer};
}

} // namespace

int nest_lowering::lower_convert(int reg, const nest_op& op) {
    const nest_operand& o = op.operands[0];
    if (not o.is_reg()) {
        const codegen::scalar_value v =
            codegen::convert_scalar(shape::double_type, {o.real_value, o.int_value}, op.type);
        return constant(vm_class_of(op.type),
                        op.type == shape::bool_type ? double(v.integer) : v.real, v.integer);
    }
    const shape::type_t from = n.reg_type(o.number);
    if (from == op.type)
        return reg_node(o.number);
    if (from == shape::uint64_type or op.type == shape::uint64_type)
        return scalar(op);
    if (from == shape::bool_type)
        return from_bool(op);
    if (is_integer_type(from))
        return from_integer(reg, op, from);
    return from == shape::double_type ? from_double(op) : from_float(reg, op, from);
}

int nest_lowering::from_bool(const nest_op& op) {
    const int id = reg_node(op.operands[0].number);
    switch (vm_class_of(op.type)) {
    case vm_class::f32:
        return id;
    case vm_class::f64:
        return cast(vm_cast::f32_f64, vm_class::f64, id);
    case vm_class::i64:
        break;
    }
    return cast(vm_cast::f32_i64, vm_class::i64, id);
}

int nest_lowering::from_integer(int reg, const nest_op& op, shape::type_t from) {
    const int source = op.operands[0].number;
    if (op.type == shape::bool_type) {
        const int positive = wide(vm_wide::greater, "greater", vm_class::i64,
                                  {reg_node(source), constant(vm_class::i64, 0, 0)}, 0.25);
        return cast(vm_cast::i64_f32, vm_class::f32, positive);
    }
    if (op.type == shape::double_type)
        return cast(vm_cast::i64_f64, vm_class::f64, reg_node(source));
    if (vm_class_of(op.type) == vm_class::f32) {
        if (is_input(source) and load_function(from, vm_class::f32) != nullptr)
            return to_float_type(reg, op.type, load(source, vm_class::f32), nullptr);
        return to_float_type(reg, op.type, cast(vm_cast::i64_f32, vm_class::f32, reg_node(source)),
                             nullptr);
    }
    return clipped(reg_node(source), limits_of(from), op.type);
}

int nest_lowering::clipped(int id, integer_limits have, shape::type_t to) {
    const integer_limits want = limits_of(to);
    if (have.low < want.low)
        id = wide(vm_wide::max, "max", vm_class::i64,
                  {id, constant(vm_class::i64, 0, want.low)}, 0.25);
    if (have.high > want.high)
        id = wide(vm_wide::min, "min", vm_class::i64,
                  {id, constant(vm_class::i64, 0, want.high)}, 0.25);
    return id;
}

int nest_lowering::from_double(const nest_op& op) {
    const int id = reg_node(op.operands[0].number);
    if (op.type == shape::bool_type) {
        const int positive = wide(vm_wide::greater, "greater", vm_class::f64,
                                  {id, constant(vm_class::f64, 0, 0)}, 0.25);
        return cast(vm_cast::f64_f32, vm_class::f32, positive);
    }
    if (op.type == shape::float_type)
        return cast(vm_cast::f64_f32, vm_class::f32, id);
    if (is_integer_type(op.type))
        return clipped(cast(vm_cast::f64_i64, vm_class::i64, id), limits_of(shape::int64_type),
                       op.type);
    return scalar(op);
}

int nest_lowering::from_float(int reg, const nest_op& op, shape::type_t from) {
    const nest_operand& o = op.operands[0];
    const int id = reg_node(o.number);
    if (op.type == shape::bool_type)
        return step_on(id, &o, chain_op::positive);
    if (op.type == shape::double_type)
        return cast(vm_cast::f32_f64, vm_class::f64, id);
    if (vm_class_of(op.type) == vm_class::f32)
        return is_short_float(from) and op.type == shape::float_type
                   ? id
                   : to_float_type(reg, op.type, id, &o);
    if (stored_only(reg) and kernels.saturating_store[int(op.type)] != nullptr)
        return id; // the store converts
    return clipped(cast(vm_cast::f32_i64, vm_class::i64, id), limits_of(shape::int64_type),
                   op.type);
}

bool nest_lowering::stored_only(int reg) const {
    return uses[std::size_t(reg)] > 0 and uses[std::size_t(reg)] == stored[std::size_t(reg)];
}

int nest_lowering::to_float_type(int reg, shape::type_t type, int id, const nest_operand* o) {
    if (type == shape::float_type)
        return id;
    const double top = codegen::convert_scalar(shape::double_type, {1e300, 0}, type).real;
    const bool extend = o != nullptr ? can_extend(id, 1, o, node(id).rate) : false;
    const int inside =
        push_step(start_chain(id, extend), chain_op::clamp_finite, real_constant(top));
    if (stored_only(reg))
        return inside;
    if (type == shape::half_type)
        return push_step(start_chain(inside, true), chain_op::round_half);
    if (type == shape::bf16_type)
        return push_step(start_chain(inside, true), chain_op::round_bf16);
    nest_scalar_call s;
    s.type = type;
    s.operand_types = {shape::float_type};
    graph.scalar_calls.push_back(std::move(s));
    const int rounded = call("convert", vm_class::f32, {vm_family::scalar}, {inside}, 20);
    node(rounded).scalar_call = int(graph.scalar_calls.size()) - 1;
    return rounded;
}

vm_store nest_lowering::lower_store(const codegen::nest_output& o) {
    vm_store s;
    s.node = reg_node(o.reg);
    const shape::type_t type = o.access.type;
    const vm_class cls = class_of_node(s.node);
    if (o.how) {
        using codegen::fold;
        s.fold = o.how == fold::sum    ? vm_fold::sum
                 : o.how == fold::prod ? vm_fold::prod
                 : o.how == fold::max  ? vm_fold::max
                                       : vm_fold::min;
        s.folds = &kernels.fold[int(s.fold)][int(cls)];
        return s;
    }
    s.native = (type == shape::float_type and cls == vm_class::f32) or
               (type == shape::double_type and cls == vm_class::f64) or
               ((type == shape::int64_type or type == shape::uint64_type) and cls == vm_class::i64);
    s.saturating = is_integer_type(type) and cls == vm_class::f32;
    if (s.saturating)
        s.fn = kernels.saturating_store[int(type)];
    else if (vm_store_fn fn = scalar_store(type); fn != nullptr)
        s.fn = fn;
    else
        s.fn = kernels.store[int(type)][int(cls)];
    return s;
}

} // namespace migraphx::cpu
