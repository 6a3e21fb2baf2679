// SPDX-License-Identifier: MIT
// Checks of operators through make_op: every evaluation is repeated with inputs that are not
// packed.
#pragma once

#include <gtest/gtest.h>

#include <migraphx/argument.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/permutation.hpp>

#include "ops/tensor.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace ops_check {

using namespace migraphx;
using dim = shape::dynamic_dimension;
using dims = std::vector<shape::dynamic_dimension>;
using lens = std::vector<std::size_t>;
using reals = std::vector<double>;

constexpr double inf = std::numeric_limits<double>::infinity();
inline const double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A tensor with these elements in logical order.
inline argument tensor(const shape& s, const reals& values) {
    argument a(s);
    store(a, values);
    return a;
}
inline argument floats(const lens& l, const reals& values) {
    return tensor({shape::float_type, l}, values);
}
/// 0, 1, 2, ... times `scale` plus `start`.
inline argument ramp(const shape& s, double scale = 1, double start = 0) {
    reals v(s.elements());
    for (std::size_t i = 0; i < v.size(); ++i)
        v[i] = start + scale * static_cast<double>(i);
    return tensor(s, v);
}
/// Values without an order in [-1, 1).
inline argument noise(const shape& s, unsigned seed = 1) {
    reals v(s.elements());
    for (auto& x : v) {
        seed = seed * 1664525u + 1013904223u;
        x = static_cast<double>(seed >> 8) / (1 << 23) - 1;
    }
    return tensor(s, v);
}
/// The same tensor with its axes reversed in memory and gaps between its elements.
inline argument scattered(const argument& a) {
    const auto& s = a.get_shape();
    if (s.type() == shape::tuple_type or s.ndim() == 0)
        return a;
    lens strides(s.ndim());
    std::size_t stride = 2;
    for (std::size_t i = 0; i < s.ndim(); ++i) {
        strides[i] = stride;
        stride *= s.lens()[i];
    }
    argument result(shape{s.type(), s.lens(), strides});
    copy_elements(result, a);
    return result;
}

inline reals values_of(const argument& a) {
    return load<double>(a);
}

inline void expect_near(const reals& got, const reals& wanted, double tolerance) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (std::isnan(wanted[i]))
            EXPECT_TRUE(std::isnan(got[i])) << "element " << i;
        else if (std::isinf(wanted[i]))
            EXPECT_EQ(got[i], wanted[i]) << "element " << i;
        else
            EXPECT_NEAR(got[i], wanted[i], tolerance * std::max(1.0, std::fabs(wanted[i])))
                << "element " << i;
    }
}

/// Result for these inputs; its shape must be the inferred one.
inline argument run(const operation& op, const std::vector<argument>& in) {
    const auto stated = op.compute_shape(to_shapes(in));
    auto result = op.compute(stated, in);
    if (not stated.any_of_dynamic()) {
        EXPECT_EQ(result.get_shape(), stated) << op.name();
    }
    return result;
}

/// The elements of the result, or of one member of a tuple, for packed and for other inputs.
inline void check(const operation& op, const std::vector<argument>& in, const reals& wanted,
                  double tolerance = 1e-6, int member = -1) {
    SCOPED_TRACE(op.name());
    auto other = in;
    for (auto& a : other)
        a = scattered(a);
    for (const auto& inputs : {in, other}) {
        auto result = run(op, inputs);
        if (member >= 0)
            result = result.get_sub_objects().at(static_cast<std::size_t>(member));
        expect_near(values_of(result), wanted, tolerance);
    }
}

/// compute_shape throws an exception of the library whose text contains `part`.
inline void refused(const operation& op, const std::vector<shape>& in, const std::string& part) {
    try {
        const auto s = op.compute_shape(in);
        ADD_FAILURE() << op.name() << " gave " << s << " where an error was expected: " << part;
    } catch (const migraphx::exception& e) {
        EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

inline shape of(const lens& l, shape::type_t t = shape::float_type) {
    return {t, l};
}
inline shape dyn(const dims& d, shape::type_t t = shape::float_type) {
    return {t, d};
}

} // namespace ops_check
