// SPDX-License-Identifier: MIT
// Reads programs from their text form (ir/text.hpp), in both modes, and from hand-written text:
//   module: "main"
//   x = @param:x -> float_type, {2, 3}          (strides may be left out)
//   two = @literal{2} -> float_type
//   y = multibroadcast[out_lens={2, 3}](two)    (attributes and output shapes may be left out)
//   z = mul(x, y) -> float_type, {2, 3}, {3, 1}
//   @return(z)
// Lines that are empty or start with # are skipped; without a `module:` line all belong to main.
//
// Output shapes are inferred; a stated one that differs is an error. Literals printed as `{ ... }`
// get random values (a function of their shape and their position in the text), as does
// `@literal:random(seed)`. Parameters are declared in the reverse of the order of their lines, as
// add_parameter puts each new one in front, unless a line `parameters: {a, b}` lists them.
// Errors are exceptions that start with the number of the line.
#pragma once

#include <migraphx/operation.hpp>
#include <migraphx/program.hpp>

#include <string_view>

namespace migraphx {

program parse_text(std::string_view text);
/// One module that uses no other module's instructions. Its name is "" without a `module:` line.
module parse_module_text(std::string_view text);
/// "concat[axis=1]". Attributes that are left out keep their defaults.
operation parse_operation_text(std::string_view text);
/// "float_type, {2, 3}, {3, 1}" and the other forms; throws when more text follows.
shape parse_shape_text(std::string_view text);
/// The value of an attribute.
value parse_value_text(std::string_view text);

} // namespace migraphx
