// SPDX-License-Identifier: MIT
// One case: shape inference; ref against the values given; text and file round trips; each target
// against ref, with operands in other memory layouts, with ranges for dimensions, and after saving.
// Operands lie between guard bytes and must not change.
#include "checks.hpp"

#include "built_case.hpp"

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
        b.prog.compile(make_target(target), with_copies());
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
            loaded.compile(make_target(target), with_copies());
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
        const layout_function ranges = [&](const shape& s, std::size_t position) {
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
