// SPDX-License-Identifier: MIT
// Programs from TensorFlow frozen graphs.
#ifndef MIGRAPHX_TF_HPP
#define MIGRAPHX_TF_HPP

#include <cstddef>
#include <migraphx/program.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// How a graph is read.
struct tf_options {
    /// Inputs and results of four dimensions become NCHW; false: they stay as the graph has them,
    /// and operators that do not state their layout take NCHW.
    bool is_nhwc = false;
    /// Size of dimensions that a placeholder leaves open.
    unsigned int batch_size = 1;
    /// Dimensions of inputs, as the program's parameters have them.
    std::unordered_map<std::string, std::vector<std::size_t>> map_input_dims = {};
    /// Results, `node` or `node:output`; none: the nodes that nobody consumes.
    std::vector<std::string> output_node_names = {};

    tf_options() {}
};

/// Throws with file, node and operator when the graph is malformed or needs an operator that is not
/// there.
program parse_tf(const std::string& name, const tf_options& options = tf_options{});
program parse_tf_buffer(const std::string& buffer, const tf_options& options = tf_options{});
program parse_tf_buffer(const void* data, std::size_t size,
                        const tf_options& options = tf_options{});

/// Sorted names of the operators that can be read.
const std::vector<std::string>& get_tf_operators();

} // namespace migraphx
#endif
