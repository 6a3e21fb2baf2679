// SPDX-License-Identifier: MIT
// Programs from ONNX models.
#ifndef MIGRAPHX_ONNX_HPP
#define MIGRAPHX_ONNX_HPP

#include <cstddef>
#include <cstdint>
#include <migraphx/program.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// How a model is read. Sizes of an input: its entry in a map, else that of its dimension's name in
/// `dim_params`, else what the model states, else the default.
struct onnx_options {
    /// Size of dimensions that nothing else decides; 0: `default_dyn_dim_value`.
    std::size_t default_dim_value = 0;
    shape::dynamic_dimension default_dyn_dim_value = {1, 1};
    std::unordered_map<std::string, std::vector<std::size_t>> map_input_dims = {};
    /// By the symbolic name that the model gives a dimension.
    std::unordered_map<std::string, shape::dynamic_dimension> dim_params = {};
    std::unordered_map<std::string, std::vector<shape::dynamic_dimension>> map_dyn_input_dims = {};
    /// An operator that is not known becomes an `unknown` instruction instead of an error.
    bool skip_unknown_operators = false;
    bool print_program_on_error = false;
    /// Another value than 10 ends a loop whose count is not a constant after so many iterations.
    int64_t max_loop_iterations = 10;
    /// A loop whose count is not a constant fails when it would run longer: what stops an endless
    /// one.
    int64_t limit_max_iterations = 65535;
    bool use_dyn_output = false;
    /// Node names are kept as debug symbols of the instructions made from them.
    bool use_debug_symbols = false;
    /// Folder of external tensor data; "": that of the model.
    std::string external_data_path = "";

    onnx_options() {}
};

/// Throws with file, node, operator, domain and opset when the model is malformed or needs an
/// operator that is not there.
program parse_onnx(const std::string& name, const onnx_options& options = onnx_options{});
program parse_onnx_buffer(const std::string& buffer, const onnx_options& options = onnx_options{});
program parse_onnx_buffer(const void* data, std::size_t size,
                          const onnx_options& options = onnx_options{});

/// Sorted names of the operators that can be read.
const std::vector<std::string>& get_onnx_operators();

} // namespace migraphx
#endif
