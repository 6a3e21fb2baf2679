// SPDX-License-Identifier: MIT
// Operators that evaluate a module as it is: group, run_on_target, select_module, and the bodies of
// fused reductions.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

std::vector<argument> run_module(const std::vector<module_ref>& mods, const module_runner& run,
                                 const std::vector<argument>& in) {
    auto* m = only_module(mods);
    return run(m, bind_parameters(*m, in));
}

bool any_dynamic(const std::vector<shape>& shapes) {
    return std::any_of(shapes.begin(), shapes.end(),
                       [](const shape& s) { return s.any_of_dynamic(); });
}

struct group_op {
    std::string tag;

    static constexpr auto name = "group";
    static constexpr auto summary = "Instructions that a target takes as one";
    static void fields(field_list<group_op>& f) {
        f.add("tag", &group_op::tag, "what the group is for");
    }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(1);
        const auto& body = *only_module(mods);
        expect_parameters(body, in, true);
        return one_or_tuple(body.get_output_shapes());
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        return in_layout(one_or_tuple(run_module(mods, run, in)), output);
    }
};

struct run_on_target_op {
    std::size_t target_id = 0;

    static constexpr auto name = "run_on_target";
    static constexpr auto summary = "A module that another target evaluates";
    static void fields(field_list<run_on_target_op>& f) {
        f.add("target_id", &run_on_target_op::target_id, "number of the target");
    }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        const auto& body = *only_module(mods);
        const auto count = body.get_parameter_names().size();
        if (count != in.size())
            fail_shape(str(count, " inputs were expected, got ", in.size()));
        return shape{body.get_output_shapes()};
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        return in_layout(argument{run_module(mods, run, in)}, output);
    }
};

// Modules for different sizes of the inputs. Parameters with "#output_" in their name stand for the
// result's memory.
struct select_module_op {
    shape output_dyn_shapes;

    static constexpr auto name = "select_module";
    static constexpr auto summary =
        "The first module whose parameters have the shapes of the inputs";
    static void fields(field_list<select_module_op>& f) {
        f.add("output_dyn_shapes", &select_module_op::output_dyn_shapes,
              "shape of the result of all modules");
    }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(1);
        if (mods.empty())
            fail_shape("at least 1 module was expected, got 0");
        return output_dyn_shapes;
    }
    static std::vector<std::string> input_parameters(const module& m) {
        auto names = sorted_parameters(m);
        std::erase_if(names, [](const std::string& n) { return n.find("#output_") != n.npos; });
        return names;
    }
    argument evaluate(const shape&, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        for (auto* m : mods) {
            const auto names = input_parameters(*m);
            if (names.size() > in.size())
                continue;
            std::unordered_map<std::string, argument> parameters;
            bool fits = true;
            for (std::size_t i = 0; i < names.size() and fits; ++i) {
                fits = shape::is_compatible(in[i].get_shape(), m->get_parameter_shape(names[i]));
                parameters[names[i]] = in[i];
            }
            if (not fits)
                continue;
            bind_outputs(*m, in.back(), parameters);
            return {run(m, parameters)};
        }
        fail_shape("a module for the shapes of the inputs was expected, got none");
    }
    static void bind_outputs(const module& m, const argument& buffer,
                             std::unordered_map<std::string, argument>& parameters) {
        std::size_t next = 0;
        const auto buffers = flatten({buffer});
        for (const auto& n : sorted_parameters(m))
            if (not parameters.contains(n) and next < buffers.size())
                parameters[n] = buffers[next++];
    }
};

const registered_op<group_op> group_registered;
const registered_op<run_on_target_op> run_on_target_registered;
const registered_op<select_module_op> select_module_registered;

// Do both put every element into the same place? Strides of one element say nothing.
bool same_places(const shape& a, const shape& b) {
    for (std::size_t d = 0; d < a.ndim(); d++)
        if (a.lens()[d] > 1 and a.strides()[d] != b.strides()[d])
            return false;
    return true;
}

// A result in the majority order of those inputs that have its rank; of stretched ones only where
// all are.
shape fused_result(const shape& result, const std::vector<shape>& in) {
    std::vector<shape> all, plain;
    for (const auto& s : in)
        if (s.ndim() == result.ndim() and not s.dynamic()) {
            all.push_back(s);
            if (not s.broadcasted())
                plain.push_back(s);
        }
    const auto& voters = plain.empty() ? all : plain;
    if (result.dynamic() or voters.empty())
        return result;
    const auto ordered =
        shape::from_permutation(result.type(), result.lens(), find_permutation(voters));
    return same_places(ordered, result) ? result : ordered;
}

shape fused_results(const module& body, const std::vector<shape>& in) {
    std::vector<shape> results;
    for (const auto& s : any_dynamic(in) ? module_shapes(body, in) : body.get_output_shapes())
        results.push_back(fused_result(s, in));
    return one_or_tuple(results);
}

struct fused_reduce_op {
    std::vector<int64_t> axes;

    static constexpr auto name = "fused_reduce";
    static constexpr auto summary = "Elementwise operators and reductions over the same axes";
    static void fields(field_list<fused_reduce_op>& f) {
        f.add("axes", &fused_reduce_op::axes, "dimensions that are reduced");
    }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        const auto& body = *only_module(mods);
        expect(in).at_least(1).tensor();
        expect_parameters(body, in, false);
        return fused_results(body, in);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        const auto& body = *only_module(mods);
        const auto results = is_flat(body) ? evaluate_flat(body, in) : run_module(mods, run, in);
        return in_layout(one_or_tuple(results), output);
    }
};

struct split_fused_reduce_op {
    std::vector<int64_t> axes;
    std::string assign = "assign_none";

    static constexpr auto name = "split_fused_reduce";
    static constexpr auto summary = "A fused reduction whose reduced axes are spread over workers";
    static void fields(field_list<split_fused_reduce_op>& f) {
        f.add("axes", &split_fused_reduce_op::axes, "dimensions that are reduced");
        f.add("assign", &split_fused_reduce_op::assign, "how partial results are combined");
    }
    value attributes() const { return {{"prefill", assign == "assign_add" ? value(0) : value{}}}; }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        const auto& body = *only_module(mods);
        expect(in).at_least(1).tensor();
        expect_parameters(body, in, false);
        return fused_results(body, in);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        return in_layout(one_or_tuple(run_module(mods, run, in)), output);
    }
};

const registered_op<fused_reduce_op> fused_reduce_registered;
const registered_op<split_fused_reduce_op> split_fused_reduce_registered;

} // namespace

} // namespace migraphx
