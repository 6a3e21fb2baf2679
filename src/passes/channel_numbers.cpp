// SPDX-License-Identifier: MIT
#include "passes/channel_numbers.hpp"

#include "ops/pointwise_table.hpp"
#include "ops/tensor.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <iterator>

namespace migraphx {

namespace {

bool is_stretched(instruction_ref x) {
    return x->name() == "multibroadcast" or x->name() == "broadcast";
}

bool is_pointwise(instruction_ref ins) {
    return find_pointwise_row(ins->name()) != nullptr;
}

bool is_float(shape::type_t t) {
    return t == shape::float_type or t == shape::double_type or t == shape::half_type or
           t == shape::bf16_type;
}

// Of an operator on constants.
std::optional<channel_list> computed_numbers(instruction_ref ins) {
    std::vector<channel_list> operands;
    for (auto x : ins->inputs())
        if (const auto numbers = channel_numbers(x); numbers and is_float(x->get_shape().type()))
            operands.push_back(*numbers);
        else
            return std::nullopt;
    return computed_numbers(ins->get_operator(), ins->get_shape().lens()[1], std::move(operands));
}

// Where the source's first axis is among those of `x`.
std::size_t first_axis(instruction_ref x) {
    std::size_t first = 0;
    for (; is_stretched(x); x = x->inputs().front())
        first += x->name() == "broadcast"
                     ? x->get_operator().get<std::size_t>("axis")
                     : x->get_shape().ndim() - x->inputs().front()->get_shape().ndim();
    return first;
}

// One for each channel of `image`, before `pos`.
instruction_ref channel_constant(module& m, instruction_ref pos, instruction_ref image,
                                 const channel_list& numbers) {
    const auto& s = image->get_shape();
    const argument value{shape{s.type(), {numbers.size()}}};
    store(value, numbers);
    const auto constant = m.insert_literal(pos, literal{value.get_shape(), value.data()});
    if (s.dynamic())
        return m.insert_instruction(pos, make_op("broadcast", {{"axis", 1}}), constant, image);
    return m.insert_instruction(pos, make_op("broadcast", {{"axis", 1}, {"out_lens", s.lens()}}),
                                constant);
}

} // namespace

instruction_ref stretched_source(instruction_ref x) {
    while (is_stretched(x))
        x = x->inputs().front();
    return x;
}

std::vector<instruction_ref> value_readers(instruction_ref ins) {
    auto readers = ins->outputs();
    std::erase_if(readers, [&](auto r) { return is_stretched(r) and r->inputs().front() != ins; });
    return readers;
}

std::optional<channel_list> channel_numbers(instruction_ref x) {
    const auto source = stretched_source(x);
    const auto& s = source->get_shape();
    if (s.type() == shape::tuple_type or x->get_shape().ndim() < 2 or not source->can_eval())
        return std::nullopt;
    if (s.dynamic() or s.elements() == 0)
        return std::nullopt;
    if (source == x and is_pointwise(x))
        return computed_numbers(x);
    const auto first = first_axis(x);
    auto lens = s.lens();
    for (std::size_t i = 0; i < lens.size(); i++) {
        if (s.strides()[i] == 0)
            lens[i] = 1;
        if (lens[i] != 1 and first + i != 1)
            return std::nullopt;
    }
    const auto value = source->eval();
    return load<double>(value.view(shape{s.type(), lens, value.get_shape().strides()}, 0));
}

std::optional<channel_list> computed_numbers(const operation& op, std::size_t channels,
                                             std::vector<channel_list> operands) {
    const shape s{shape::float_type, {channels}};
    std::vector<argument> in;
    for (auto& numbers : operands) {
        if (numbers.size() != channels and numbers.size() != 1)
            return std::nullopt;
        numbers.resize(channels, numbers.front());
        store(in.emplace_back(s), numbers);
    }
    return load<double>(op.compute(op.compute_shape(std::vector<shape>(in.size(), s)), in));
}

void fold_channel_constants(module& m) {
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        if (not is_pointwise(ins) or ins->can_eval())
            continue;
        for (auto x : std::vector<instruction_ref>(ins->inputs()))
            if (is_pointwise(x) and is_float(x->get_shape().type()))
                if (const auto numbers = channel_numbers(x))
                    instruction::replace_argument(ins, x, channel_constant(m, ins, x, *numbers));
    }
}

void add_to_channels(module& m, instruction_ref ins, const channel_list& numbers) {
    if (std::all_of(numbers.begin(), numbers.end(), [](auto x) { return x == 0; }))
        return;
    const auto readers = value_readers(ins);
    if (readers.size() == 1 and readers.front()->name() == "add") {
        const auto reader = readers.front();
        const auto other = reader->inputs()[reader->inputs()[0] == ins ? 1 : 0];
        if (auto sums = channel_numbers(other)) {
            sums->resize(numbers.size(), sums->front());
            for (std::size_t i = 0; i < numbers.size(); i++)
                (*sums)[i] += numbers[i];
            instruction::replace_argument(reader, other, channel_constant(m, reader, ins, *sums));
            return;
        }
    }
    const auto after = std::next(ins);
    const auto added =
        m.insert_instruction(after, make_op("add"), ins, channel_constant(m, after, ins, numbers));
    for (auto reader : readers)
        instruction::replace_argument(reader, ins, added);
}

} // namespace migraphx
