// SPDX-License-Identifier: MIT
// What readers of TensorFlow operators use: operands, attributes, layouts. Tensors keep the axes
// that TensorFlow gives them; operators of images move the channels to the front and back by
// transposes, and elementwise ones work on the other side of a transpose, so that transposes of
// neighbours meet.
#pragma once

#include "import/graph_builder.hpp"
#include "import/tf/model.hpp"

#include <migraphx/argument.hpp>
#include <migraphx/tf.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx::tf {

using instructions = std::vector<instruction_ref>;
using ints = std::vector<int64_t>;

class importer;

class node_reader : public graph_builder {
public:
    node_reader(importer& i, module& m, const node& n, instructions operands)
        : graph_builder(m, n.op_type), owner(i), source(n), args(std::move(operands)) {}

    const node& get_node() const { return source; }
    importer& whole() const { return owner; }

    // ---- operands
    const instructions& inputs() const { return args; }
    std::size_t input_count() const { return args.size(); }
    instruction_ref input(std::size_t i) const;
    bool has(std::size_t i) const { return i < args.size(); }
    void expect_inputs(std::size_t least, std::size_t most) const;
    void expect_inputs(std::size_t count) const { expect_inputs(count, count); }
    /// A tensor whose dimensions depend on data has no `dims`: unsupported.
    static bool has_static_dims(instruction_ref x) { return not x->get_shape().dynamic(); }
    ints dims(instruction_ref x) const;
    ints dims(std::size_t i) const { return dims(input(i)); }
    /// Number of dimensions as TensorFlow counts them.
    static std::size_t rank(instruction_ref x) {
        return is_scalar(x->get_shape()) ? 0 : x->get_shape().ndim();
    }
    std::size_t rank(std::size_t i) const { return rank(input(i)); }
    shape::type_t type_of(std::size_t i) const { return input(i)->get_shape().type(); }
    /// Throws unless input i has this many dimensions.
    void expect_rank(std::size_t i, std::size_t n) const;
    /// The value of an input that must be known at import; `what` names it in the message.
    argument constant(std::size_t i, const char* what) const;
    ints constant_ints(std::size_t i, const char* what) const {
        return constant(i, what).to_vector<int64_t>();
    }
    int64_t constant_int(std::size_t i, const char* what) const;
    double constant_real(std::size_t i, const char* what) const;
    std::optional<argument> find_constant(std::size_t i) const;

    // ---- attributes; a wrong kind is an error that names the attribute
    bool has_attribute(std::string_view name) const { return source.find(name) != nullptr; }
    int64_t integer(std::string_view name, int64_t fallback) const;
    double real(std::string_view name, double fallback) const;
    bool flag(std::string_view name, bool fallback) const {
        return integer(name, fallback ? 1 : 0) != 0;
    }
    std::string text(std::string_view name, std::string_view fallback) const;
    ints integers(std::string_view name) const;
    /// The element type that an attribute names; throws for one the engine lacks.
    shape::type_t type(std::string_view name) const;
    shape::type_t type(std::string_view name, shape::type_t fallback) const;
    const attribute& get(std::string_view name) const;

    // ---- layouts
    /// Where the channels are: by attribute data_format, else as the whole graph.
    bool channels_last() const;
    instruction_ref transpose(instruction_ref x, const ints& permutation) const;
    /// From the node's layout to N, C, spatial … and back.
    instruction_ref channels_first(instruction_ref x) const;
    instruction_ref from_channels_first(instruction_ref x) const;
    /// The channels' axis in the node's layout.
    std::size_t channel_axis(std::size_t rank) const { return channels_last() ? rank - 1 : 1; }

    // ---- building
    instruction_ref ints_literal(const ints& v, shape::type_t t = shape::int64_type) const;
    instruction_ref reshape(instruction_ref x, const ints& dims) const;
    instruction_ref unsqueeze(instruction_ref x, const ints& axes) const;
    /// Drops dimensions of one element.
    instruction_ref squeeze(instruction_ref x, ints axes) const;
    instruction_ref slice(instruction_ref x, const ints& axes, const ints& starts,
                          const ints& ends) const;
    /// A vector or more of what may be a scalar.
    instruction_ref at_least_1d(instruction_ref x) const {
        return is_scalar(x->get_shape()) ? unsqueeze(x, {0}) : x;
    }
    instruction_ref broadcast_to(instruction_ref x, const ints& dims) const;
    /// The operation on operands of equal type, broadcast as TensorFlow does, and scalar when all
    /// are.
    instruction_ref pointwise(const std::string& op, instructions in) const;
    instruction_ref pointwise(const operation& op, instructions in) const;
    instruction_ref pointwise_number(const std::string& op, instruction_ref x, double v) const;
    /// The same on operands of different types: a condition and values.
    instruction_ref select(instruction_ref condition, instruction_ref yes,
                           instruction_ref no) const;
    instruction_ref compare(const std::string& op, instruction_ref x, instruction_ref y) const;
    instruction_ref negate(instruction_ref x) const {
        return convert(pointwise("not", {x}), shape::bool_type);
    }
    instruction_ref reduce(const std::string& op, instruction_ref x, const ints& axes,
                           bool keep) const;

private:
    const attribute* of_kind(std::string_view name,
                             std::initializer_list<attribute_kind> kinds) const;

    importer& owner;
    const node& source;
    instructions args;
};

/// The transpose an instruction is: its input and permutation; of another itself and none.
struct seen_through {
    instruction_ref source;
    ints permutation; ///< axis i of the result is axis permutation[i] of the source
    bool is_transposed() const { return not permutation.empty(); }
};
seen_through see_through(instruction_ref x);
ints inverted(const ints& permutation);

using node_function = instructions (*)(node_reader&);

/// Registers readers: `const operators conv{{"Conv2D", read_conv}, …};`.
struct operator_row {
    const char* name;
    node_function read;
    const char* limits = ""; ///< what is not read of it, for docs/tensorflow.md
    /// Names of its results in the order of their numbers, where there are several; "name*": a
    /// list.
    std::vector<std::string_view> results = {};
};
struct operators {
    operators(std::initializer_list<operator_row> rows);
};

/// The row of an operator, or null.
const operator_row* find_operator(std::string_view name);
std::vector<operator_row> list_operators();

} // namespace migraphx::tf
