// SPDX-License-Identifier: MIT
#include "check.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/register_target.hpp>

#include "base/str.hpp"
#include "ir/text.hpp"
#include "ir/text_parser.hpp"
#include "ops/tensor.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace fuzz {

using namespace migraphx;

namespace {

using results = std::vector<argument>;

// What the cpu target does before it lowers, in its order; without its own passes, whose operators
// the reference cannot all evaluate.
const std::vector<std::string>& pass_names() {
    static const std::vector<std::string> names{"normalize_ops",
                                                "relax_views",
                                                "rewrite_rnn",
                                                "eliminate_identity",
                                                "eliminate_common_subexpression",
                                                "propagate_constant",
                                                "simplify_reshapes",
                                                "simplify_algebra",
                                                "eliminate_common_subexpression",
                                                "fold_convolution",
                                                "simplify_algebra",
                                                "recognise_composites",
                                                "simplify_reshapes",
                                                "propagate_constant",
                                                "fuse_pointwise"};
    return names;
}

// How far result `i` may be from the reference, element by element.
using limits = std::vector<double>;

std::string first_difference(const results& got, const results& wanted, const limits& most) {
    if (got.size() != wanted.size())
        return str(wanted.size(), " results were expected, got ", got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const auto &a = got[i].get_shape(), &b = wanted[i].get_shape();
        if (a.type() != b.type() or a.lens() != b.lens())
            return str("result ", i, ": the shape ", b, " was expected, got ", a);
        const bool whole = b.type() == shape::int64_type or b.type() == shape::uint64_type;
        if (whole and most[i] == 0) {
            const auto x = load<int64_t>(got[i]), y = load<int64_t>(wanted[i]);
            for (std::size_t k = 0; k < x.size(); ++k)
                if (x[k] != y[k])
                    return str("result ", i, ", element ", k, ": ", y[k], " was expected, got ",
                               x[k]);
            continue;
        }
        const auto x = load<double>(got[i]), y = load<double>(wanted[i]);
        for (std::size_t k = 0; k < x.size(); ++k) {
            const bool equal = std::isnan(y[k])   ? std::isnan(x[k])
                               : std::isinf(y[k]) ? x[k] == y[k]
                                                  : std::fabs(x[k] - y[k]) <= most[i];
            if (not equal)
                return str("result ", i, ", element ", k, ": ", y[k], " was expected, got ", x[k],
                           ", more than ", most[i], " apart");
        }
    }
    return "";
}

results evaluate(program p, const char* target, const parameter_map& parameters,
                 bool again = false) {
    p.compile(make_target(target));
    auto result = p.eval(parameters);
    if (again)
        result = p.eval(parameters);
    for (auto& r : result)
        r = r.copy();
    return result;
}

// Checks that all forms of a program share.
class checker {
public:
    checker(const program& tested, parameter_map values,
            std::function<limits(const results&)> tolerance)
        : p(tested), parameters(std::move(values)), limits_for(std::move(tolerance)) {}

    std::string run() {
        if (auto what = text_differs(); not what.empty())
            return what;
        if (auto what = step("ref", [&] { wanted = evaluate(p, "ref", parameters); });
            not what.empty())
            return what;
        most = limits_for(wanted);
        if (auto what = compare("ref after the passes",
                                [&] { return evaluate(passed(), "ref", parameters); });
            not what.empty())
            return what;
        if (auto what = compare("cpu", [&] { return evaluate(p, "cpu", parameters); });
            not what.empty())
            return what;
        return compare("cpu, run again", [&] { return evaluate(p, "cpu", parameters, true); });
    }
    const results& reference() const { return wanted; }
    std::string compare(const std::string& where, const std::function<results()>& f) {
        std::string difference;
        if (auto what = step(where, [&] { difference = first_difference(f(), wanted, most); });
            not what.empty())
            return what;
        return difference.empty() ? "" : where + ": " + difference;
    }

private:
    static std::string step(const std::string& where, const std::function<void()>& f) {
        try {
            f();
            return "";
        } catch (const std::exception& e) {
            return where + ": " + e.what();
        }
    }
    program passed() const {
        auto q = p;
        std::vector<pass> passes;
        for (const auto& name : pass_names())
            passes.push_back(make_pass(name));
        run_passes(q, passes);
        return q;
    }
    std::string text_differs() {
        return step("text", [&] {
            const auto text = migraphx::to_text(p, {true});
            if (not(parse_text(text) == p))
                throw std::runtime_error("the program is another one after print and parse");
        });
    }

