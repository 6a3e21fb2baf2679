// SPDX-License-Identifier: MIT
// Tensors of strings: numpy's arrays of str, bytes or objects in, arrays of str objects out. Bytes
// that are no UTF-8 pass through Python's surrogate escapes and come back unchanged.
#include "python/bind.hpp"

#include "base/str.hpp"
#include "ir/rank_zero.hpp"

#include <string_view>

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

nb::object encoded(nb::handle x) {
    if (PyBytes_Check(x.ptr()))
        return nb::borrow(x);
    if (not PyUnicode_Check(x.ptr()))
        throw nb::type_error(("a str or bytes was expected, got " +
                              nb::cast<std::string>(nb::str(x.type().attr("__name__"))))
                                 .c_str());
    auto bytes = nb::steal(PyUnicode_AsEncodedString(x.ptr(), "utf-8", "surrogateescape"));
    if (not bytes.is_valid())
        throw nb::python_error();
    return bytes;
}

nb::object decoded(std::string_view x) {
    auto text = nb::steal(
        PyUnicode_DecodeUTF8(x.data(), static_cast<Py_ssize_t>(x.size()), "surrogateescape"));
    if (not text.is_valid())
        throw nb::python_error();
    return text;
}

} // namespace

argument from_strings(const shape& s, nb::handle values) {
    std::vector<nb::object> owners;
    std::vector<std::string_view> texts;
    for (auto x : nb::iter(values)) {
        owners.push_back(encoded(x));
        texts.emplace_back(PyBytes_AS_STRING(owners.back().ptr()),
                           static_cast<std::size_t>(PyBytes_GET_SIZE(owners.back().ptr())));
    }
    if (texts.size() != s.elements())
        throw nb::value_error(str("values: ", s.elements(), " strings were expected for the shape ",
                                  s, ", got ", texts.size())
                                  .c_str());
    return string_argument(s, texts);
}

std::optional<argument> find_strings(nb::handle x) {
    const auto dtype = nb::getattr(x, "dtype", nb::none());
    const nb::object kind = nb::getattr(dtype, "kind", nb::none());
    if (not nb::isinstance<nb::str>(kind) or
        std::string_view("OUST").find(nb::cast<std::string>(kind)) == std::string_view::npos)
        return {};
    const auto lens = nb::cast<std::vector<std::size_t>>(x.attr("shape"));
    const shape s = lens.empty() ? shape{shape::string_type} : shape{shape::string_type, lens};
    return from_strings(s, x.attr("ravel")().attr("tolist")());
}

nb::list strings_to_list(const argument& a) {
    nb::list result;
    for (const auto& x : strings_of(a))
        result.append(decoded(x));
    return result;
}

nb::object strings_to_numpy(const argument& a) {
    const auto numpy = nb::module_::import_("numpy");
    const auto& s = a.get_shape();
    const auto lens = is_rank_zero(s) ? std::vector<std::size_t>{} : s.lens();
    auto array = numpy.attr("empty")(nb::tuple(nb::cast(lens)), "dtype"_a = "object");
    array.attr("ravel")().attr("__setitem__")(nb::ellipsis(), strings_to_list(a));
    return array;
}

} // namespace migraphx::python
