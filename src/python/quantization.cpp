// SPDX-License-Identifier: MIT
// quantize_*: lower precision for programs that are not compiled yet.
#include "python/bind.hpp"

#include <migraphx/autocast_fp8.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/quantization.hpp>

#include <unordered_set>

#include <nanobind/stl/string.h>
#include <nanobind/stl/unordered_set.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

using named_tensors = nb::typed<nb::dict, nb::str, nb::handle>;

std::vector<parameter_map> to_calibration(const std::vector<named_tensors>& runs) {
    std::vector<parameter_map> result;
    for (const auto& run : runs) {
        auto& parameters = result.emplace_back();
        for (auto [name, x] : run)
            parameters.emplace(nb::cast<std::string>(name), to_argument(x));
    }
    return result;
}

void quantize_to_int8(py_program& p, const target& t, const std::vector<named_tensors>& calibration,
                      const std::unordered_set<std::string>& ins_names) {
    const auto runs = to_calibration(calibration);
    ++p.generation;
    nb::gil_scoped_release others;
    quantize_int8(p, t, runs, ins_names);
}

void quantize_to_fp8(py_program& p, const target& t,
                     const std::vector<named_tensors>& calibration) {
    const auto runs = to_calibration(calibration);
    ++p.generation;
    nb::gil_scoped_release others;
    quantize_fp8(p, t, runs);
}

template <class F>
auto in_place(F f) {
    return [f](py_program& p) {
        ++p.generation;
        nb::gil_scoped_release others;
        f(p);
    };
}

template <class F>
auto in_place_with_names(F f) {
    return [f](py_program& p, const std::vector<std::string>& names) {
        ++p.generation;
        nb::gil_scoped_release others;
        f(p, names);
    };
}

} // namespace

void bind_quantization(nb::module_& m) {
    const std::vector<std::string> all{"all"};
    m.def("quantize_fp16", in_place_with_names(&quantize_fp16), "prog"_a, "ins_names"_a = all,
          "Operators of these names ('all': every one) compute in half. In place, before compile.");
    m.def("quantize_bf16", in_place_with_names(&quantize_bf16), "prog"_a, "ins_names"_a = all,
          "Operators of these names ('all': every one) compute in bf16. In place, before compile.");
    m.def("quantize_int8", &quantize_to_int8, "prog"_a, "t"_a, "calibration"_a = nb::list(),
          "ins_names"_a = std::unordered_set<std::string>{"dot", "convolution"},
          "dot and convolution work on int8. Activations are scaled by the largest magnitude that "
          "runs on `t` over the calibration data (a list of dicts of inputs) show, weights by that "
          "of each output channel. In place, before compile.");
    m.def("quantize_fp8", &quantize_to_fp8, "prog"_a, "t"_a, "calibration"_a = nb::list(),
          "The same with fp8e4m3fn.");
    m.def(
        "quantize_int4_weights", in_place(&quantize_int4_weights), "prog"_a,
        "Constant weights of dot and convolution become 4-bit integers. In place, before compile.");
    m.def("autocast_fp8", in_place([](program& p) { run_passes(p, {autocast_fp8_pass{}}); }),
          "prog"_a, "8-bit floating-point inputs and outputs of the program become float.");
}

} // namespace migraphx::python
