// SPDX-License-Identifier: MIT
// Checking what a caller gives against what a program declares.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/program.hpp>
#include <migraphx/shape.hpp>

#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

struct declared_parameter {
    std::string name;
    shape type;
};

/// The parameters of a program in declaration order, and which of their dimensions have one size:
/// those with one name in the model, or the same symbol.
class signature {
public:
    /// `up_to`: a parameter of known sizes takes smaller ones too.
    explicit signature(const program& p, bool up_to = false);

    const std::vector<declared_parameter>& parameters() const { return declared; }
    /// True when only one set of sizes is taken.
    bool fixed() const;
    /// The arguments in declaration order, checked. Other keys are ignored. Memory for a result
    /// that is not given is an empty argument.
    std::vector<argument> bind(const parameter_map& given) const;
    /// The shapes in declaration order, checked; a parameter of known sizes may be left out.
    std::vector<shape> bind(const std::unordered_map<std::string, shape>& given) const;

private:
    struct place {
        std::size_t parameter = 0, axis = 0;
    };
    /// Two dimensions that have one size.
    struct equal_sizes {
        place first, second;
        std::string name;
    };
    /// A dimension that follows from others.
    struct derived_size {
        place where;
        sym::expr size;
        std::vector<std::pair<sym::expr, place>> variables;
    };
    void relate(const std::vector<std::vector<std::string>>& names);
    void check_related(const std::vector<shape>& given) const;
    std::string describe(const place& p) const;

    std::vector<declared_parameter> declared;
    std::vector<equal_sizes> equal;
    std::vector<derived_size> derived;
};

/// A sequence, an optional or a tensor of unknown rank: passed as it is, plans do not depend on its
/// sizes.
bool is_open(const shape& s);

/// Throws with the parameter, the dimension and its bounds when `given` does not fit.
void check_parameter(const declared_parameter& d, const shape& given);

} // namespace migraphx
