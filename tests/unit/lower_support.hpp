// SPDX-License-Identifier: MIT
// Checks of the cpu target's kernels against the operators' reference evaluation: the kernel that
// lowering picks is run on its own, between guard bytes and in place where it allows that, and then
// once more through compiled programs. A fallback to the reference fails.
#pragma once

#include "ops_compute_support.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "runtime/weight_store.hpp"
#include "targets/cpu/lowering.hpp"

#include <cstring>
#include <set>

namespace lower_check {

using namespace ops_check;

struct check_options {
    double tolerance = 2e-5; ///< relative to the largest magnitude
    std::set<std::size_t> constants = {};
    bool compiled = true; ///< through programs as well
    bool may_refuse = false;
    bool fast_math = true; ///< of the kernel; programs have it
};

/// The same elements under these strides.
inline argument under(const argument& a, const lens& strides) {
    argument result(shape{a.get_shape().type(), a.get_shape().lens(), strides});
    std::memset(result.data(), 0, result.get_shape().bytes());
    copy_elements(result, a);
    return result;
}
inline argument channels_last(const argument& a) {
    std::vector<int64_t> order{0};
    for (std::size_t i = 2; i < a.get_shape().ndim(); ++i)
        order.push_back(int64_t(i));
    order.push_back(1);
    argument result(shape::from_permutation(a.get_shape().type(), a.get_shape().lens(), order));
    copy_elements(result, a);
    return result;
}
/// A part of a larger tensor: gaps after every row.
inline argument sliced(const argument& a) {
    const auto& l = a.get_shape().lens();
    lens strides(l.size());
    std::size_t step = 1;
    for (std::size_t i = l.size(); i-- > 0;) {
        strides[i] = step;
        step *= l[i] + 1;
    }
    return under(a, strides);
}
/// Every element of an axis is the first one.
inline argument broadcast_along(const argument& a, std::size_t axis) {
    auto strides = a.get_shape().lens();
    std::size_t step = 1;
    for (std::size_t i = strides.size(); i-- > 0;) {
        const auto n = strides[i];
        strides[i] = i == axis ? 0 : step;
        step *= i == axis ? 1 : n;
    }
    return {shape{a.get_shape().type(), a.get_shape().lens(), strides}, a.data()};
}
/// Packed, channels last, reversed with gaps, sliced.
inline std::vector<argument> layouts(const argument& a) {
    std::vector<argument> result{a};
    if (a.get_shape().ndim() < 2)
        return result;
    if (a.get_shape().ndim() > 2)
        result.push_back(channels_last(a));
    result.push_back(scattered(a));
    result.push_back(sliced(a));
    return result;
}

inline void compare(const argument& got, const argument& wanted, double tolerance) {
    if (wanted.get_shape().type() == shape::tuple_type) {
        const auto a = got.get_sub_objects(), b = wanted.get_sub_objects();
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i)
            compare(a[i], b[i], tolerance);
        return;
    }
    ASSERT_EQ(got.get_shape().lens(), wanted.get_shape().lens());
    const auto x = load<double>(got), y = load<double>(wanted);
    double top = 1e-30;
    for (auto v : y)
        if (std::isfinite(v))
            top = std::max(top, std::fabs(v));
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isnan(y[i])) {
            ASSERT_TRUE(std::isnan(x[i])) << "element " << i << ": " << x[i];
        } else if (std::isinf(y[i])) {
            ASSERT_EQ(x[i], y[i]) << "element " << i;
        } else {
            ASSERT_NEAR(x[i], y[i], tolerance * top) << "element " << i;
        }
    }
}

inline void leaves_of(const shape& s, std::vector<shape>& out) {
    if (s.type() != shape::tuple_type)
        out.push_back(s);
    for (const auto& sub : s.sub_shapes())
        leaves_of(sub, out);
}

inline argument bound(const shape& s, const std::vector<char*>& at, std::size_t& next) {
    if (s.type() != shape::tuple_type)
        return {s, at.at(next++)};
    std::vector<argument> subs;
    for (const auto& sub : s.sub_shapes())
        subs.push_back(bound(sub, at, next));
    return {subs};
}

