// SPDX-License-Identifier: MIT
// Tensors of other libraries as arguments, through DLPack, the buffer protocol,
// __array_interface__ or, on a device, __cuda_array_interface__. Memory is shared; what strides in
// elements cannot describe (negative steps, misaligned elements) is copied.
#include "python/bind.hpp"

#include <migraphx/gpu/hip.hpp>

#include "base/str.hpp"
#include "ir/convert_element.hpp"
#include "ir/small_number.hpp"
#include "runtime/device_access.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

const element_code element_codes[] = {
    {shape::bool_type, 'b', 1, "bool", 6},
    {shape::half_type, 'f', 2, "float16", 2},
    {shape::float_type, 'f', 4, "float32", 2},
    {shape::double_type, 'f', 8, "float64", 2},
    {shape::uint8_type, 'u', 1, "uint8", 1},
    {shape::int8_type, 'i', 1, "int8", 0},
    {shape::uint16_type, 'u', 2, "uint16", 1},
    {shape::int16_type, 'i', 2, "int16", 0},
    {shape::int32_type, 'i', 4, "int32", 0},
    {shape::int64_type, 'i', 8, "int64", 0},
    {shape::uint32_type, 'u', 4, "uint32", 1},
    {shape::uint64_type, 'u', 8, "uint64", 1},
    {shape::fp8e4m3fnuz_type, 0, 1, "float8_e4m3fnuz", 11},
    {shape::fp8e4m3fn_type, 0, 1, "float8_e4m3fn", 10},
    {shape::fp8e5m2_type, 0, 1, "float8_e5m2", 12},
    {shape::bf16_type, 0, 2, "bfloat16", 4},
    {shape::fp8e5m2fnuz_type, 0, 1, "float8_e5m2fnuz", 13},
    {shape::int4_type, 0, 1, "int4", no_dlpack},
    {shape::uint4_type, 0, 1, "uint4", no_dlpack},
    {shape::int2_type, 0, 1, "int2", no_dlpack},
    {shape::uint2_type, 0, 1, "uint2", no_dlpack},
    {shape::fp4_type, 0, 1, "float4_e2m1fn", no_dlpack},
    {shape::fp8e8m0_type, 0, 1, "float8_e8m0fnu", 14},
};

template <class F>
const element_code* find_code(F f) {
    const auto* end = std::end(element_codes);
    const auto* found = std::find_if(std::begin(element_codes), end, f);
    return found == end ? nullptr : found;
}

const element_code* code_of_kind(char kind, std::size_t size) {
    return find_code([=](const auto& c) { return c.kind == kind and c.size == size; });
}

// Somebody else's tensor. Strides are in bytes.
struct foreign_tensor {
    const element_code* code = nullptr;
    char* data = nullptr;
    std::vector<std::size_t> lens;
    std::vector<std::ptrdiff_t> strides;
    std::shared_ptr<const void> owner;
    bool readonly = false;
    bool on_device = false;
    std::size_t device_id = 0;
};

// The deleter of memory that is shared with Python; is_read_only finds it there.
struct shared_memory {
    std::shared_ptr<const void> owner;
    bool readonly;
    void operator()(char*) { owner.reset(); }
};

argument share(const shape& s, char* data, std::shared_ptr<const void> owner, bool readonly) {
    return {s, std::shared_ptr<char>(data, shared_memory{std::move(owner), readonly})};
}

std::shared_ptr<const void> keep(nb::handle x) {
    return std::shared_ptr<PyObject>(x.inc_ref().ptr(), [](PyObject* p) {
        if (nb::detail::cleanup_guard guard{})
            Py_DECREF(p);
    });
}

std::vector<std::ptrdiff_t> row_major(const std::vector<std::size_t>& lens, std::size_t item) {
    std::vector<std::ptrdiff_t> result(lens.size());
    auto step = static_cast<std::ptrdiff_t>(item);
    for (auto i = lens.size(); i-- > 0; step *= static_cast<std::ptrdiff_t>(lens[i]))
        result[i] = step;
    return result;
}

