// SPDX-License-Identifier: MIT
// What readers of a node use to build instructions, whatever the format of the model.
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/literal.hpp>
#include <migraphx/module.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/value.hpp>

#include "base/str.hpp"
#include "ir/rank_zero.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

class graph_builder {
public:
    using instructions = std::vector<instruction_ref>;

    /// Adds to the end of `m`; `op_type`, the operator of the model's format, begins error
    /// messages.
    graph_builder(module& m, std::string_view op_type) : target(m), kind(op_type) {}

    module& mod() const { return target; }
    module& target_module() const { return target; }
    std::string_view op_type() const { return kind; }

    instruction_ref add(const operation& op, instructions in) const;
    instruction_ref add(const operation& op, instructions in, std::vector<module_ref> mods) const;
    template <class... Ts>
    instruction_ref add(const std::string& op, Ts... in) const {
        return add(named(op), instructions{in...});
    }
    instruction_ref literal(migraphx::literal l) const;
    static instruction_ref put_literal(module& m, migraphx::literal l);
    /// One value of type `t` as a scalar.
    instruction_ref scalar(shape::type_t t, double v) const;
    /// Converts operands to their common type and broadcasts them to their common dimensions.
    instruction_ref add_common(const std::string& op, instructions in) const;
    instruction_ref add_common(const operation& op, instructions in) const;
    instruction_ref convert(instruction_ref x, shape::type_t t) const;
    instruction_ref contiguous(instruction_ref x) const;
    /// Dimensions with a 1 put in where needed so that `x` of shape {n} lies along `axis` of rank
    /// `rank`.
    instruction_ref along_axis(instruction_ref x, std::size_t axis, std::size_t rank) const;
    /// `x` stretched to the dimensions of `like`.
    instruction_ref broadcast_like(instruction_ref x, instruction_ref like) const;
    /// `x` of shape {n} repeated to the dimensions of `like`, its own along `axis`.
    instruction_ref stretch_along(instruction_ref x, std::size_t axis, instruction_ref like) const;
    /// The operation of `x` and one number of its type.
    instruction_ref with_number(const std::string& op, instruction_ref x, double v) const;
    /// An op builder's recipe; its only result.
    instruction_ref expand(const std::string& recipe, instructions in,
                           const value& options = value{}) const;
    /// A tensor without dimensions, which the engine holds as one element of stride 0.
    static bool is_scalar(const shape& s) { return is_rank_zero(s); }
    /// The one element of `x` without dimensions.
    instruction_ref to_scalar(instruction_ref x) const;
    /// Length of a dimension (negative: from the last) that must be known at import; throws when it
    /// is not.
    int64_t known_size(instruction_ref x, int64_t axis) const;
    /// An axis counted from the front; throws when it is out of range.
    std::size_t axis(int64_t a, std::size_t rank) const;

    /// Throws invalid_argument (malformed node) or unsupported (a valid one that the engine lacks).
    [[noreturn]] void malformed(const std::string& message) const;
    [[noreturn]] void unsupported(const std::string& message) const;

private:
    static operation named(const std::string& op);

    module& target;
    std::string_view kind;
};

} // namespace migraphx