    const program& p;
    parameter_map parameters;
    std::function<limits(const results&)> limits_for;
    results wanted;
    limits most;
};

// Ranges round the sizes above 1. Nothing where an operator wants sizes that are known.
std::optional<program> with_ranges(const graph& g) {
    // Its result is as large as the range allows.
    if (std::any_of(g.nodes.begin(), g.nodes.end(), [](const node& n) {
            return n.kind == node::operation and n.op.name() == "fixed_pad";
        }))
        return std::nullopt;
    try {
        return to_program(g, [](const shape& s) {
            if (s.scalar() or s.ndim() == 0 or s.elements() == 0)
                return s;
            std::vector<shape::dynamic_dimension> dims;
            for (auto n : s.lens())
                dims.emplace_back(n < 2 ? n : n - 1, n < 2 ? n : n + 2);
            return shape{s.type(), dims};
        });
    } catch (const migraphx::exception&) {
        return std::nullopt;
    }
}

std::string outside_of_bounds(const graph& g, const results& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto& r = g.nodes[g.outputs[i]].range;
        for (double x : load<double>(values[i]))
            if (x < r.lo - 2 * r.err - 1e-6 * std::fabs(r.lo) or
                x > r.hi + 2 * r.err + 1e-6 * std::fabs(r.hi))
                return str("bounds of result ", i, ", ", g.nodes[g.outputs[i]].op, ": from ", r.lo,
                           " to ", r.hi, " was expected of ref, got ", x);
    }
    return "";
}

double type_tolerance(shape::type_t t) {
    switch (t) {
    case shape::float_type:
        return 1e-5;
    case shape::double_type:
        return 1e-9;
    case shape::half_type:
        return 4e-3;
    case shape::bf16_type:
        return 3e-2;
    default:
        return 0;
    }
}

} // namespace

std::string check(const graph& g) {
    validate_after_passes(true);
    const auto p = to_program(g);
    const auto values = parameter_values(g);
    // Both sides may be off by the error.
    limits most;
    for (auto i : g.outputs)
        most.push_back(2 * g.nodes[i].range.err);
    checker c(p, values, [&](const results&) { return most; });
    if (auto what = c.run(); not what.empty())
        return what;
    if (auto what = outside_of_bounds(g, c.reference()); not what.empty())
        return what;
    const auto open = with_ranges(g);
    if (not open)
        return "";
    for (const char* target : {"ref", "cpu"})
        if (auto what = c.compare(str(target, ", ranges for dimensions"),
                                  [&] { return evaluate(*open, target, values); });
            not what.empty())
            return what;
    return "";
}

std::string check(const program& p) {
    validate_after_passes(true);
    parameter_map values;
    for (const auto& [name, s] : p.get_parameter_shapes())
        values[name] = parameter_value(name, s.dynamic() ? s.to_static(1) : s);
    checker c(p, values, [](const results& wanted) {
        limits most;
        for (const auto& r : wanted) {
            double top = 0;
            for (double x : load<double>(r))
                if (std::isfinite(x))
                    top = std::max(top, std::fabs(x));
            most.push_back(top * type_tolerance(r.get_shape().type()));
        }
        return most;
    });
    return c.run();
}

std::vector<argument> reference_values(const graph& g) {
    auto all = g;
    all.outputs.clear();
    for (std::size_t i = 0; i < g.nodes.size(); ++i)
        if (g.nodes[i].out.type() != shape::tuple_type)
            all.outputs.push_back(i);
    const auto values = evaluate(to_program(all), "ref", parameter_values(all));
    std::vector<argument> result(g.nodes.size());
    for (std::size_t i = 0; i < all.outputs.size(); ++i)
        result[all.outputs[i]] = values[i];
    return result;
}

std::string to_text(const graph& g) {
    return migraphx::to_text(to_program(g), {true});
}

} // namespace fuzz