// "<f4" and the like; the types of ml_dtypes have no letter of their own, but their dtype has a
// name.
const element_code* code_of_interface(nb::handle x, const std::string& typestr) {
    const auto text = [&] { return "element type " + typestr; };
    if (typestr.size() < 3)
        throw nb::type_error((text() + ": a type string such as <f4 was expected").c_str());
    const auto size = std::size_t(std::strtoul(typestr.c_str() + 2, nullptr, 10));
    if (typestr[0] == '>' and size > 1)
        throw nb::type_error((text() + ": native byte order was expected").c_str());
    const auto* code = code_of_kind(typestr[1], size);
    if (code == nullptr) {
        const auto dtype = nb::getattr(x, "dtype", nb::none());
        const auto name = nb::cast<std::string>(nb::str(nb::getattr(dtype, "name", nb::str(""))));
        code = find_code([&](const auto& c) { return name == c.dtype; });
        if (code == nullptr)
            throw nb::type_error((text() + (name.empty() ? "" : " (" + name + ")") +
                                  ": one of the types of shape.type_t was expected")
                                     .c_str());
    }
    return code;
}

// `name`: __array_interface__, or its form for memory of a device.
std::optional<foreign_tensor> from_interface(nb::handle x, const std::string& name) {
    nb::object found = nb::getattr(x, name.c_str(), nb::none());
    if (not nb::isinstance<nb::dict>(found))
        return {};
    const auto dict = nb::borrow<nb::dict>(found);
    foreign_tensor t;
    t.code = code_of_interface(x, nb::cast<std::string>(dict["typestr"]));
    t.lens = nb::cast<std::vector<std::size_t>>(dict["shape"]);
    const nb::object strides = dict.get("strides", nb::none());
    t.strides = strides.is_none() ? row_major(t.lens, t.code->size)
                                  : nb::cast<std::vector<std::ptrdiff_t>>(strides);
    const nb::object data = dict.get("data", nb::none());
    if (t.strides.size() != t.lens.size())
        throw nb::type_error((name + ": a stride for each dimension was expected").c_str());
    // Of a tensor that is still being written, the stream on which it is.
    if (const nb::object writer = dict.get("stream", nb::none()); not writer.is_none())
        gpu::gpu_sync();
    if (nb::isinstance<nb::tuple>(data)) {
        t.data = reinterpret_cast<char*>(nb::cast<std::uintptr_t>(data[0]));
        t.readonly = nb::cast<bool>(data[1]);
        t.owner = keep(x);
        return t;
    }
    // The other form: a bytes object made for this call (PIL's images).
    if (not nb::isinstance<nb::bytes>(data) or not strides.is_none() or
        nb::len(data) != shape{t.code->type, t.lens}.bytes())
        throw nb::type_error(
            (name + ": an address, or bytes of the shape's size, was expected").c_str());
    t.data = const_cast<char*>(nb::borrow<nb::bytes>(data).c_str());
    t.readonly = true;
    t.owner = keep(data);
    return t;
}

std::optional<foreign_tensor> from_array(nb::handle x) {
    nb::ndarray<> writable;
    nb::ndarray<nb::ro> array;
    const bool readonly = not nb::try_cast(x, writable);
    if (not readonly)
        array = nb::ndarray<nb::ro>(writable);
    else if (not nb::try_cast(x, array))
        return {};
    const auto device = array.device_type();
    foreign_tensor t;
    t.on_device = device == nb::device::cuda::value or device == nb::device::rocm::value;
    t.device_id = static_cast<std::size_t>(std::max<std::int64_t>(array.device_id(), 0));
    if (not t.on_device and device != nb::device::cpu::value and
        device != nb::device::cuda_host::value and device != nb::device::rocm_host::value and
        device != nb::device::cuda_managed::value)
        throw nb::type_error("a tensor in memory of the host or of a GPU was expected");
    const auto dtype = array.dtype();
    t.code = find_code([&](const auto& c) {
        return c.dlpack == dtype.code and c.size * 8 == dtype.bits and dtype.lanes == 1;
    });
    if (t.code == nullptr)
        throw nb::type_error(str("one of the types of shape.type_t was expected, got DLPack code ",
                                 int(dtype.code), " with ", int(dtype.bits), " bits")
                                 .c_str());
    t.data = const_cast<char*>(static_cast<const char*>(array.data()));
    for (std::size_t i = 0; i < array.ndim(); ++i) {
        t.lens.push_back(array.shape(i));
        t.strides.push_back(array.stride(i) * t.code->size);
    }
    t.readonly = readonly;
    t.owner = std::make_shared<nb::ndarray<nb::ro>>(array);
    return t;
}

