// SPDX-License-Identifier: MIT
// The Python module `migraphx`: its version, targets, and programs from and to files.
#include "python/bind.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/register_target.hpp>

#include "base/package_folders.hpp"

#include <filesystem>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unordered_map.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

using dynamic_dimension = shape::dynamic_dimension;
using input_sizes = std::unordered_map<std::string, std::vector<std::size_t>>;
using input_ranges = std::unordered_map<std::string, std::vector<dynamic_dimension>>;
using dimension_names = std::unordered_map<std::string, dynamic_dimension>;

// The bytes of an object with the buffer protocol.
struct bytes_view {
    explicit bytes_view(nb::handle x) {
        if (PyObject_GetBuffer(x.ptr(), &view, PyBUF_SIMPLE) != 0)
            throw nb::python_error();
    }
    ~bytes_view() { PyBuffer_Release(&view); }
    bytes_view(const bytes_view&) = delete;
    bytes_view& operator=(const bytes_view&) = delete;

    const char* data() const { return static_cast<const char*>(view.buf); }
    std::size_t size() const { return static_cast<std::size_t>(view.len); }

private:
    Py_buffer view{};
};

py_program parse_file(const std::filesystem::path& filename, std::size_t default_dim_value,
                      const dynamic_dimension& default_dyn_dim_value, dimension_names dim_params,
                      input_sizes map_input_dims, input_ranges map_dyn_input_dims,
                      bool skip_unknown_operators, bool print_program_on_error,
                      std::int64_t max_loop_iterations, std::int64_t limit_max_iterations,
                      bool use_debug_symbols) {
    onnx_options options;
    options.default_dim_value = default_dim_value;
    options.default_dyn_dim_value = default_dyn_dim_value;
    options.dim_params = std::move(dim_params);
    options.map_input_dims = std::move(map_input_dims);
    options.map_dyn_input_dims = std::move(map_dyn_input_dims);
    options.skip_unknown_operators = skip_unknown_operators;
    options.print_program_on_error = print_program_on_error;
    options.max_loop_iterations = max_loop_iterations;
    options.limit_max_iterations = limit_max_iterations;
    options.use_debug_symbols = use_debug_symbols;
    return parse_onnx(filename.string(), options);
}

py_program parse_bytes(nb::handle model, std::size_t default_dim_value,
                       const dynamic_dimension& default_dyn_dim_value, input_sizes map_input_dims,
                       input_ranges map_dyn_input_dims, bool skip_unknown_operators,
                       bool print_program_on_error, const std::filesystem::path& external_data_path,
                       bool use_debug_symbols) {
    onnx_options options;
    options.default_dim_value = default_dim_value;
    options.default_dyn_dim_value = default_dyn_dim_value;
    options.map_input_dims = std::move(map_input_dims);
    options.map_dyn_input_dims = std::move(map_dyn_input_dims);
    options.skip_unknown_operators = skip_unknown_operators;
    options.print_program_on_error = print_program_on_error;
    options.external_data_path = external_data_path.string();
    options.use_debug_symbols = use_debug_symbols;
    const bytes_view bytes(model);
    nb::gil_scoped_release others;
    return parse_onnx_buffer(bytes.data(), bytes.size(), options);
}

file_options in_format(const std::string& format) {
    if (format != "msgpack" and format != "json")
        throw nb::value_error(("format: msgpack or json was expected, got " + format).c_str());
    file_options options;
    options.format = format;
    return options;
}

void bind_parsers(nb::module_& m) {
    const dynamic_dimension one{1, 1};
    m.def("parse_onnx", &parse_file, nb::call_guard<nb::gil_scoped_release>(), "filename"_a,
          "default_dim_value"_a = 0, "default_dyn_dim_value"_a = one, "dim_params"_a = nb::dict(),
          "map_input_dims"_a = nb::dict(), "map_dyn_input_dims"_a = nb::dict(),
          "skip_unknown_operators"_a = false, "print_program_on_error"_a = false,
          "max_loop_iterations"_a = 10, "limit_max_iterations"_a = 65535,
          "use_debug_symbols"_a = false,
          "Program from an ONNX file. Sizes of an input: those of map_input_dims or "
          "map_dyn_input_dims "
          "(name -> list of dimensions), else of the dimension's name in dim_params, else what the "
          "model "
          "states, else default_dim_value, else default_dyn_dim_value.\nRuntimeError with file, "
          "node, "
          "operator, domain and opset when the model is malformed or needs what is not there.");
    m.def("parse_onnx_buffer", &parse_bytes, "filename"_a, "default_dim_value"_a = 0,
          "default_dyn_dim_value"_a = one, "map_input_dims"_a = nb::dict(),
          "map_dyn_input_dims"_a = nb::dict(), "skip_unknown_operators"_a = false,
          "print_program_on_error"_a = false, "external_data_path"_a = "",
          "use_debug_symbols"_a = false,
          "Program from the bytes of an ONNX model (`filename`: bytes or a buffer); tensors in "
          "files are "
          "looked for in external_data_path. See parse_onnx.");
    m.def("get_onnx_operators", &get_onnx_operators,
          "Sorted names of the ONNX operators that can be read.");
}