/// Runs `k` with its result between guard bytes, or over input `over`.
inline argument run_kernel(const kernel& k, const shape& output, const std::vector<argument>& in,
                           std::vector<std::vector<char>>& memory, int over = -1) {
    constexpr std::size_t guard = 64;
    std::vector<shape> outs;
    leaves_of(output, outs);
    std::vector<char*> inputs, outputs;
    for (std::size_t i = 0; i < in.size(); ++i)
        inputs.push_back(k.reads_input(i) ? in[i].data() : nullptr);
    for (const auto& s : outs) {
        memory.emplace_back(s.bytes() + 2 * guard, char(0x5a));
        outputs.push_back(memory.back().data() + guard);
    }
    if (over >= 0) {
        std::memcpy(outputs[0], in[std::size_t(over)].data(), outs[0].bytes());
        inputs[std::size_t(over)] = outputs[0];
    }
    std::vector<char> scratch(k.scratch_bytes() + 128, char(0x7f));
    auto* aligned =
        reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(scratch.data()) + 63) / 64 * 64);
    std::memset(aligned + k.scratch_bytes(), 0x33, 16);
    k.run({inputs.data(), outputs.data(), aligned});
    for (int i = 0; i < 16; ++i)
        EXPECT_EQ(aligned[k.scratch_bytes() + std::size_t(i)], 0x33)
            << "written behind the scratch memory";
    for (std::size_t o = 0; o < outs.size(); ++o)
        for (std::size_t i = 0; i < guard; ++i) {
            EXPECT_EQ(outputs[o][-1 - std::ptrdiff_t(i)], char(0x5a))
                << "written before the result";
            EXPECT_EQ(outputs[o][outs[o].bytes() + i], char(0x5a)) << "written behind the result";
        }
    std::size_t next = 0;
    return bound(output, outputs, next);
}

inline program as_program(const operation& op, const std::vector<argument>& in,
                          const check_options& options, parameter_map& parameters) {
    program p;
    auto* m = p.get_main_module();
    std::vector<instruction_ref> inputs;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const auto name = "p" + std::to_string(i);
        if (in[i].get_shape().ndim() == 0)
            inputs.push_back(m->add_instruction(make_op("undefined")));
        else if (options.constants.contains(i))
            inputs.push_back(m->add_literal(literal{in[i].get_shape(), in[i].data()}));
        else {
            inputs.push_back(m->add_parameter(name, in[i].get_shape()));
            parameters[name] = in[i];
        }
    }
    const auto r = m->add_instruction(op, inputs);
    if (r->get_shape().type() != shape::tuple_type)
        m->add_return({r});
    else {
        std::vector<instruction_ref> results;
        for (std::size_t i = 0; i < r->get_shape().sub_shapes().size(); ++i)
            results.push_back(m->add_instruction(make_op("get_tuple_elem", {{"index", i}}), r));
        m->add_return(results);
    }
    return p;
}

/// The name of the kernel that was chosen.
inline std::string check_lowered(const operation& given, const std::vector<argument>& in,
                                 const check_options& options = {}) {
    std::ostringstream what;
    what << given;
    for (const auto& a : in)
        what << ' ' << a.get_shape();
    SCOPED_TRACE(what.str());
    parameter_map parameters;
    auto source = as_program(given, in, options, parameters);
    auto* m = source.get_main_module();
    problem pr;
    for (auto ins = m->begin(); ins != m->end(); ++ins)
        if (ins->name() == given.name())
            pr.ins = ins;
    pr.op = given.normalized(to_shapes(in));
    pr.inputs = to_shapes(in);
    pr.output = pr.op.compute_shape(pr.inputs);
    pr.weights = &weight_store::instance();
    pr.fast_math = options.fast_math;
    for (std::size_t i = 0; i < in.size(); ++i)
        pr.constants.push_back(options.constants.contains(i) ? in[i] : argument{});
    const auto wanted = pr.op.compute(pr.output, in);
    const auto k = cpu::lower(pr);
    if (k->name().starts_with("ref::")) {
        EXPECT_TRUE(options.may_refuse) << "no kernel of its own";
        return k->name();
    }
    std::vector<std::vector<char>> memory;
    compare(run_kernel(*k, pr.output, in, memory), wanted, options.tolerance);
    for (std::size_t i = 0; i < in.size(); ++i)
        if (k->can_write_over(i) and in[i].get_shape() == pr.output and pr.output.packed())
            compare(run_kernel(*k, pr.output, in, memory, int(i)), wanted, options.tolerance);
    if (options.compiled) {
        auto on_ref = source, on_cpu = source;
        on_ref.compile(make_target("ref"));
        on_cpu.compile(make_target("cpu"));
        const auto a = on_cpu.eval(parameters), b = on_ref.eval(parameters);
        EXPECT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
            compare(a[i], b[i], options.tolerance);
    }
    return k->name();
}

// A program by the cpu target against ref.
inline void expect_same_on_cpu(const program& p, const parameter_map& in) {
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    const auto a = on_cpu.eval(in), r = on_ref.eval(in);
    ASSERT_EQ(a.size(), r.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        compare(a[i], r[i], 2e-5);
}

} // namespace lower_check