template <class T>
void copy_rows(const foreign_tensor& t, char* out) {
    const auto last = t.lens.size() - 1;
    std::vector<std::size_t> at(t.lens.size());
    const char* row = t.data;
    for (;;) {
        const char* in = row;
        for (std::size_t n = t.lens[last]; n > 0; --n, in += t.strides[last], out += sizeof(T))
            std::memcpy(out, in, sizeof(T));
        auto i = last;
        for (; i > 0; --i) {
            row += t.strides[i - 1];
            if (++at[i - 1] < t.lens[i - 1])
                break;
            row -= t.strides[i - 1] * static_cast<std::ptrdiff_t>(t.lens[i - 1]);
            at[i - 1] = 0;
        }
        if (i == 0)
            return;
    }
}

argument copied(const foreign_tensor& t, const shape& s) {
    auto result = argument::uninitialized(s);
    switch (t.code->size) {
    case 1:
        copy_rows<std::uint8_t>(t, result.data());
        break;
    case 2:
        copy_rows<std::uint16_t>(t, result.data());
        break;
    case 4:
        copy_rows<std::uint32_t>(t, result.data());
        break;
    default:
        copy_rows<std::uint64_t>(t, result.data());
        break;
    }
    return result;
}

// Strides of axes with one element say nothing; they become those of a row-major layout.
argument adopt(foreign_tensor t) {
    const auto type = t.code->type;
    const std::ptrdiff_t item = t.code->size;
    const bool zero_rank = t.lens.empty();
    if (zero_rank) {
        t.lens = {1};
        t.strides = {item};
    }
    if (std::find(t.lens.begin(), t.lens.end(), 0) != t.lens.end())
        return share(shape{type, t.lens}, t.data, t.owner, t.readonly);
    bool direct = reinterpret_cast<std::uintptr_t>(t.data) % std::uintptr_t(item) == 0;
    std::vector<std::size_t> strides(t.lens.size());
    std::size_t row = 1;
    for (auto i = t.lens.size(); i-- > 0;) {
        if (t.lens[i] == 1) {
            strides[i] = row;
            continue;
        }
        direct = direct and t.strides[i] >= 0 and t.strides[i] % item == 0;
        strides[i] = static_cast<std::size_t>(t.strides[i] / item);
        row = std::max(row, strides[i] * t.lens[i]);
    }
    const auto plain = zero_rank ? shape{type, {1}, {0}} : shape{type, t.lens};
    if (t.on_device)
        gpu_access().use(t.device_id);
    if (not direct and t.on_device)
        throw nb::type_error("a tensor of a device with strides of whole elements that are not "
                             "negative was expected");
    if (not direct)
        return copied(t, plain);
    const auto seen = zero_rank ? plain : shape{type, t.lens, strides};
    return share(seen, t.data, t.owner, t.readonly);
}

template <class T, class Read>
argument collect(const shape& s, nb::handle values, Read read) {
    std::vector<T> numbers;
    for (auto x : nb::iter(values))
        numbers.push_back(read(x));
    if (numbers.size() != s.elements())
        throw nb::value_error(str("values: ", s.elements(), " numbers were expected for the shape ",
                                  s, ", got ", numbers.size())
                                  .c_str());
    auto result = argument::uninitialized(s);
    result.fill(numbers.begin(), numbers.end());
    return result;
}

