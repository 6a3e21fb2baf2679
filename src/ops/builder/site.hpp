// SPDX-License-Identifier: MIT
// How a recipe is written: a function over a `site`, which has its operands and options and puts
// the instructions where they belong. Registered by `const recipes xyz{{"gemm", build_gemm,
// {"alpha", …}}, …};`.
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op/builder/insert.hpp>

#include "base/str.hpp"

#include <initializer_list>
#include <string>
#include <vector>

namespace migraphx::op::builder {

using instructions = std::vector<instruction_ref>;

class site {
public:
    site(std::string recipe, module& m, instruction_ref before, instructions operands,
         const value& options)
        : name(std::move(recipe)), target(m), position(before), args(std::move(operands)),
          given(options) {}

    const std::string& recipe_name() const { return name; }
    const instructions& operands() const { return args; }
    std::size_t count() const { return args.size(); }
    /// The operand was given and is not an `undefined`.
    bool has(std::size_t i) const;
    /// Throws when it was not.
    instruction_ref operand(std::size_t i) const;
    void expect_operands(std::size_t least, std::size_t most) const;

    template <class T>
    T option(const std::string& key, const T& fallback) const {
        const auto* v = given.is_object() ? given.find(key) : given.end();
        if (v == given.end() or v->is_null())
            return fallback;
        if constexpr (requires { typename T::iterator; } and not std::is_same_v<T, std::string>)
            return v->template to_vector<typename T::value_type>();
        else
            return v->template to<T>();
    }

    instruction_ref add(const operation& op, instructions in);
    template <class... Ts>
    instruction_ref add(const std::string& op, Ts... in) {
        return add(make_op(op), instructions{in...});
    }
    instruction_ref literal(migraphx::literal l);
    /// One value of type `t` as a scalar.
    instruction_ref scalar(shape::type_t t, double v);
    /// The operation on operands brought to a common type and common dimensions.
    instruction_ref common(const std::string& op, instructions in);
    /// The operation of `x` and one number of its type.
    instruction_ref with_number(const std::string& op, instruction_ref x, double v);
    instruction_ref convert(instruction_ref x, shape::type_t t);
    /// `x` stretched to the dimensions of `like`.
    instruction_ref stretch(instruction_ref x, instruction_ref like);
    /// `x` of one dimension, repeated to the dimensions of `like` with its own along `axis`.
    instruction_ref along(instruction_ref x, std::size_t axis, instruction_ref like);
    /// Another recipe here.
    instruction_ref call(const std::string& recipe, instructions in,
                         const value& options = value{});

    [[noreturn]] void malformed(const std::string& message) const;

private:
    std::string name;
    module& target;
    instruction_ref position;
    instructions args;
    const value& given;
};

struct recipe {
    const char* name;
    instructions (*build)(site&);
    std::vector<std::string> options = {};
};

struct recipes {
    recipes(std::initializer_list<recipe> rows);
};

} // namespace migraphx::op::builder
