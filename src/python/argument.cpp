// SPDX-License-Identifier: MIT
// argument: tensors, and the ways other libraries see their memory without a copy.
#include "python/bind.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/gpu/hip.hpp>

#include "base/str.hpp"
#include "ir/convert_element.hpp"
#include "ir/rank_zero.hpp"
#include "ir/small_number.hpp"
#include "runtime/device_access.hpp"

#include <filesystem>

#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

// Where the memory lies, as DLPack counts.
device_access::place place_of(const argument& a) {
    auto* access = loaded_gpu_access();
    const auto found = access == nullptr ? std::nullopt : access->device_of(a.data());
    return found.value_or(device_access::place{});
}

// For those who read the elements here.
argument on_host(const argument& a) {
    return is_on_device(a) ? gpu_access().to_host(a) : a;
}

// The type's row, for an argument that others may look into; else a TypeError.
const element_code& shareable(const argument& a) {
    const auto& s = a.get_shape();
    const auto* code = element_code_of(s.type());
    if (code == nullptr or s.dynamic() or (a.data() == nullptr and s.elements() != 0))
        throw nb::type_error(str("argument: data of a static shape was expected, got ", s).c_str());
    return *code;
}

// The argument as nanobind's own array object, which has the buffer protocol and DLPack.
nb::object to_array(nb::handle self) {
    const auto& a = *nb::inst_ptr<argument>(self);
    const auto& code = shareable(a);
    const auto& s = a.get_shape();
    if (code.dlpack == no_dlpack)
        throw nb::type_error(str("argument: a type of DLPack was expected, got ", s.type_string(),
                                 "; numpy.asarray reads it")
                                 .c_str());
    const std::vector<std::int64_t> strides(s.strides().begin(), s.strides().end());
    const nb::dlpack::dtype type{code.dlpack, static_cast<std::uint8_t>(code.size * 8), 1};
    const auto rank = is_rank_zero(s) ? 0 : s.ndim();
    const auto place = place_of(a);
    const auto make = [&]<class... Access>(nb::ndarray<Access...> kind) {
        return nb::cast(decltype(kind)(a.data(), rank, s.lens().data(), self, strides.data(), type,
                                       place.kind, place.id));
    };
    return is_read_only(a) ? make(nb::ndarray<nb::array_api, nb::ro>())
                           : make(nb::ndarray<nb::array_api>());
}

void check_on_host(const argument& a) {
    if (is_on_device(a))
        throw nb::type_error("argument: memory of the host was expected, got a device's; from_gpu "
                             "copies it, DLPack and __cuda_array_interface__ share it");
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) noexcept {
    view->obj = nullptr;
    try {
        if (not nb::inst_ready(self))
            throw nb::buffer_error("argument: an initialised object was expected");
        check_on_host(*nb::inst_ptr<argument>(self));
        const auto array = to_array(self);
        const auto& s = nb::inst_ptr<argument>(self)->get_shape();
        constexpr int contiguous = PyBUF_C_CONTIGUOUS | PyBUF_F_CONTIGUOUS | PyBUF_ANY_CONTIGUOUS;
        if ((flags & contiguous & ~PyBUF_STRIDES) != 0 and not s.standard())
            throw nb::buffer_error(
                str("argument: a row-major layout was expected, got ", s).c_str());
        return PyObject_GetBuffer(array.ptr(), view, flags);
    } catch (const std::exception& e) {
        PyErr_SetString(PyExc_BufferError, e.what());
        return -1;
    }
}

const PyType_Slot buffer_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                                    {0, nullptr}};

std::vector<std::ptrdiff_t> byte_strides(const shape& s) {
    std::vector<std::ptrdiff_t> result;
    for (auto x : s.strides())
        result.push_back(static_cast<std::ptrdiff_t>(x * s.type_size()));
    return result;
}

