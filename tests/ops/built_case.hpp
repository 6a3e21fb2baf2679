// SPDX-License-Identifier: MIT
// A case as a program, its operands between guard bytes, and the comparison of results.
#pragma once

#include "case.hpp"

#include <migraphx/compile_options.hpp>
#include <migraphx/program.hpp>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace op_cases {

/// Pairs of 4-bit numbers have no value of their own: they count as bytes.
std::vector<double> numbers_of(const migraphx::argument& a);

/// An operand's memory between guard bytes.
class guarded_operand {
public:
    guarded_operand(const migraphx::argument& values, const migraphx::shape& layout);
    const migraphx::argument& get() const { return view; }
    bool unchanged() const { return memory == before; }

private:
    std::vector<char> memory;
    std::vector<char> before;
    migraphx::argument view;
};

struct built_case {
    migraphx::program prog;
    std::list<guarded_operand> operands;
    migraphx::parameter_map parameters;

    bool unchanged() const;
};

/// The memory layout, or the declared shape, of the operand at a position; empty: the shape itself.
using layout_function =
    std::function<migraphx::shape(const migraphx::shape&, std::size_t position)>;

/// The operator, with operands in these layouts, as parameters declared so.
built_case build(const op_case& c, const layout_function& layout, const layout_function& declared);

/// What differs, in words; empty when nothing does. The tolerance is relative to the largest finite
/// value; for integers it is absolute.
std::string differs(const std::vector<double>& got, const std::vector<double>& wanted,
                    migraphx::shape::type_t t, const std::optional<double>& tolerance);
std::string differs(const std::vector<migraphx::argument>& got,
                    const std::vector<migraphx::argument>& wanted,
                    const std::optional<double>& tolerance);

/// Arguments and results lie in host memory, wherever the target computes.
inline migraphx::compile_options with_copies() {
    migraphx::compile_options options;
    options.offload_copy = true;
    return options;
}

} // namespace op_cases
