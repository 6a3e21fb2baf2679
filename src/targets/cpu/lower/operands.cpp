// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/operands.hpp"

#include "targets/cpu/kernels/dispatch/run_copy.hpp"

namespace migraphx::cpu {

std::optional<elem_type> element_of(shape::type_t t) {
    switch (t) {
    case shape::float_type:
        return elem_type::f32;
    case shape::half_type:
        return elem_type::f16;
    case shape::bf16_type:
        return elem_type::bf16;
    case shape::double_type:
        return elem_type::f64;
    case shape::int8_type:
        return elem_type::i8;
    case shape::uint8_type:
        return elem_type::u8;
    case shape::int16_type:
        return elem_type::i16;
    case shape::uint16_type:
        return elem_type::u16;
    case shape::int32_type:
        return elem_type::i32;
    case shape::uint32_type:
        return elem_type::u32;
    case shape::int64_type:
        return elem_type::i64;
    case shape::uint64_type:
        return elem_type::u64;
    case shape::bool_type:
        return elem_type::boolean;
    default:
        return std::nullopt;
    }
}

std::optional<int64_t> merged_stride(const shape& s, std::size_t first, std::size_t last) {
    int64_t step = 0, next = -1;
    for (std::size_t i = last; i-- > first;) {
        const auto len = int64_t(s.lens()[i]), stride = int64_t(s.strides()[i]);
        if (len == 1)
            continue;
        if (next < 0)
            step = stride;
        else if (stride != next)
            return std::nullopt;
        next = stride * len;
    }
    return step;
}

int64_t elements_between(const shape& s, std::size_t first, std::size_t last) {
    int64_t n = 1;
    for (auto i = first; i < last; i++)
        n *= int64_t(s.lens()[i]);
    return n;
}

std::optional<strided_copy> strided_copy::make(std::size_t elem, const sizes& lens,
                                               const sizes& from, const sizes& to) {
    if (elem != 1 and elem != 2 and elem != 4 and elem != 8)
        return std::nullopt;
    strided_copy c;
    sizes n, src, dst;
    for (std::size_t i = 0; i < lens.size(); i++) {
        if (lens[i] == 0)
            return c;
        if (lens[i] == 1)
            continue;
        if (not n.empty() and src.back() == from[i] * lens[i] and dst.back() == to[i] * lens[i]) {
            n.back() *= lens[i];
            src.back() = from[i];
            dst.back() = to[i];
            continue;
        }
        n.push_back(lens[i]);
        src.push_back(from[i]);
        dst.push_back(to[i]);
    }
    if (n.size() > std::size_t(copy_params::max_rank))
        return std::nullopt;
    c.nothing = not plan_copy(c.plan, int(elem), int(n.size()), n.data(), src.data(), dst.data());
    return c;
}

std::optional<strided_copy> strided_copy::make(const shape& from, const shape& to) {
    return make(to.type_size(), lens_of(to), strides_of(from), strides_of(to));
}

void strided_copy::run(const char* from, char* to) const {
    if (not nothing)
        run_copy(plan, from, to);
}

std::optional<dense_input> dense_input::make(const problem& p, std::size_t index,
                                             scratch_layout& scratch) {
    const auto& s = p.inputs.at(index);
    dense_input d;
    d.index = index;
    d.direct = is_dense(s);
    if (d.direct)
        return d;
    const auto c = strided_copy::make(s, s.as_standard());
    if (not c)
        return std::nullopt;
    d.copy = *c;
    d.offset = scratch.take(s.elements() * s.type_size());
    return d;
}

const char* dense_input::get(const kernel_args& args) const {
    if (direct)
        return args.inputs[index];
    copy.run(args.inputs[index], args.scratch + offset);
    return args.scratch + offset;
}

std::optional<dense_output> dense_output::make(const shape& s, std::size_t index,
                                               scratch_layout& scratch) {
    dense_output d;
    d.index = index;
    d.direct = is_dense(s);
    if (d.direct)
        return d;
    const auto c = strided_copy::make(s.as_standard(), s);
    if (not c)
        return std::nullopt;
    d.copy = *c;
    d.offset = scratch.take(s.elements() * s.type_size());
    return d;
}

char* dense_output::begin(const kernel_args& args) const {
    return direct ? args.outputs[index] : args.scratch + offset;
}

void dense_output::end(const kernel_args& args) const {
    if (not direct)
        copy.run(args.scratch + offset, args.outputs[index]);
}

} // namespace migraphx::cpu
