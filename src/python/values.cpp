// SPDX-License-Identifier: MIT
// What programs take and give in Python: tensors, lists for sequences, None or a value for
// optionals.
#include "python/bind.hpp"

#include "base/str.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

bool is_number(nb::handle x) {
    return PyBool_Check(x.ptr()) or PyLong_Check(x.ptr()) or PyFloat_Check(x.ptr());
}

bool is_text(nb::handle x) {
    return PyUnicode_Check(x.ptr()) or PyBytes_Check(x.ptr());
}

bool is_list(nb::handle x) {
    return PyList_Check(x.ptr()) or PyTuple_Check(x.ptr());
}

std::string kind_of(nb::handle x) {
    return nb::cast<std::string>(nb::str(x.type().attr("__name__")));
}

argument to_tensor(const std::string& name, nb::handle x, const shape& declared) {
    std::string error = "a tensor or a number was expected, got " + kind_of(x);
    try {
        if (declared.type() == shape::string_type and (is_text(x) or is_list(x)))
            return to_argument(
                nb::module_::import_("numpy").attr("array")(x, "dtype"_a = "object"));
        if (auto a = find_tensor(x))
            return std::move(*a);
    } catch (const nb::builtin_exception& e) {
        error = e.what();
    }
    if (not is_number(x))
        throw nb::type_error(("parameter " + name + ": " + error).c_str());
    const auto s = declared.has_rank() ? declared : shape{declared.type()};
    if (s.dynamic() or s.elements() != 1)
        throw nb::value_error(
            str("parameter ", name, ": a tensor of shape ", s, " was expected, got a number")
                .c_str());
    return from_numbers(s, nb::make_tuple(x));
}

bool is_tuple_argument(nb::handle x) {
    argument* a = nullptr;
    return nb::try_cast(x, a) and a != nullptr and a->get_shape().type() == shape::tuple_type;
}

} // namespace

bool py_program::is_boxed() const {
    if (boxed_in != generation) {
        boxed = false;
        for (const auto& item : get_parameter_shapes())
            boxed = boxed or item.second.is_boxed();
        for (const auto& s : get_output_shapes())
            boxed = boxed or s.is_boxed();
        boxed_in = generation;
    }
    return boxed;
}

argument to_value_argument(const std::string& name, nb::handle x, const shape& declared) {
    if (declared.type() == shape::tuple_type and is_tuple_argument(x))
        return nb::cast<argument>(x);
    if (declared.is_optional())
        return x.is_none() ? argument{std::vector<argument>{}}
                           : argument{std::vector<argument>{
                                 to_value_argument(name, x, declared.element())}};
    if (declared.is_sequence()) {
        if (not is_list(x))
            throw nb::type_error(
                ("parameter " + name + ": a list of tensors was expected, got " + kind_of(x))
                    .c_str());
        std::vector<argument> members;
        for (auto member : nb::iter(x))
            members.push_back(
                to_value_argument(str(name, '[', members.size(), ']'), member, declared.element()));
        return {members};
    }
    return to_tensor(name, x, declared);
}

nb::object from_value_argument(const argument& a, const shape& declared) {
    if (declared.is_optional()) {
        const auto members = a.get_sub_objects();
        return members.empty() ? nb::none()
                               : from_value_argument(members.front(), declared.element());
    }
    if (not declared.is_sequence())
        return nb::cast(a);
    nb::list result;
    for (const auto& member : a.get_sub_objects())
        result.append(from_value_argument(member, declared.element()));
    return result;
}

} // namespace migraphx::python
