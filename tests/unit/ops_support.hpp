// SPDX-License-Identifier: MIT
// What the tests of operators share: tensors from numbers, evaluation with checks of the shape that
// was promised, the same tensor in another layout.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/permutation.hpp>
#include <migraphx/register_op.hpp>

#include "ops/tensor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace ops_test {

using migraphx::argument;
using migraphx::make_op;
using migraphx::operation;
using migraphx::shape;
using lens_t = std::vector<std::size_t>;
using dim = shape::dynamic_dimension;
using arguments = std::vector<argument>;

inline argument tensor(const shape& s, const std::vector<double>& values) {
    argument a{s};
    if (s.elements() != 0)
        migraphx::store(a, values);
    return a;
}
inline argument floats(const lens_t& lens, const std::vector<double>& values) {
    return tensor(shape{shape::float_type, lens}, values);
}
inline argument ints(const lens_t& lens, const std::vector<double>& values) {
    return tensor(shape{shape::int64_type, lens}, values);
}
/// A 1-D tensor of int64 values.
inline argument list(const std::vector<int64_t>& values) {
    argument a{shape{shape::int64_type, {values.size()}}};
    if (not values.empty())
        migraphx::store(a, values);
    return a;
}
inline argument one(int64_t value) {
    argument a{shape{shape::int64_type}};
    migraphx::store(a, std::vector<int64_t>{value});
    return a;
}
/// 0, 1, 2, ...
inline argument count_up(const shape& s) {
    std::vector<double> values(s.elements());
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<double>(i);
    return tensor(s, values);
}
inline argument count_up(const lens_t& lens) {
    return count_up(shape{shape::float_type, lens});
}

inline std::vector<double> values(const argument& a) {
    return migraphx::load<double>(a);
}

/// Evaluates with the shape inferred from the inputs, and checks that the result has it.
inline argument run(const operation& op, const arguments& in) {
    const auto s = op.compute_shape(migraphx::to_shapes(in));
    const auto r = op.compute(s, in);
    if (not s.any_of_dynamic()) {
        EXPECT_EQ(r.get_shape(), s) << op;
    } else {
        EXPECT_FALSE(r.get_shape().any_of_dynamic()) << op;
        EXPECT_TRUE(shape::is_compatible_lens(r.get_shape(), s))
            << op << ": " << r.get_shape() << " for " << s;
    }
    return r;
}
inline std::vector<double> run_values(const operation& op, const arguments& in) {
    return values(run(op, in));
}

/// The same elements in the memory order `perm`, inside of a larger buffer that is not read.
inline argument in_order(const argument& a, const std::vector<int64_t>& perm) {
    const auto& s = a.get_shape();
    const auto other = argument{shape::from_permutation(s.type(), s.lens(), perm)};
    migraphx::copy_elements(other, a);
    return other;
}
inline argument reversed_order(const argument& a) {
    std::vector<int64_t> perm;
    for (auto i = static_cast<int64_t>(a.get_shape().ndim()); i-- > 0;)
        perm.push_back(i);
    return in_order(a, perm);
}
/// The same elements with gaps between them (every second element of a larger tensor).
inline argument with_gaps(const argument& a) {
    const auto& s = a.get_shape();
    auto lens = s.lens();
    if (lens.empty())
        return a;
    for (auto& n : lens)
        n *= 2;
    const argument big{shape{s.type(), lens}};
    if (s.bytes() != 0)
        std::memset(big.data(), 0x55, big.get_shape().bytes());
    auto strides = big.get_shape().strides();
    for (auto& n : strides)
        n *= 2;
    const auto part = big.view(shape{s.type(), s.lens(), strides}, 0);
    migraphx::copy_elements(part, a);
    return part;
}

/// The message of what `f` throws; fails the test when it does not throw.
template <class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const migraphx::exception& e) {
        return e.what();
    }
    ADD_FAILURE() << "an exception was expected";
    return "";
}
inline std::string infer_error(const operation& op, const std::vector<shape>& in) {
    return message_of([&] { op.compute_shape(in); });
}
inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace ops_test
