// SPDX-License-Identifier: MIT
// shape, shape.type_t and shape.dynamic_dimension.
#include "python/bind.hpp"

#include <migraphx/shape.hpp>

#include "base/str.hpp"

#include <nanobind/operators.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/set.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

using dynamic_dimension = shape::dynamic_dimension;
using sizes = std::vector<std::size_t>;

void make_shape(shape* self, nb::handle type, const sizes& lens,
                const std::optional<sizes>& strides,
                const std::optional<std::vector<std::int64_t>>& permutation,
                const std::optional<std::vector<dynamic_dimension>>& dyn_dims) {
    const auto t = to_type(type);
    if (dyn_dims and not dyn_dims->empty())
        new (self) shape(t, *dyn_dims);
    else if (permutation and not permutation->empty())
        new (self) shape(shape::from_permutation(t, lens, *permutation));
    else if (strides and not strides->empty())
        new (self) shape(t, lens, *strides);
    else
        new (self) shape(t, lens);
}

void bind_types(nb::class_<shape>& s) {
    auto types = nb::enum_<shape::type_t>(s, "type_t", nb::is_arithmetic(), "Element types.");
    for (auto t : shape::all_types())
        types.value(shape::name(t).c_str(), t);
}

void bind_dynamic_dimension(nb::class_<shape>& s) {
    nb::class_<dynamic_dimension>(
        s, "dynamic_dimension",
        "Bounds of a dimension that is not known yet, and sizes worth optimising for.")
        .def(nb::init<>())
        .def(
            "__init__",
            [](dynamic_dimension* self, std::size_t n) { new (self) dynamic_dimension(n, n); },
            "size"_a, nb::is_implicit(), "One fixed size.")
        .def(nb::init<std::size_t, std::size_t>(), "min"_a, "max"_a,
             "Sizes from min to max. RuntimeError when min > max.")
        .def(nb::init<std::size_t, std::size_t, std::set<std::size_t>>(), "min"_a, "max"_a,
             "optimals"_a)
        .def(nb::init<std::size_t, std::size_t, std::size_t>(), "min"_a, "max"_a, "optimal"_a,
             "One optimum; 0 stands for none.")
        .def_prop_ro("min", [](const dynamic_dimension& d) { return d.get_interval().min; })
        .def_prop_ro("max", [](const dynamic_dimension& d) { return d.get_interval().max; })
        .def_prop_ro("optimals", &dynamic_dimension::get_optimals)
        .def("is_fixed", &dynamic_dimension::is_fixed, "Whether min equals max.")
        .def("__repr__", [](const dynamic_dimension& d) { return str(d); })
        .def(
            "__eq__", [](const dynamic_dimension& x, const dynamic_dimension& y) { return x == y; },
            nb::is_operator())
        .def("__hash__", [](const dynamic_dimension& d) {
            return std::hash<std::size_t>{}(d.get_interval().min * 31 + d.get_interval().max);
        });
    nb::implicitly_convertible<std::size_t, dynamic_dimension>();
}

} // namespace

shape::type_t to_type(nb::handle x) {
    if (nb::isinstance<nb::str>(x)) {
        const auto name = nb::cast<std::string>(x);
        try {
            return shape::parse_type(name);
        } catch (const exception& e) {
            throw nb::index_error(e.what());
        }
    }
    std::int64_t number = 0;
    if (not nb::try_cast(x, number))
        throw nb::type_error("type: a name, a number or a shape.type_t was expected");
    try {
        return shape::type_of_number(number);
    } catch (const exception& e) {
        throw nb::value_error(e.what());
    }
}

void bind_shape(nb::module_& m) {
    nb::class_<shape> s(
        m, "shape",
        "Element type, dimensions and memory layout of a tensor.\n\n"
        "type: 'float', 'half', 'bf16', 'int64_t', 'float_type' …, a shape.type_t or "
        "its number.\nlens: elements in each dimension. strides: elements from one "
        "to the next in each;\npermutation: a layout by the order of the dimensions "
        "in memory, outermost first;\ndyn_dims: bounds instead of sizes (overrides "
        "the others), a plain integer is a fixed size.\nIndexError for an unknown "
        "type, RuntimeError for sizes that do not make a shape.");
    bind_types(s);
    bind_dynamic_dimension(s);
    s.def("__init__", &make_shape, nb::kw_only(), "type"_a = "float", "lens"_a = sizes{1},
          "strides"_a = nb::none(), "permutation"_a = nb::none(), "dyn_dims"_a = nb::none())
        .def("type", &shape::type, "Element type.")
        .def("lens", &shape::lens, "Sizes of the dimensions. RuntimeError for a dynamic shape.")
        .def("strides", &shape::strides, "Strides in elements. RuntimeError for a dynamic shape.")
        .def("ndim", &shape::ndim, "Number of dimensions.")
        .def("elements", &shape::elements, "Number of elements. RuntimeError for a dynamic shape.")
        .def("bytes", &shape::bytes, "Bytes in memory; the upper bound for a dynamic shape.")
        .def("type_string", &shape::type_string, "Name of the element type: 'float_type' …")
        .def("type_size", &shape::type_size, "Bytes of one element.")
        .def("dyn_dims", &shape::dyn_dims, "Dimensions of a dynamic shape; else an empty list.")
        .def("packed", &shape::packed, "Whether the elements fill their memory without gaps.")
        .def("transposed", &shape::transposed, "Whether the strides do not descend.")
        .def("broadcasted", &shape::broadcasted, "Whether a stride is 0.")
        .def("standard", &shape::standard, "Whether the layout is row-major and packed.")
        .def("scalar", &shape::scalar, "Whether every stride is 0.")
        .def("dynamic", &shape::dynamic, "Whether a dimension is not known yet.")
        .def(
            "__eq__", [](const shape& x, const shape& y) { return x == y; }, nb::is_operator())
        .def(
            "__ne__", [](const shape& x, const shape& y) { return x != y; }, nb::is_operator())
        .def("__hash__", &shape::hash)
        .def("__repr__", &shape::to_string);
}

} // namespace migraphx::python