[[noreturn]] void out_of_range(const shape& s, nb::handle x) {
    throw nb::value_error(str("values: a number in the range of ", s.type_string(),
                              " was expected, got ", nb::cast<std::string>(nb::str(x)))
                              .c_str());
}

// The integer behind x, checked against the bits of the type.
template <class T>
T read_integer(const shape& s, nb::handle x) {
    const auto index = nb::steal(PyNumber_Index(x.ptr()));
    if (not index.is_valid())
        throw nb::python_error();
    T n = 0;
    if (not nb::try_cast(index, n))
        out_of_range(s, x);
    if (s.type() == shape::bool_type)
        return n != 0;
    const auto spare = 64 - 8 * int(s.type_size());
    const auto back = static_cast<T>(static_cast<T>(std::uint64_t(n) << spare) >> spare);
    if (back != n)
        out_of_range(s, x);
    return n;
}

// Numbers of a type that is not computed with; integers must be in its range.
argument small_numbers(const shape& s, nb::handle values) {
    const bool is_integer = small_integer_bits(s.type()) != 0;
    const auto [low, high] = small_limits(s.type());
    const auto wide =
        collect<double>(shape{shape::double_type, s.lens()}, values, [&](nb::handle x) {
            const auto v = nb::cast<double>(nb::float_(nb::borrow(x)));
            if (is_integer and not(v >= low and v <= high and v == std::floor(v)))
                out_of_range(s, x);
            return v;
        });
    auto result = argument::uninitialized(s);
    convert_elements(result, wide);
    return result;
}

} // namespace

const element_code* element_code_of(shape::type_t t) {
    return find_code([=](const auto& c) { return c.type == t; });
}

std::optional<argument> find_tensor(nb::handle x) {
    argument* bound = nullptr;
    if (nb::try_cast(x, bound) and bound != nullptr)
        return *bound;
    if (auto strings = find_strings(x))
        return strings;
    auto t = from_array(x);
    if (not t)
        t = from_interface(x, "__array_interface__");
    if (not t) {
        t = from_interface(x, "__cuda_array_interface__");
        if (t)
            t->on_device = true;
    }
    if (not t)
        return {};
    return adopt(std::move(*t));
}

argument to_argument(nb::handle x) {
    auto result = find_tensor(x);
    if (not result)
        throw nb::type_error(("a tensor (an argument, or an object with the buffer protocol, "
                              "__array_interface__, __dlpack__ or __cuda_array_interface__) was "
                              "expected, got " +
                              nb::cast<std::string>(nb::str(x.type().attr("__name__"))))
                                 .c_str());
    return std::move(*result);
}

argument read_only(argument a) {
    auto owner = std::make_shared<argument>(a);
    return share(a.get_shape(), a.data(), std::move(owner), true);
}

bool is_read_only(const argument& a) {
    const auto* memory = std::get_deleter<shared_memory>(a.handle());
    return memory != nullptr and memory->readonly;
}

argument from_numbers(const shape& s, nb::handle values) {
    if (s.type() == shape::string_type and not s.dynamic())
        return from_strings(s, values);
    if (not(s.computable() or shape::is_small(s.type())) or s.dynamic())
        throw nb::value_error(
            str("values: a static shape of numbers was expected, got ", s).c_str());
    if (shape::is_small(s.type()))
        return small_numbers(s, values);
    if (shape::is_unsigned(s.type()) and s.type() != shape::bool_type)
        return collect<std::uint64_t>(
            s, values, [&](nb::handle x) { return read_integer<std::uint64_t>(s, x); });
    if (shape::is_integral(s.type()) or s.type() == shape::bool_type)
        return collect<std::int64_t>(
            s, values, [&](nb::handle x) { return read_integer<std::int64_t>(s, x); });
    return collect<double>(s, values, [](nb::handle x) {
        const double v = PyFloat_AsDouble(x.ptr());
        if (PyErr_Occurred())
            throw nb::python_error();
        return v;
    });
}

} // namespace migraphx::python
