// SPDX-License-Identifier: MIT
// Grows a random graph node by node. Recipes (recipes.hpp) use it to find operands, to bring them
// to the dimensions, type and range that an operator wants, and to add nodes with their bounds.
//
// Why bounds: a target may round elsewhere, in another order, or not at all between two fused
// operators, so values differ by rounding errors. They are bounded while the graph grows (interval
// and first-order error analysis, the worst case over all elements), which gives every result its
// own tolerance. Operators that jump (comparisons, floor, argmax, conversions to integers, …) only
// get operands whose values are exact on every target: parameters and literals, what moves or
// compares them, whole numbers small enough that their sums are exact in any order.
#pragma once

#include "graph.hpp"

#include <migraphx/value.hpp>

#include <optional>

namespace fuzz {

/// Random numbers, equal on every platform.
class dice {
public:
    explicit dice(std::uint64_t seed) : state(mixed(seed)) {}
    std::uint64_t bits() { return mixed(state += 0x9e3779b97f4a7c15ULL); }
    std::size_t below(std::size_t n) { return std::size_t(bits() % n); }
    std::int64_t between(std::int64_t lo, std::int64_t hi) {
        return lo + std::int64_t(below(std::size_t(hi - lo + 1)));
    }
    double real(double lo, double hi) { return lo + double(bits() >> 11) * 0x1p-53 * (hi - lo); }
    bool chance(double p) { return real(0, 1) < p; }
    template <class T>
    const T& of(const std::vector<T>& list) {
        return list[below(list.size())];
    }

private:
    static std::uint64_t mixed(std::uint64_t x) {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }

    std::uint64_t state;
};

using lens_t = std::vector<std::size_t>;
using type_t = migraphx::shape::type_t;

class grower {
public:
    using id = std::size_t;

    explicit grower(std::uint64_t seed) : random(seed) {}

    dice random;
    graph g;

    const migraphx::shape& shape_of(id i) const { return g.nodes[i].out; }
    const bounds& range_of(id i) const { return g.nodes[i].range; }
    type_t type_of(id i) const { return shape_of(i).type(); }
    const lens_t& lens_of(id i) const { return shape_of(i).lens(); }
    std::size_t rank_of(id i) const { return lens_of(i).size(); }

    // ---- new nodes
    id parameter(const migraphx::shape& s);
    id literal(type_t t, const lens_t& lens, const std::vector<double>& values);
    /// A scalar literal: lens {1}, strides {0}.
    id number(type_t t, double x);
    /// Throws when the operator refuses its operands: recipes give it good ones.
    id add(const std::string& name, const migraphx::value& attributes,
           const std::vector<id>& inputs, bounds range);
    /// An operator that computes: `slack` units of rounding of the result's size are added to
    /// `range.err`.
    id add_rounded(const std::string& name, const migraphx::value& attributes,
                   const std::vector<id>& inputs, bounds range, double slack = 4);
    /// An operator that only moves elements of its first operand.
    id move(const std::string& name, const migraphx::value& attributes,
            const std::vector<id>& inputs);
    id element_of(id tuple, std::size_t i, bounds range);

    // ---- choices
    type_t some_type();
    type_t some_float();
    type_t some_integer();
    lens_t some_lens(std::size_t min_rank = 0, std::size_t max_rank = 5);
    std::size_t some_size();
    /// A tensor that is there already and fits, the later ones more often.
    std::optional<id> present(const std::function<bool(id)>& fits);
    /// The same, or a new parameter or literal.
    id tensor(const std::function<bool(type_t)>& fits, std::size_t min_rank = 0,
              std::size_t max_rank = 6);
    /// With this type and these lens, perhaps broadcast, reshaped or converted from what is there.
    id like(type_t t, const lens_t& lens);
    /// The same, exact on all targets.
    id exact_like(type_t t, const lens_t& lens);
    /// x, or something of its shape whose values are exact.
    id exact(id x);
    /// Something new of this type and these lens; floats are whole numbers up to `top` half the
    /// time.
    id fresh(type_t t, const lens_t& lens, double top = 8);

    // ---- adaptors
    id to_type(id x, type_t t);
    /// By multibroadcast, where the lens allow it.
    std::optional<id> stretched(id x, const lens_t& lens);
    /// Values in [lo, hi]: by clip, or by a scaled tanh.
    id within(id x, double lo, double hi);
    /// Magnitude at most `top`.
    id limited(id x, double top) { return range_of(x).mag() <= top ? x : within(x, -top, top); }
    /// Error at most `share` of the size of the values: else other values.
    id precise(id x, double share = 0.02);

    /// Room for results of this many elements?
    static bool fits(const lens_t& lens);
    static std::size_t product(const lens_t& lens);

private:
    std::size_t names = 0;
    bool is_tensor(id i) const;
};

/// The bounds of a result that holds elements of both.
bounds united(const bounds& a, const bounds& b);

} // namespace fuzz
