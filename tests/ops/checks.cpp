// SPDX-License-Identifier: MIT
// One case: shape inference; ref against the values given; text and file round trips; each target
// against ref, with operands in other memory layouts, with ranges for dimensions, and after saving.
// Operands lie between guard bytes and must not change.
#include "checks.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "base/str.hpp"
#include "ir/text.hpp"
#include "ir/text_parser.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <list>
#include <numeric>

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
std::vector<double> numbers_of(const argument& a) {
    return load<double>(countable(a));
}
void store_numbers(const argument& a, const std::vector<double>& x) {
    store(countable(a), x);
}

constexpr std::size_t guard_bytes = 64;
constexpr char guard_byte = 0x5a;

/// An operand's memory between guard bytes.
class guarded_operand {
public:
    guarded_operand(const argument& values, const shape& layout)
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
    const argument& get() const { return view; }
    bool unchanged() const { return memory == before; }

private:
    std::vector<char> memory;
    std::vector<char> before;
    argument view;
};

using layout_function = std::function<shape(const shape&, std::size_t position)>;

shape reversed_axes(const shape& s, std::size_t) {
    if (s.ndim() < 2)
        return s;
    std::vector<int64_t> order(s.ndim());
    std::iota(order.rbegin(), order.rend(), int64_t{0});
    return shape::from_permutation(s.type(), s.lens(), order);
}

shape with_gaps(const shape& s, std::size_t) {
    if (s.ndim() < 2)
        return s;
    std::vector<std::size_t> strides(s.ndim());
    std::size_t step = 1;
    for (std::size_t i = s.ndim(); i-- > 0; step *= s.lens()[i] + 1)
        strides[i] = step;
    return {s.type(), s.lens(), strides};
}

shape first_axis_broadcast(const shape& s, std::size_t position) {
    if (position > 0 or s.ndim() < 2)
        return s;
    auto strides = s.as_standard().strides();
    strides[0] = 0;
    return {s.type(), s.lens(), strides};
}

shape last_axis_broadcast(const shape& s, std::size_t position) {
    if (position > 0 or s.ndim() < 2)
        return s;
    std::vector<std::size_t> strides(s.ndim(), 0);
    std::size_t step = 1;
    for (std::size_t i = s.ndim() - 1; i-- > 0; step *= s.lens()[i])
        strides[i] = step;
    return {s.type(), s.lens(), strides};
}

struct built_case {
    program prog;
    std::list<guarded_operand> operands;
    parameter_map parameters;

    bool unchanged() const {
        return std::all_of(operands.begin(), operands.end(),
                           [](const auto& o) { return o.unchanged(); });
    }
};

using declare_function = std::function<shape(const shape&, std::size_t position)>;

// The operator, with operands in these layouts, as parameters declared so.
built_case build(const op_case& c, const layout_function& layout,
                 const declare_function& declared) {
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
    const auto r = m->add_instruction(parse_operation_text(c.operation), inputs, modules);
    std::vector<instruction_ref> results{r};
    if (r->get_shape().type() == shape::tuple_type) {
        results.clear();
        for (std::size_t i = 0; i < r->get_shape().sub_shapes().size(); ++i)
            results.push_back(m->add_instruction(make_op("get_tuple_elem", {{"index", i}}), r));
    }
    m->add_return(results);
    return result;
}

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

// The tolerance is relative to the largest finite value; for integers it is absolute.
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

class checker {
public:
    checker(const op_case& tested, const std::vector<std::string>& names)
        : c(tested), targets(names) {}

    std::vector<std::string> run() {
        if (not c.error.empty()) {
            expect_error();
            return faults;
        }
        attempt("shape", [&] { check_shapes(); });
        if (not faults.empty())
            return faults;
        attempt("text and files", [&] { check_round_trips(); });
        attempt("ref", [&] { check_reference(); });
        if (not faults.empty())
            return faults;
        for (const auto& t : targets)
            if (t != "ref")
                attempt(t, [&] { check_target(t); });
        // Operands that repeat values in their own layout would hold others.
        const bool repeats = std::any_of(c.operands.begin(), c.operands.end(), [](const auto& o) {
            return o.type.broadcasted() and not(o.type.ndim() == 1 and o.type.lens()[0] == 1);
        });
        if (not c.packed and not repeats) {
            check_layout("axes reversed in memory", reversed_axes, true);
            check_layout("gaps between rows", with_gaps, true);
            if (stretchable()) {
                check_layout("first axis broadcast", first_axis_broadcast, false);
                check_layout("last axis broadcast", last_axis_broadcast, false);
            }
        }
        if (not c.fixed)
            check_ranges();
        return faults;
    }

private:
    void fault(const std::string& where, const std::string& what) {
        if (not what.empty())
            faults.push_back(where + ": " + what);
    }
    void attempt(const std::string& where, const std::function<void()>& f) {
        try {
            f();
        } catch (const std::exception& e) {
            fault(where, e.what());
        }
    }

    void expect_error() {
        std::string message = "no error";
        try {
            auto b = build(c, {}, {});
            b.prog.compile(make_target("ref"));
            b.prog.eval(b.parameters);
        } catch (const std::exception& e) {
            message = e.what();
        }
        if (message.find(c.error) == std::string::npos)
            fault("error", "'" + c.error + "' was expected, got '" + message + "'");
    }