void bind_files(nb::module_& m) {
    m.def(
        "load",
        [](const std::filesystem::path& filename, const std::string& format) {
            const auto options = in_format(format);
            nb::gil_scoped_release others;
            return py_program(load(filename.string(), options));
        },
        "filename"_a, "format"_a = "msgpack",
        "Program from a file of format 'msgpack' (.mxr) or 'json'. RuntimeError with the file's "
        "name when "
        "it cannot be read.");
    m.def(
        "save",
        [](const py_program& p, const std::filesystem::path& filename, const std::string& format) {
            const auto options = in_format(format);
            nb::gil_scoped_release others;
            save(p, filename.string(), options);
        },
        "p"_a, "filename"_a, "format"_a = "msgpack", "Writes a program, compiled or not.");
    m.def(
        "save_buffer",
        [](const py_program& p) {
            std::vector<char> bytes;
            {
                nb::gil_scoped_release others;
                bytes = save_buffer(p);
            }
            return nb::bytes(bytes.data(), bytes.size());
        },
        "p"_a, "The bytes of a .mxr file.");
    m.def(
        "load_buffer",
        [](nb::handle b) {
            const bytes_view bytes(b);
            nb::gil_scoped_release others;
            return py_program(load_buffer(bytes.data(), bytes.size()));
        },
        "b"_a, "Program from what save_buffer gave.");
}

} // namespace

} // namespace migraphx::python

namespace {

// Where this interpreter's packages lie: pip's CUDA libraries are among them.
void name_package_folders() {
    const auto path =
        nanobind::cast<std::vector<std::string>>(nanobind::module_::import_("sys").attr("path"));
    for (const auto& folder : path)
        if (folder.ends_with("-packages"))
            migraphx::add_package_folder(folder);
}

// The library that most programs run on, with what it links to, is loaded with the module and not
// with the first program. Where it cannot be, get_target says why.
void load_default_target() {
    try {
        migraphx::make_target("cpu");
    } catch (const std::exception&) {
    }
}

// Messages may quote a file's bytes, which need not be UTF-8.
void set_runtime_error(const std::exception_ptr& p, void*) {
    try {
        std::rethrow_exception(p);
    } catch (const migraphx::exception& e) {
        const std::string_view text = e.what();
        const auto message = nanobind::steal(
            PyUnicode_DecodeUTF8(text.data(), Py_ssize_t(text.size()), "backslashreplace"));
        PyErr_SetObject(PyExc_RuntimeError, message.ptr());
    }
}

} // namespace

NB_MODULE(migraphx, m) {
    using namespace migraphx;
    using namespace migraphx::python;
    // Modules may be unloaded with programs alive; that is no mistake worth a message.
    nb::set_leak_warnings(false);
    nb::register_exception_translator(set_runtime_error);
    m.doc() = "Inference engine: read a model, compile it for a target, run it on tensors.";
    m.attr("__version__") = MIGRAPHX_VERSION;
    bind_shape(m);
    bind_argument(m);
    bind_operation(m);
    nb::class_<target>(m, "target", "Where programs run; see get_target.")
        .def("__repr__", [](const target& t) { return "migraphx.target(" + t.name() + ")"; });
    m.def("get_target", &make_target, "name"_a, nb::call_guard<nb::gil_scoped_release>(),
          "The target 'ref', 'cpu' or 'gpu'. RuntimeError, with the targets that there are, for "
          "one that "
          "this machine does not have.");
    bind_program(m);
    bind_parsers(m);
    bind_tensorflow(m);
    bind_report(m);
    bind_files(m);
    bind_quantization(m);
    name_package_folders();
    load_default_target();
}
