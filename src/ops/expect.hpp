// SPDX-License-Identifier: MIT
// Checks on the inputs of an operator. Each failure says what was expected and what came; the
// operator's name and the input shapes are added by `operation::compute_shape`.
#pragma once

#include <migraphx/shape.hpp>

#include "base/str.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace migraphx {

class expect {
public:
    explicit expect(const std::vector<shape>& inputs) : in(inputs) {}

    const expect& count(std::size_t n) const;
    const expect& count(std::initializer_list<std::size_t> allowed) const;
    const expect& at_least(std::size_t n) const;
    /// Inputs [first, last) only; last = npos: to the end.
    expect only(std::size_t first, std::size_t last) const;
    const expect& same_type() const;
    /// Same number and lengths of dimensions (dynamic ones: equal ranges or expressions).
    const expect& same_dims() const;
    const expect& same_rank() const;
    const expect& rank(std::size_t n) const;
    const expect& rank_at_least(std::size_t n) const;
    const expect& floating() const;
    const expect& integral() const;
    const expect& tensor() const; ///< no tuples
    const expect& static_shapes() const;
    const expect& not_range_dynamic() const;
    const expect& standard() const;
    /// In range for input 0 (already canonical, that is not negative).
    const expect& axis(int64_t a) const;
    const expect& axes(const std::vector<int64_t>& a) const;
    /// Throws with `message` unless `condition`.
    const expect& that(bool condition, const std::string& message) const;

private:
    const std::vector<shape>& in;
    std::size_t first = 0, last = std::size_t(-1);
    std::size_t end() const { return last < in.size() ? last : in.size(); }
};

/// Throws invalid_argument.
[[noreturn]] void fail_shape(const std::string& message);

} // namespace migraphx