    void check_shapes() {
        const auto outputs = build(c, {}, {}).prog.get_output_shapes();
        if (c.shapes.empty())
            return;
        if (outputs.size() != c.shapes.size())
            return fault("shape",
                         str(c.shapes.size(), " results were expected, got ", outputs.size()));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const auto type = c.shapes[i].type.value_or(outputs[i].type());
            // What values decide is checked when the reference has run.
            if (outputs[i].dynamic()
                    ? outputs[i].type() != type
                    : outputs[i].lens() != c.shapes[i].lens or outputs[i].type() != type)
                fault("shape", str("result ", i, ": ", shape{type, c.shapes[i].lens},
                                   " was expected, got ", outputs[i]));
        }
    }

    void check_round_trips() {
        const auto b = build(c, {}, {});
        const auto op = parse_operation_text(c.operation);
        // `load` prints where its part ends in place of its shape, which the line of a program
        // states.
        if (parse_operation_text(to_text(op, {op.name() == "load"})) != op)
            fault("text", "the operator is another one after print and parse: " + to_text(op));
        for (bool lossless : {false, true}) {
            const auto text = to_text(b.prog, {lossless});
            const auto again = parse_text(text);
            if (to_text(again, {lossless}) != text or (lossless and not(again == b.prog)))
                fault("text", "the program is another one after print and parse:\n" + text);
        }
        for (const char* format : {"msgpack", "json"}) {
            file_options options;
            options.format = format;
            if (not(load_buffer(save_buffer(b.prog, options), options) == b.prog))
                fault("file", str("the program is another one after saving as ", format));
        }
    }

    std::vector<argument> evaluate(built_case& b, const std::string& target) {
        b.prog.compile(make_target(target));
        auto result = b.prog.eval(b.parameters);
        if (not c.writes and not b.unchanged())
            fault(target, "an operand or the memory around it was written to");
        return result;
    }

    void check_reference() {
        auto b = build(c, {}, {});
        wanted = evaluate(b, "ref");
        for (auto& w : wanted)
            w = w.copy();
        for (std::size_t i = 0; i < c.shapes.size() and i < wanted.size(); ++i)
            if (wanted[i].get_shape().lens() != c.shapes[i].lens)
                fault("ref", str("result ", i, ": the dimensions ", c.shapes[i].lens,
                                 " were expected, got ", wanted[i].get_shape()));
        if (c.results.empty())
            return;
        if (wanted.size() != c.results.size())
            return fault("ref",
                         str(c.results.size(), " results were expected, got ", wanted.size()));
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (not c.results[i].empty())
                fault("ref", differs(numbers_of(wanted[i]), c.results[i],
                                     wanted[i].get_shape().type(), c.tolerance));
    }

    void check_target(const std::string& target) {
        auto b = build(c, {}, {});
        fault(target, differs(evaluate(b, target), wanted, c.tolerance));
        fault(target + ", run again", differs(b.prog.eval(b.parameters), wanted, c.tolerance));
        auto loaded = load_buffer(save_buffer(b.prog));
        if (not loaded.is_compiled())
            loaded.compile(make_target(target));
        fault(target + ", compiled, saved and loaded",
              differs(loaded.eval(b.parameters), wanted, c.tolerance));
    }

    // Operators whose operands may repeat values without being another test.
    bool stretchable() const {
        return not c.operands.empty() and not c.operands[0].missing and not c.operands[0].constant;
    }

    void check_layout(const std::string& what, const layout_function& layout, bool same_values) {
        bool differs_from_packed = false;
        for (std::size_t i = 0; i < c.operands.size(); ++i)
            if (not c.operands[i].missing and not c.operands[i].constant)
                differs_from_packed |= layout(c.operands[i].type, i) != c.operands[i].type;
        if (not differs_from_packed)
            return;
        auto expected = wanted;
        attempt("ref, " + what, [&] {
            auto b = build(c, layout, {});
            auto result = evaluate(b, "ref");
            if (same_values)
                fault("ref, " + what, differs(result, wanted, c.tolerance));
            expected.clear();
            for (const auto& r : result)
                expected.push_back(r.copy());
        });
        for (const auto& t : targets)
            if (t != "ref")
                attempt(t + ", " + what, [&] {
                    auto b = build(c, layout, {});
                    fault(t + ", " + what, differs(evaluate(b, t), expected, c.tolerance));
                });
    }

    // The same with ranges for the dimensions that are not one.
    void check_ranges() {
        const declare_function ranges = [&](const shape& s, std::size_t position) {
            if (s.ndim() == 0 or s.scalar() or (c.batch and position > 0))
                return s;
            std::vector<shape::dynamic_dimension> dims;
            for (std::size_t i = 0; i < s.ndim(); ++i) {
                const auto n = s.lens()[i];
                if (n < 2 or (c.batch and i > 0))
                    dims.emplace_back(n, n);
                else
                    dims.emplace_back(n - 1, n + 1);
            }
            return shape{s.type(), dims};
        };
        auto all = targets;
        if (std::find(all.begin(), all.end(), "ref") == all.end())
            all.insert(all.begin(), "ref");
        for (const auto& t : all)
            attempt(t + ", ranges for dimensions", [&] {
                auto b = build(c, {}, ranges);
                fault(t + ", ranges for dimensions", differs(evaluate(b, t), wanted, c.tolerance));
            });
    }

    const op_case& c;
    const std::vector<std::string>& targets;
    std::vector<argument> wanted;
    std::vector<std::string> faults;
};

} // namespace

std::vector<std::string> check(const op_case& c, const std::vector<std::string>& targets) {
    return checker(c, targets).run();
}

} // namespace op_cases
