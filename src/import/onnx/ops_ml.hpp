// SPDX-License-Identifier: MIT
// What the operators of ai.onnx.ml share: numbers and labels in attributes, transformed scores.
#pragma once

#include "import/onnx/importer.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx::onnx {

constexpr auto ml_domain = "ai.onnx.ml";

/// The value of a tensor attribute; nullopt when it is not there.
std::optional<argument> tensor_attribute(node_reader& n, std::string_view name);
/// Input 0 as float, or double if it is, with rows (a vector is one of them).
instruction_ref feature_rows(node_reader& n);
/// A literal of these numbers.
instruction_ref row_literal(node_reader& n, shape::type_t t, const std::vector<float>& v,
                            const std::vector<std::size_t>& lens);

/// A literal of these strings, in one dimension.
instruction_ref text_literal(node_reader& n, const std::vector<std::string>& v);

/// What the attribute post_transform asks for, by its name, or in the order of the numbers that
/// TreeEnsemble has in its place.
enum class post_transform { none, softmax, logistic, softmax_zero, probit };
post_transform post_transform_of(node_reader& n);
/// Scores (N, E), transformed.
instruction_ref transformed(node_reader& n, instruction_ref scores, post_transform t);
/// Scores of two classes (N, 2) from those of the second one (N, 1), transformed: with none, 1 - s
/// and s if they are shares of 1 (`shares`), else -s and s.
instruction_ref scores_of_two(node_reader& n, instruction_ref second, post_transform t,
                              bool shares);

/// The names of classes, in attributes of which one is there.
class class_labels {
public:
    class_labels(node_reader& reader, std::string_view ints, std::string_view texts);
    std::size_t size() const { return count; }
    /// The labels of these indices of classes (int64); the indices themselves when there are none.
    instruction_ref of(instruction_ref index);
    /// The label of the class with the largest of the scores (N, E).
    instruction_ref of_largest(instruction_ref scores);
    /// The label of the second class where the scores (N, 1) are above `limit`, else of the first.
    /// Without two labels they are 1 and 0.
    instruction_ref of_two(instruction_ref score, double limit);

private:
    node_reader& n;
    std::vector<int64_t> numbers;
    std::vector<std::string> names;
    std::size_t count;
};

} // namespace migraphx::onnx
