// SPDX-License-Identifier: MIT
// loop(limit, cond, state...) with a module (iteration, cond, state...) -> (cond, state...,
// scan...): runs the module while cond holds, at most `limit` and `max_iterations` times. Results:
// the last state, and for each scan output its values stacked in a new first dimension of
// max_iterations rows, the unused ones zero. loop_dynamic has as many rows as iterations were run,
// its state may change size from one to the next, and more than max_iterations are an error.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

namespace {

std::vector<std::size_t> stacked_lens(std::size_t rows, const std::vector<std::size_t>& lens) {
    auto result = lens;
    result.insert(result.begin(), rows);
    return result;
}

// Row `row` of a tensor of stacked values.
argument stacked_row(const argument& a, std::size_t row) {
    const auto& s = a.get_shape();
    const std::vector<std::size_t> lens(s.lens().begin() + 1, s.lens().end());
    const shape one{s.type(), lens};
    return a.view(one, row * one.bytes());
}

template <bool Dynamic>
struct loop_op {
    int64_t max_iterations = 10;
    std::vector<int64_t> scan_output_directions;

    static constexpr auto name = Dynamic ? "loop_dynamic" : "loop";
    static constexpr auto summary = Dynamic ? "Runs a module repeatedly; one row for each iteration"
                                            : "Runs a module repeatedly";
    static void traits(op_info& info) { info.takes_boxed = true; }
    static void fields(field_list<loop_op>& f) {
        f.add("max_iterations", &loop_op::max_iterations, "bound of the number of iterations");
        f.add("scan_output_directions", &loop_op::scan_output_directions,
              "1 for each scan output that is filled from the back");
    }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(2);
        const auto& body = *only_module(mods);
        if (max_iterations < 0)
            fail_shape(
                str("max_iterations that is not negative was expected, got ", max_iterations));
        if (body.get_parameter_names().size() != in.size())
            fail_shape(str(body.get_parameter_names().size(),
                           " inputs (limit, condition, state) were expected, got ", in.size()));
        const auto outputs = body.get_output_shapes();
        const auto states = in.size() - 2;
        if (outputs.size() < states + 1)
            fail_shape(str("a module with at least ", states + 1, " results was expected, got ",
                           outputs.size()));
        std::vector<shape> results;
        for (std::size_t i = 1; i < outputs.size(); ++i) {
            const auto& s = outputs[i];
            if (i > states and s.type() == shape::tuple_type)
                fail_shape(str("a tensor was expected for scan output ", i - states - 1, ", got {",
                               s, "}"));
            if (i <= states) {
                results.push_back(state_shape(in[i + 1], s, i - 1));
                continue;
            }
            const auto rows = static_cast<std::size_t>(max_iterations);
            if (not Dynamic and not s.dynamic()) {
                results.emplace_back(s.type(), stacked_lens(rows, s.lens()));
                continue;
            }
            if (not s.has_rank()) {
                results.push_back(s);
                continue;
            }
            auto dims = dims_of(demote_to_range(s));
            dims.insert(dims.begin(), {Dynamic ? 0 : rows, rows});
            results.emplace_back(s.type(), dims);
        }
        return shape{results};
    }
    static shape state_shape(const shape& in, const shape& out, std::size_t i) {
        const bool fixed = not in.dynamic() and not out.dynamic();
        if (fixed and in.type() != shape::tuple_type and out.type() != shape::tuple_type and
            in.lens() != out.lens())
            fail_shape(str("state ", i, " of constant dimensions was expected, got {", in,
                           "} and {", out, "} after an iteration"));
        return with_context(
            [&] {
                const auto both = joined_shape(in, out);
                return both.scalar() ? both : demoted(both);
            },
            [&] { return str("for state ", i, " before and after an iteration"); });
    }
    // Symbols of the first iteration say nothing of the others.
    static shape demoted(const shape& s) {
        return s.symbolic() ? demote_to_range(s) : s.as_standard();
    }

    argument evaluate(const shape&, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        auto* body = only_module(mods);
        const auto names = body->get_parameter_names();
        const auto states = in.size() - 2;
        const auto limit = load<int64_t>(in[0]).at(0);
        bool condition = load<double>(in[1]).at(0) != 0;

        std::unordered_map<std::string, argument> parameters;
        for (std::size_t i = 1; i < in.size(); ++i)
            parameters[names[i]] = in[i];
        const auto counter_shape = body->get_parameter_shape(names[0]);
        std::vector<std::vector<argument>> scans;
        int64_t iterations = 0;
        for (; iterations < limit and condition; ++iterations) {
            if (iterations == max_iterations) {
                if (not Dynamic)
                    break;
                fail_shape(str("a loop of at most ", max_iterations,
                               " iterations (max_iterations, of models limit_max_iterations) was "
                               "expected, got more"));
            }
            argument counter(counter_shape.dynamic() ? shape{counter_shape.type()} : counter_shape);
            store(counter, 0, 1, &iterations);
            parameters[names[0]] = counter;
            const auto results = run(body, parameters);
            condition = load<double>(results.at(0)).at(0) != 0;
            for (std::size_t i = 0; i <= states; ++i)
                parameters[names[i + 1]] = results.at(i);
            scans.resize(results.size() - 1 - states);
            for (std::size_t i = 0; i < scans.size(); ++i)
                scans[i].push_back(results[states + 1 + i]);
        }

        std::vector<argument> results;
        for (std::size_t i = 0; i < states; ++i) {
            const auto& state = parameters[names[i + 2]];
            results.push_back(in_layout(state, state.get_shape().as_standard()));
        }
        const auto outputs = body->get_output_shapes();
        for (std::size_t i = states + 1; i < outputs.size(); ++i)
            results.push_back(stacked(outputs[i], i - states - 1, scans));
        return {results};
    }
    argument stacked(const shape& row, std::size_t scan,
                     const std::vector<std::vector<argument>>& scans) const {
        const auto values = scan < scans.size() ? scans[scan] : std::vector<argument>{};
        const auto rows = Dynamic ? values.size() : static_cast<std::size_t>(max_iterations);
        const auto lens = values.empty() ? row.dynamic() ? row.min_lens() : row.lens()
                                         : values.front().get_shape().lens();
        argument result(shape{row.type(), stacked_lens(rows, lens)});
        const bool from_back =
            scan < scan_output_directions.size() and scan_output_directions[scan] == 1;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i].get_shape().lens() != lens)
                fail_shape(str("scan output ", scan, " of equal dimensions was expected, got {",
                               values.front().get_shape(), "} and {", values[i].get_shape(), "}"));
            copy_elements(stacked_row(result, from_back ? rows - 1 - i : i), values[i]);
        }
        return result;
    }
};

const registered_op<loop_op<false>> loop_registered;
const registered_op<loop_op<true>> loop_dynamic_registered;

} // namespace

} // namespace migraphx
