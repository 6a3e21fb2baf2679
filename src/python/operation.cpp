// SPDX-License-Identifier: MIT
// op and macro, and attribute values as Python objects.
#include "python/bind.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/op/common.hpp>

#include "base/str.hpp"

#include <algorithm>

#include <nanobind/stl/string.h>

namespace migraphx::python {

namespace {

// Attributes from keywords. A word of an enumeration becomes its number.
value to_attributes(const op_info& info, const nb::kwargs& kwargs) {
    value result = value::object{};
    for (auto [key, x] : kwargs) {
        const auto name = nb::cast<std::string>(key);
        auto v = to_value(x);
        const auto field = std::find_if(info.fields.begin(), info.fields.end(),
                                        [&](const auto& f) { return f.name == name; });
        if (field != info.fields.end() and v.is_string()) {
            const auto& words = field->words;
            const auto word = std::find(words.begin(), words.end(), v.get_string());
            if (word != words.end())
                v = value(static_cast<std::int64_t>(word - words.begin()));
        }
        result[name] = v;
    }
    return result;
}

void make_operation(operation* self, const std::string& name, const nb::kwargs& kwargs) {
    const auto plain = make_op(name);
    new (self) operation(make_op_from_value(name, to_attributes(plain.info(), kwargs)));
}

value to_options(const nb::kwargs& kwargs) {
    value result = value::object{};
    for (auto [key, x] : kwargs)
        result[nb::cast<std::string>(key)] = to_value(x);
    return result;
}

nb::dict to_dict(const value& v) {
    nb::dict items;
    for (const auto& x : v)
        items[nb::str(x.get_key().c_str())] = from_value(x);
    return items;
}

value integer_to_value(nb::handle x) {
    std::int64_t n = 0;
    if (nb::try_cast(x, n))
        return n;
    std::uint64_t u = 0;
    if (nb::try_cast(x, u))
        return u;
    throw nb::value_error(
        ("attribute: an integer of 64 bits was expected, got " + nb::cast<std::string>(nb::str(x)))
            .c_str());
}

} // namespace

value to_value(nb::handle x) {
    auto* p = x.ptr();
    if (x.is_none())
        return {};
    if (PyBool_Check(p))
        return nb::cast<bool>(x);
    if (PyLong_Check(p))
        return integer_to_value(x);
    if (PyFloat_Check(p))
        return PyFloat_AS_DOUBLE(p);
    if (PyUnicode_Check(p))
        return nb::cast<std::string>(x);
    if (PyBytes_Check(p)) {
        const auto bytes = nb::borrow<nb::bytes>(x);
        return value::binary(bytes.data(), bytes.size());
    }
    if (PyDict_Check(p)) {
        value result = value::object{};
        for (auto [key, item] : nb::borrow<nb::dict>(x))
            result[nb::cast<std::string>(key)] = to_value(item);
        return result;
    }
    if (nb::isinstance<shape::dynamic_dimension>(x))
        return migraphx::to_value(nb::cast<const shape::dynamic_dimension&>(x));
    if (nb::isinstance<shape>(x))
        return shape_to_value(nb::cast<const shape&>(x));
    if (nb::isinstance<operation>(x))
        return migraphx::to_value(nb::cast<const operation&>(x));
    if (PySequence_Check(p) or PySet_Check(p)) {
        value result = value::array{};
        for (auto item : nb::iter(x))
            result.push_back(to_value(item));
        return result;
    }
    if (PyIndex_Check(p))
        return integer_to_value(nb::steal(PyNumber_Index(p)));
    if (PyNumber_Check(p))
        return nb::cast<double>(nb::steal(PyNumber_Float(p)));
    throw nb::type_error(("attribute: a number, text, list, dict or None was expected, got " +
                          nb::cast<std::string>(nb::str(x.type().attr("__name__"))))
                             .c_str());
}

nb::object from_value(const value& v) {
    if (v.is_array()) {
        nb::list items;
        for (const auto& x : v)
            items.append(from_value(x));
        return items;
    }
    if (v.is_object())
        return to_dict(v);
    switch (v.get_type()) {
    case value::int64_type:
        return nb::int_(v.get_int64());
    case value::uint64_type:
        return nb::int_(v.get_uint64());
    case value::float_type:
        return nb::float_(v.get_float());
    case value::bool_type:
        return nb::bool_(v.get_bool());
    case value::string_type:
        return nb::str(v.get_string().data(), v.get_string().size());
    case value::binary_type:
        return nb::bytes(v.get_binary().data(), v.get_binary().size());
    default:
        return nb::none();
    }
}

void bind_operation(nb::module_& m) {
    nb::class_<operation> op(m, "op",
                             "An operator with attribute values, e.g. op('softmax', axis=1). "
                             "Attributes not given keep their "
                             "defaults; enumerations go by name, number or enum.\nRuntimeError for "
                             "an unknown operator or "
                             "attribute.");
    nb::enum_<op::pooling_mode>(op, "pooling_mode", nb::is_arithmetic())
        .value("average", op::pooling_mode::average)
        .value("max", op::pooling_mode::max)
        .value("lpnorm", op::pooling_mode::lpnorm);
    nb::enum_<op::rnn_direction>(op, "rnn_direction", nb::is_arithmetic())
        .value("forward", op::rnn_direction::forward)
        .value("reverse", op::rnn_direction::reverse)
        .value("bidirectional", op::rnn_direction::bidirectional);
    op.def("__init__", &make_operation, "name"_a, "attributes"_a)
        .def("name", &operation::name)
        .def(
            "values", [](const operation& x) { return to_dict(x.to_value()); },
            "Attribute values by name.")
        .def(
            "__eq__", [](const operation& x, const operation& y) { return x == y; },
            nb::is_operator())
        .def("__repr__", [](const operation& x) { return str(x); })
        .attr("__hash__") = nb::none();

    nb::class_<py_macro>(
        m, "macro",
        "A recipe that expands into several instructions, e.g. macro('gemm', alpha=0.5). "
        "See module.add_macro.")
        .def(
            "__init__",
            [](py_macro* self, const std::string& name, const nb::kwargs& options) {
                new (self) py_macro{name, to_options(options)};
            },
            "name"_a, "options"_a)
        .def("name", [](const py_macro& x) { return x.name; })
        .def(
            "options", [](const py_macro& x) { return to_dict(x.options); }, "Options by name.");
}

} // namespace migraphx::python