// `name` has what lies on a device or what does not: numpy must not read the one, torch and cupy
// not the other.
nb::dict array_interface(const argument& a, const char* name, bool device) {
    if (a.get_shape().type() == shape::string_type or is_on_device(a) != device)
        throw nb::attribute_error(name);
    const auto& code = shareable(a);
    if (code.kind == 0)
        throw nb::attribute_error(name);
    nb::dict result;
    result["version"] = 3;
    result["typestr"] = str(code.size == 1 ? '|' : '<', code.kind, int(code.size));
    const bool scalar = is_rank_zero(a.get_shape());
    result["shape"] = scalar ? nb::tuple() : nb::tuple(nb::cast(a.get_shape().lens()));
    result["strides"] = scalar ? nb::tuple() : nb::tuple(nb::cast(byte_strides(a.get_shape())));
    result["data"] = nb::make_tuple(reinterpret_cast<std::uintptr_t>(a.data()), is_read_only(a));
    return result;
}

// numpy comes here for what the buffer protocol cannot say: the types of ml_dtypes.
nb::object to_numpy(nb::handle_t<argument> self, nb::object dtype, nb::object copy) {
    const auto numpy = nb::module_::import_("numpy");
    const auto& a = nb::cast<const argument&>(self);
    if (a.get_shape().type() == shape::string_type) {
        const auto strings = strings_to_numpy(a);
        return dtype.is_none() ? strings : strings.attr("astype")(dtype);
    }
    check_on_host(a);
    const auto& code = shareable(a);
    nb::object array;
    if (code.kind != 0) {
        array = numpy.attr("asarray")(self);
    } else {
        const auto types = nb::module_::import_("ml_dtypes");
        const auto bits = code.size == 1 ? shape::uint8_type : shape::uint16_type;
        array = numpy.attr("asarray")(nb::cast(a.reshape(a.get_shape().with_type(bits))));
        array = array.attr("view")(types.attr(code.dtype));
    }
    if (dtype.is_none() and (copy.is_none() or not nb::cast<bool>(copy)))
        return array;
    return numpy.attr("array")(array, "dtype"_a = dtype, "copy"_a = copy);
}

nb::list to_list(const argument& given) {
    const auto a = on_host(given);
    if (a.get_shape().type() == shape::string_type)
        return strings_to_list(a);
    if (element_code_of(a.get_shape().type()) == nullptr)
        throw nb::type_error(str("tolist: numbers were expected, got ", a.get_shape()).c_str());
    const auto type = a.get_shape().type();
    if (shape::is_small(type)) {
        const bool is_integer = small_integer_bits(type) != 0;
        argument wide{{is_integer ? shape::int64_type : shape::double_type, a.get_shape().lens()}};
        convert_elements(wide, a);
        return to_list(wide);
    }
    if (type == shape::bool_type) {
        nb::list flags;
        for (auto x : a.to_vector<int>())
            flags.append(x != 0);
        return flags;
    }
    if (shape::is_integral(type))
        return nb::borrow<nb::list>(shape::is_unsigned(type)
                                        ? nb::cast(a.to_vector<std::uint64_t>())
                                        : nb::cast(a.to_vector<std::int64_t>()));
    return nb::borrow<nb::list>(nb::cast(a.to_vector<double>()));
}

std::string argument_text(const argument& a) {
    if (a.get_shape().type() != shape::tuple_type)
        return on_host(a).to_string();
    std::string text;
    for (const auto& x : a.get_sub_objects())
        text += (text.empty() ? "" : "; ") + argument_text(x);
    return text;
}

argument from_pointer(const shape& s, std::uintptr_t address) {
    if (address == 0 and s.bytes() != 0)
        throw nb::value_error("argument_from_pointer: an address was expected, got 0");
    return {s, reinterpret_cast<char*>(address)};
}

void bind_gpu_memory(nb::module_& m) {
    m.def("allocate_gpu", &gpu::allocate_gpu, "s"_a, "host"_a = false,
          "Memory of the current GPU, not initialised; with host=True page-locked memory of the "
          "host.\nRuntimeError when this machine has no GPU.");
    m.def("to_gpu", &gpu::to_gpu, "arg"_a, "host"_a = false,
          nb::call_guard<nb::gil_scoped_release>(),
          "A copy on the current GPU, or with host=True in page-locked memory of the host.");
    m.def("from_gpu", &gpu::from_gpu, "arg"_a, nb::call_guard<nb::gil_scoped_release>(),
          "A copy in memory of the host, once all work of the GPU is done.");
    m.def(
        "gpu_sync", [] { gpu::gpu_sync(); }, nb::call_guard<nb::gil_scoped_release>(),
        "Waits for all work of the current GPU.");
}

} // namespace

