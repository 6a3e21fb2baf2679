// SPDX-License-Identifier: MIT
#include "built_case.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>

#include "base/str.hpp"
#include "ir/text_parser.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace op_cases {

using namespace migraphx;

namespace {

// Pairs of 4-bit numbers have no value of their own: they are compared as bytes.
argument countable(const argument& a) {
    const auto& s = a.get_shape();
    return s.type() == shape::fp4x2_type
               ? argument{shape{shape::uint8_type, s.lens(), s.strides()}, a.data()}
               : a;
}
void store_numbers(const argument& a, const std::vector<double>& x) {
    store(countable(a), x);
}

constexpr std::size_t guard_bytes = 64;
constexpr char guard_byte = 0x5a;

double default_tolerance(shape::type_t t) {
    switch (t) {
    case shape::float_type:
    case shape::double_type:
        return 1e-5;
    case shape::half_type:
        return 2e-3;
    case shape::bf16_type:
        return 1.6e-2;
    default:
        return shape::is_integral(t) or t == shape::bool_type or t == shape::fp4x2_type ? 0 : 0.13;
    }
}

bool is_whole(shape::type_t t) {
    return shape::is_integral(t) or t == shape::bool_type;
}

} // namespace

std::vector<double> numbers_of(const argument& a) {
    return load<double>(countable(a));
}

guarded_operand::guarded_operand(const argument& values, const shape& layout)
    : memory(layout.bytes() + 2 * guard_bytes, guard_byte),
      view(layout, memory.data() + guard_bytes) {
    const auto lens = values.get_shape().lens();
    if (layout.broadcasted() and not(layout.ndim() == 1 and layout.scalar())) {
        // What is addressed twice takes the last value written.
        const auto data = numbers_of(values);
        for (std::size_t i = 0; i < data.size(); ++i) {
            const auto width = layout.type_size();
            std::memcpy(view.data() + layout.index(i) * width,
                        values.data() + values.get_shape().index(i) * width, width);
        }
    } else
        store_numbers(view, numbers_of(values));
    before = memory;
}

bool built_case::unchanged() const {
    return std::all_of(operands.begin(), operands.end(),
                       [](const auto& o) { return o.unchanged(); });
}

built_case build(const op_case& c, const layout_function& layout, const layout_function& declared) {
    built_case result;
    auto* m = result.prog.get_main_module();
    std::vector<instruction_ref> inputs;
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
        const auto& o = c.operands[i];
        if (o.missing) {
            inputs.push_back(m->add_instruction(make_op("undefined")));
            continue;
        }
        const auto values = make_operand(o, i);
        if (o.constant) {
            inputs.push_back(m->add_literal(literal{values.get_shape(), values.data()}));
            continue;
        }
        const auto s = layout ? layout(o.type, i) : o.type;
        const auto name = "x" + std::to_string(i);
        result.operands.emplace_back(values, s);
        result.parameters[name] = result.operands.back().get();
        inputs.push_back(m->insert_parameter(m->end(), name, declared ? declared(s, i) : s));
    }
    std::vector<module_ref> modules;
    for (const auto& text : c.modules)
        modules.push_back(result.prog.create_module("m" + std::to_string(modules.size()),
                                                    parse_module_text(text)));
    // Bodies of fused instructions are for kernels: passes leave them alone, as those that make them
    // do.
    const auto op = parse_operation_text(c.operation);
    for (auto* body : modules)
        if (op.name() == "pointwise" or op.name() == "fused_reduce")
            body->set_bypass();
    const auto r = m->add_instruction(op, inputs, modules);
    std::vector<instruction_ref> results{r};
    if (r->get_shape().type() == shape::tuple_type) {
        results.clear();
        for (std::size_t i = 0; i < r->get_shape().sub_shapes().size(); ++i)
            results.push_back(m->add_instruction(make_op("get_tuple_elem", {{"index", i}}), r));
    }
    m->add_return(results);
    return result;
}

std::string differs(const std::vector<double>& got, const std::vector<double>& wanted,
                    shape::type_t t, const std::optional<double>& tolerance) {
    if (got.size() != wanted.size())
        return str(wanted.size(), " elements were expected, got ", got.size());
    double top = is_whole(t) ? 1 : 1e-30;
    for (double v : wanted)
        if (std::isfinite(v) and not is_whole(t))
            top = std::max(top, std::fabs(v));
    const double limit = top * tolerance.value_or(default_tolerance(t));
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double a = got[i], b = wanted[i];
        const bool equal = std::isnan(b)   ? std::isnan(a)
                           : std::isinf(b) ? a == b
                                           : std::fabs(a - b) <= limit;
        if (not equal)
            return str("element ", i, ": ", b, " was expected, got ", a);
    }
    return "";
}

std::string differs(const std::vector<argument>& got, const std::vector<argument>& wanted,
                    const std::optional<double>& tolerance) {
    if (got.size() != wanted.size())
        return str(wanted.size(), " results were expected, got ", got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const auto &a = got[i].get_shape(), &b = wanted[i].get_shape();
        if (a.type() != b.type() or a.lens() != b.lens())
            return str("result ", i, ": the shape ", b, " was expected, got ", a);
        if (auto d = differs(numbers_of(got[i]), numbers_of(wanted[i]), b.type(), tolerance);
            not d.empty())
            return str("result ", i, ", ", d);
    }
    return "";
}

} // namespace op_cases
