// SPDX-License-Identifier: MIT
// Programs from frozen TensorFlow graphs.
#include "python/bind.hpp"

#include <migraphx/tf.hpp>

#include <filesystem>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unordered_map.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

using input_sizes = std::unordered_map<std::string, std::vector<std::size_t>>;

tf_options make_options(bool is_nhwc, unsigned int batch_size, input_sizes map_input_dims,
                        std::vector<std::string> output_names) {
    tf_options options;
    options.is_nhwc = is_nhwc;
    options.batch_size = batch_size;
    options.map_input_dims = std::move(map_input_dims);
    options.output_node_names = std::move(output_names);
    return options;
}

py_program parse_file(const std::filesystem::path& filename, bool is_nhwc, unsigned int batch_size,
                      input_sizes map_input_dims, std::vector<std::string> output_names) {
    return parse_tf(filename.string(), make_options(is_nhwc, batch_size, std::move(map_input_dims),
                                                    std::move(output_names)));
}

py_program parse_bytes(const nb::bytes& model, bool is_nhwc, unsigned int batch_size,
                       input_sizes map_input_dims, std::vector<std::string> output_names) {
    const auto options =
        make_options(is_nhwc, batch_size, std::move(map_input_dims), std::move(output_names));
    const auto* data = model.data();
    const auto size = model.size();
    nb::gil_scoped_release others;
    return parse_tf_buffer(data, size, options);
}

} // namespace

void bind_tensorflow(nb::module_& m) {
    m.def("parse_tf", &parse_file, nb::call_guard<nb::gil_scoped_release>(), "filename"_a,
          "is_nhwc"_a = true, "batch_size"_a = 1, "map_input_dims"_a = nb::dict(),
          "output_names"_a = nb::list(),
          "Program from a frozen TensorFlow graph (.pb). With is_nhwc inputs and results of four "
          "dimensions are NCHW, else as the graph has them. Open dimensions are batch_size, unless "
          "map_input_dims (name -> list of dimensions) states those of an input. Results are the "
          "nodes of output_names ('node' or 'node:output'), else those that nobody consumes.\n"
          "RuntimeError with file, node and operator when the graph is malformed or needs what is "
          "not there.");
    m.def("parse_tf_buffer", &parse_bytes, "model"_a, "is_nhwc"_a = true, "batch_size"_a = 1,
          "map_input_dims"_a = nb::dict(), "output_names"_a = nb::list(),
          "Program from the bytes of a frozen TensorFlow graph. See parse_tf.");
    m.def("get_tf_operators", &get_tf_operators,
          "Sorted names of the TensorFlow operators that can be read.");
}

} // namespace migraphx::python