void bind_argument(nb::module_& m) {
    nb::class_<argument>(
        m, "argument", nb::type_slots(buffer_slots),
        "A tensor. argument(x) refers to the memory of x (an object with the buffer protocol, "
        "__array_interface__, __dlpack__ or __cuda_array_interface__, on the host or a device) and "
        "keeps x alive; only layouts that strides in elements cannot describe are "
        "copied.\nnumpy.asarray(a), memoryview(a) (on the host) and torch.from_dlpack(a) refer to "
        "the argument's memory.\nTypeError for what is no tensor or has elements of another kind.")
        .def(
            "__init__", [](argument* self, nb::handle x) { new (self) argument(to_argument(x)); },
            "buffer"_a)
        .def("get_shape", &argument::get_shape, "Element type, dimensions and strides.")
        .def(
            "data_ptr",
            [](const argument& a) { return reinterpret_cast<std::uintptr_t>(a.data()); },
            "Address of the first element.")
        .def("tolist", &to_list, "The elements as one flat list, in logical (row-major) order.")
        .def("get_sub_objects", &argument::get_sub_objects, "The members of a tuple.")
        .def_static(
            "save",
            [](const argument& a, const std::filesystem::path& f) {
                save_argument(on_host(a), f.string());
            },
            "arg"_a, "filename"_a, "Writes shape and data to a MessagePack file.")
        .def_static(
            "load", [](const std::filesystem::path& f) { return load_argument(f.string()); },
            "filename"_a,
            "Reads what `save` wrote. RuntimeError with the file's name when it cannot.")
        .def(
            "__eq__", [](const argument& x, const argument& y) { return on_host(x) == on_host(y); },
            nb::is_operator(), "Equal types, dimensions and elements; layouts may differ.")
        .def(
            "__ne__", [](const argument& x, const argument& y) { return on_host(x) != on_host(y); },
            nb::is_operator())
        .def("__repr__", &argument_text)
        .def("__array__", &to_numpy, "dtype"_a = nb::none(), "copy"_a = nb::none())
        .def_prop_ro(
            "__array_interface__",
            [](const argument& a) { return array_interface(a, "__array_interface__", false); })
        .def_prop_ro(
            "__cuda_array_interface__",
            [](const argument& a) { return array_interface(a, "__cuda_array_interface__", true); })
        .def(
            "__dlpack__",
            [](nb::handle_t<argument> self, const nb::kwargs& options) {
                return to_array(self).attr("__dlpack__")(**options);
            },
            "options"_a)
        .def("__dlpack_device__",
             [](const argument& a) {
                 const auto place = place_of(a);
                 return std::pair(place.kind, place.id);
             })
        .attr("__hash__") = nb::none();

    m.def("create_argument", &from_numbers, "shape"_a, "values"_a,
          "An argument with these numbers in logical order. ValueError for another count than the "
          "shape "
          "has elements, or a number that the type cannot hold.");
    m.def(
        "generate_argument",
        [](const shape& s, unsigned long seed) { return generate_argument(s, seed); }, "s"_a,
        "seed"_a = 0, nb::call_guard<nb::gil_scoped_release>(),
        "Test data, a function of shape and seed: small values, floats in [-1, 1].");
    m.def("fill_argument", &fill_argument, "s"_a, "value"_a, "An argument with equal elements.");
    for (const auto* name : {"argument_from_pointer", "gpudata_to_argument"})
        m.def(name, &from_pointer, "shape"_a, "address"_a,
              "Refers to memory of the host or a device, which the caller keeps alive.");
    bind_gpu_memory(m);
}

} // namespace migraphx::python
