// SPDX-License-Identifier: MIT
// A random graph: its nodes in topological order, and what is known of their values.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/program.hpp>
#include <migraphx/shape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace fuzz {

/// Bounds that hold for every element on every correct target.
struct bounds {
    double lo = 0, hi = 0;
    double err =
        0; ///< how far a target may be from the exact value; 0: every target gives the same
    bool whole = false; ///< only whole numbers, in a floating-point type or not

    bool exact() const { return err == 0; }
    double mag() const { return std::max(std::fabs(lo), std::fabs(hi)); }
};

struct node {
    enum kind_t { parameter, literal, operation };
    kind_t kind = operation;
    std::string name;         // of a parameter
    migraphx::argument value; // of a literal
    migraphx::operation op;
    std::vector<std::size_t> inputs;
    migraphx::shape out;
    bounds range;
};

struct graph {
    std::deque<node> nodes; // references to shapes and bounds stay good as it grows
    std::vector<std::size_t> outputs;
};

/// The program; parameters are declared as `declared` says, or with their own shape.
migraphx::program
to_program(const graph& g,
           const std::function<migraphx::shape(const migraphx::shape&)>& declared = {});

/// Values as `migraphx-driver` gives them to parameters of that name.
migraphx::argument parameter_value(const std::string& name, const migraphx::shape& s);
migraphx::parameter_map parameter_values(const graph& g);

/// What such a parameter can hold.
bounds parameter_bounds(migraphx::shape::type_t t);

/// Without the nodes that no output needs.
graph without_dead(const graph& g);

/// Half the distance of neighbours, relative to their size.
double unit_roundoff(migraphx::shape::type_t t);
bool is_float(migraphx::shape::type_t t);
/// Whole numbers up to this bound are exact in the type, and so are their sums in any order.
double whole_limit(migraphx::shape::type_t t);
/// Smallest and largest value of an integer type or bool.
bounds type_bounds(migraphx::shape::type_t t);

} // namespace fuzz
