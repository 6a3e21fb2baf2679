// SPDX-License-Identifier: MIT
// Loads and stores of any element type and stride, whole vectors and parts.

#include "targets/cpu/jit/llvm/emit.hpp"
#include "targets/cpu/jit/llvm/symbolic_vec.hpp"

namespace migraphx::cpu::jit {
namespace {

bool is_unsigned(vm_type t) {
    return t == vm_type::uint8_type or t == vm_type::uint16_type or t == vm_type::uint32_type or
           t == vm_type::uint64_type;
}

bool is_fp8(vm_type t) {
    return t == vm_type::fp8e4m3fn_type or t == vm_type::fp8e4m3fnuz_type or
           t == vm_type::fp8e5m2_type or t == vm_type::fp8e5m2fnuz_type;
}

} // namespace

elem memory_elem(vm_type t) {
    switch (t) {
    case vm_type::half_type:
    case vm_type::bf16_type:
    case vm_type::uint16_type:
    case vm_type::int16_type:
        return elem::i16;
    case vm_type::float_type:
        return elem::f32;
    case vm_type::double_type:
        return elem::f64;
    case vm_type::int32_type:
    case vm_type::uint32_type:
        return elem::i32;
    case vm_type::int64_type:
    case vm_type::uint64_type:
        return elem::i64;
    default:
        return elem::i8;
    }
}

bool nest_emitter::by_helper(vm_type t) const {
    return is_fp8(t);
}

bool nest_emitter::can_mask(vm_type t) const {
    return b.level() == isa::avx512 or (b.level() == isa::avx2 and vm_type_size(t) >= 4);
}

bool nest_emitter::can_gather(vm_type t) const {
    return b.level() == isa::avx512 and vm_type_size(t) >= 4;
}

// `count` elements one by one.
void nest_emitter::copy_elements(vm_type t, value to, value to_step, value from, value from_step,
                                 value count) {
    const block before = b.current();
    const block body = b.add_block("element");
    const block after = b.add_block("elements_end");
    b.jump(body);
    b.enter(body);
    const value i = b.join_point(elem::i64, false, 0);
    b.flow_in(i, b.integer(elem::i64, 0), before);
    b.store(b.load(memory_elem(t), 0, b.advance(from, b.apply(binary::mul, i, from_step))),
            b.advance(to, b.apply(binary::mul, i, to_step)));
    const value next = b.apply(binary::add, i, b.integer(elem::i64, 1));
    b.flow_in(i, next, body);
    b.branch(b.apply(compare::slt, next, count), body, after);
    b.enter(after);
}

// A part of a vector, through the stack.
value nest_emitter::load_by_copy(int s, const window& w) {
    const vm_type t = stream(s).type;
    const value size = b.integer(elem::i64, vm_type_size(t));
    const value buffer = b.stack(width * vm_type_size(t));
    const bool real = memory_elem(t) >= elem::f16;
    b.store(real ? b.number(memory_elem(t), 0, width) : b.integer(memory_elem(t), 0, width),
            buffer);
    copy_elements(t, buffer, size, w.at[std::size_t(s)],
                  stream(s).stride == jit_stride::unit ? size : col_steps[std::size_t(s)], w.count);
    return b.load(memory_elem(t), width, buffer);
}

value nest_emitter::load_elements(int s, const window& w) {
    const vm_type t = stream(s).type;
    const value at = w.at[std::size_t(s)];
    const elem e = memory_elem(t);
    if (stream(s).stride == jit_stride::unit) {
        if (w.mask == nullptr or can_mask(t))
            return b.load(e, width, at, w.mask);
        return load_by_copy(s, w);
    }
    if (can_gather(t)) {
        const value all = b.apply(compare::eq, b.integer(elem::i8, 0, width),
                                  b.integer(elem::i8, 0, width));
        return b.gather(e, at, lane_offset[std::size_t(s)], w.mask == nullptr ? all : w.mask);
    }
    if (w.mask != nullptr)
        return load_by_copy(s, w);
    value v = e >= elem::f16 ? b.number(e, 0, width) : b.integer(e, 0, width);
    value from = at;
    for (int i = 0; i < width; ++i) {
        v = b.insert(v, b.load(e, 0, from), i);
        from = b.advance(from, col_steps[std::size_t(s)]);
    }
    return v;
}

value nest_emitter::load_by_helper(int id, const window& w, bool one) {
    const int s = node(id).input;
    const value buffer = b.stack(width * 4);
    const value zero = b.integer(elem::i64, 0);
    const value unit = b.integer(elem::i64, 1);
    const value count = one                 ? unit
                        : w.count == nullptr ? b.integer(elem::i64, width)
                                             : w.count;
    const value stride =
        stream(s).stride == jit_stride::other ? col_steps[std::size_t(s)] : unit; // a byte each
    b.store(b.number(elem::f32, 0, width), buffer);
    b.call_move(helper(2 * id), buffer, w.at[std::size_t(s)], unit, zero, count, stride);
    return one ? b.splat(b.load(elem::f32, 0, buffer), width) : b.load(elem::f32, width, buffer);
}

value nest_emitter::load(int id, const window& w, bool one) {
    const int s = node(id).input;
    const vm_type t = stream(s).type;
    if (by_helper(t))
        return load_by_helper(id, w, one);
    const value elements =
        one ? b.splat(b.load(memory_elem(t), 0, w.at[std::size_t(s)]), width) : load_elements(s, w);
    return widen(elements, t, node(id).cls);
}

value nest_emitter::widen(value elements, vm_type t, vm_class cls) {
    switch (t) {
    case vm_type::float_type:
    case vm_type::double_type:
    case vm_type::int64_type:
    case vm_type::uint64_type:
        return cls == vm_class::f32 and t != vm_type::float_type
                   ? b.convert(change::sitofp, elements, elem::f32)
                   : elements;
    case vm_type::half_type:
        return vec::half_to_float(elements).v;
    case vm_type::bf16_type:
        return vec::from_bits(vec::vi{b.convert(change::zext, elements, elem::i32)} << 16).v;
    case vm_type::bool_type:
        return vec::one_where({b.apply(compare::ne, elements, b.integer(elem::i8, 0, width))}).v;
    default:
        break;
    }
    if (cls == vm_class::f32)
        return b.convert(is_unsigned(t) ? change::uitofp : change::sitofp, elements, elem::f32);
    return b.convert(is_unsigned(t) ? change::zext : change::sext, elements, elem::i64);
}

// NaN gives 0.
value nest_emitter::saturate(value v, vm_type t) {
    using namespace vec;
    if (t == vm_type::int64_type)
        return b.convert(change::fptosi, v, elem::i64);
    vf x{v};
    x = select(x == x, x, splat(0.0f));
    if (t == vm_type::int32_type) {
        const mask above = vf{v} >= 0x1p31f;
        x = select(x > -0x1p31f, x, splat(-0x1p31f));
        x = select(x < 0x1.fffffep30f, x, splat(0x1.fffffep30f));
        const vi inside{b.convert(change::fptosi_fits, x.v, elem::i32)};
        return select(above, splat_int(INT32_MAX), inside).v;
    }
    const int bits = 8 * vm_type_size(t);
    const float low = is_unsigned(t) ? 0.0f : -float(1 << (bits - 1));
    const float high = float((1 << (is_unsigned(t) ? bits : bits - 1)) - 1);
    x = select(x > low, x, splat(low));
    x = select(x < high, x, splat(high));
    return b.convert(change::trunc, b.convert(change::fptosi_fits, x.v, elem::i32), memory_elem(t));
}

value nest_emitter::narrow(value v, const vm_store& st, vm_type t) {
    if (st.saturating)
        return saturate(v, t);
    switch (t) {
    case vm_type::float_type:
    case vm_type::double_type:
    case vm_type::int64_type:
    case vm_type::uint64_type:
        return v;
    case vm_type::half_type:
        return vec::float_to_half({v});
    case vm_type::bf16_type:
        return b.convert(change::trunc, vec::bf16_bits({v}).v, elem::i16);
    case vm_type::bool_type:
        return b.convert(change::zext, (vec::vf{v} != 0.0f).v, elem::i8);
    default:
        return b.convert(change::trunc, v, memory_elem(t));
    }
}

void nest_emitter::store_elements(int s, value elements, const window& w) {
    const vm_type t = stream(s).type;
    const value at = w.at[std::size_t(s)];
    const bool unit = stream(s).stride == jit_stride::unit;
    if (unit and (w.mask == nullptr or can_mask(t))) {
        b.store(elements, at, w.mask);
        return;
    }
    if (not unit and can_gather(t)) {
        b.scatter(elements, at, lane_offset[std::size_t(s)], w.mask);
        return;
    }
    const value size = b.integer(elem::i64, vm_type_size(t));
    const value step = unit ? size : col_steps[std::size_t(s)];
    if (w.mask == nullptr) {
        value to = at;
        for (int i = 0; i < width; ++i) {
            b.store(b.extract(elements, i), to);
            to = b.advance(to, step);
        }
        return;
    }
    const value buffer = b.stack(width * vm_type_size(t));
    b.store(elements, buffer);
    copy_elements(t, at, step, buffer, size, w.count);
}

void nest_emitter::store(int k, value v, const window& w) {
    const int s = f.inputs() + k;
    const vm_type t = stream(s).type;
    if (not by_helper(t)) {
        store_elements(s, narrow(v, f.graph.stores[std::size_t(k)], t), w);
        return;
    }
    const value buffer = b.stack(width * 4);
    b.store(v, buffer);
    const value unit = b.integer(elem::i64, 1);
    const value stride =
        stream(s).stride == jit_stride::other ? col_steps[std::size_t(s)] : unit;
    b.call_move(helper(2 * (int64_t(f.graph.nodes.size()) + k)), w.at[std::size_t(s)], buffer, unit,
                b.integer(elem::i64, 0), w.count == nullptr ? b.integer(elem::i64, width) : w.count,
                stride);
}

} // namespace migraphx::cpu::jit
