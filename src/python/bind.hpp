// SPDX-License-Identifier: MIT
// What the files of the module share: classes that exist only in Python, and conversions.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/program.hpp>
#include <migraphx/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>

namespace migraphx::python {

namespace nb = nanobind;
using namespace nb::literals;

/// The bound program. `generation` counts the calls that rebuilt its modules: instruction handles
/// of an earlier generation are refused.
struct py_program : program {
    py_program() = default;
    py_program(program p) : program(std::move(p)) {}
    std::size_t generation = 0;
    /// Whether a parameter or a result is more than a tensor of numbers; asked for in every run, so
    /// it is kept for the generation it was found in (under the GIL).
    bool is_boxed() const;

private:
    mutable bool boxed = false;
    mutable std::size_t boxed_in = std::size_t(-1);
};

/// The name and options of a recipe of operators.
struct py_macro {
    std::string name;
    value options;
};

/// An element type as other libraries call it.
struct element_code {
    shape::type_t type;
    char kind;           ///< of __array_interface__: 'b', 'i', 'u', 'f'; 0 where it has none
    std::uint8_t size;   ///< bytes
    const char* dtype;   ///< name of the numpy or ml_dtypes type
    std::uint8_t dlpack; ///< type code of DLPack, or no_dlpack
};
/// DLPack packs numbers of less than eight bits.
constexpr std::uint8_t no_dlpack = 0xff;
/// Null for types that no other library knows: tuple_type, fp4x2_type, string_type.
const element_code* element_code_of(shape::type_t t);

/// The tensor behind a foreign object, without a copy where strides can describe it; its owner
/// stays alive as long as the argument does. Empty when `x` is no tensor; a TypeError for a tensor
/// whose elements or device cannot be used.
std::optional<argument> find_tensor(nb::handle x);
/// The same; a TypeError when `x` is no tensor.
argument to_argument(nb::handle x);
/// Refers to `a`'s memory, which Python must not write.
argument read_only(argument a);
bool is_read_only(const argument& a);
/// An argument of static shape `s` with the numbers of an iterable in logical order. TypeError for
/// what is no number, ValueError for a wrong count or a value out of the type's range.
argument from_numbers(const shape& s, nb::handle values);

/// The same for strings (str or bytes).
argument from_strings(const shape& s, nb::handle values);
/// The tensor behind a numpy array of str, bytes or objects that are; empty for other objects.
std::optional<argument> find_strings(nb::handle x);
nb::list strings_to_list(const argument& a);
/// An array of str objects.
nb::object strings_to_numpy(const argument& a);

/// The value of a parameter that is declared with this shape: a tensor, a number for one element, a
/// list for a sequence, None or a value for an optional. TypeError and ValueError name the
/// parameter.
argument to_value_argument(const std::string& name, nb::handle x, const shape& declared);
/// The same way back; tensors stay arguments.
nb::object from_value_argument(const argument& a, const shape& declared);

/// An element type by enum, number or name; IndexError for an unknown name.
shape::type_t to_type(nb::handle x);

value to_value(nb::handle x);
nb::object from_value(const value& v);

void bind_shape(nb::module_& m);
void bind_argument(nb::module_& m);
void bind_operation(nb::module_& m);
void bind_program(nb::module_& m);
void bind_quantization(nb::module_& m);
void bind_tensorflow(nb::module_& m);
void bind_report(nb::module_& m);

} // namespace migraphx::python
