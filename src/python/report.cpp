// SPDX-License-Identifier: MIT
// What a model needs, as a dict.
#include "python/bind.hpp"

#include <migraphx/model_report.hpp>

#include <filesystem>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unordered_map.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

using input_sizes = std::unordered_map<std::string, std::vector<std::size_t>>;

value make_report(const std::string& file, std::size_t batch, input_sizes map_input_dims,
                  bool is_nhwc) {
    if (file.ends_with(".pb")) {
        tf_options options;
        options.is_nhwc = is_nhwc;
        options.batch_size = static_cast<unsigned int>(batch);
        options.map_input_dims = std::move(map_input_dims);
        return report_tf(file, options);
    }
    onnx_options options;
    options.default_dim_value = batch;
    options.map_input_dims = std::move(map_input_dims);
    return report_onnx(file, options);
}

} // namespace

void bind_report(nb::module_& m) {
    m.def(
        "report",
        [](const std::filesystem::path& filename, std::size_t batch, input_sizes map_input_dims,
           bool is_nhwc) {
            value result;
            {
                nb::gil_scoped_release others;
                result = make_report(filename.string(), batch, std::move(map_input_dims), is_nhwc);
            }
            return from_value(result);
        },
        "filename"_a, "batch"_a = 1, "map_input_dims"_a = nb::dict(), "is_nhwc"_a = true,
        "What a model (.onnx, or .pb of TensorFlow) needs, without compiling it: a dict of inputs, "
        "outputs, opsets, "
        "operators with counts, flops and bytes, parameters, types, and problems: every node that "
        "is not supported. "
        "Open dimensions are `batch`. RuntimeError when the file is no model.");
}

} // namespace migraphx::python
