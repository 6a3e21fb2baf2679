// SPDX-License-Identifier: MIT
// What a model needs, found without compiling it.
#ifndef MIGRAPHX_MODEL_REPORT_HPP
#define MIGRAPHX_MODEL_REPORT_HPP

#include <migraphx/onnx.hpp>
#include <migraphx/tf.hpp>
#include <migraphx/value.hpp>
#include <string>

namespace migraphx {

/// An object of
///   file, format, producer, opsets {domain: version} with the standard as ai.onnx;
///   inputs, outputs [{name, type, dims (sizes, names of open ones, null), read_as}];
///   operators [{domain, name, count, flops, bytes, supported}], most work first;
///   parameters {count, elements, bytes}, types [names], flops, bytes, nodes;
///   problems [{node, domain, operator, message}]: every node that cannot be read;
///   unexamined: nodes behind those, of which nothing is known but their operator;
///   unsized: nodes without their work, because they do not fit the sizes taken for open
///   dimensions; supported: there are no problems.
/// A multiply-add counts as 2 flops; `bytes` are those of operands and results, each read and
/// written once. Sizes that the options leave open are 1; bodies of loops and branches count once.
/// Throws when the file is no model.
value report_onnx(const std::string& file, const onnx_options& options = onnx_options{});
value report_tf(const std::string& file, const tf_options& options = tf_options{});

/// The report as aligned text.
std::string report_text(const value& report);

} // namespace migraphx
#endif
