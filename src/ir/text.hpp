// SPDX-License-Identifier: MIT
// The text form of programs and of their parts. `parse_text` (ir/text_parser.hpp) reads it back.
// The plain mode is the interface's; large literals print as `{ ... }` and attributes of a
// dimension that only matter to tuning are left out. The lossless mode tells everything.
#pragma once

#include <migraphx/module.hpp>
#include <migraphx/program.hpp>
#include <migraphx/shape.hpp>
#include <migraphx/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

struct print_options {
    /// All values of literals, optimal sizes and bounds of dimensions, kinds of attribute values,
    /// order of parameters, output names, flags.
    bool lossless = false;
};

/// Plain mode: literals with more elements print as `{ ... }`.
constexpr std::size_t printed_literal_elements = 10;
/// Lossless mode: literals with more elements print as the hexadecimal digits of their bytes.
constexpr std::size_t lossless_literal_elements = 64;

std::string to_text(const program& p, const print_options& options = {});
/// Lines only, without the line that names the module.
std::string to_text(const module& m, const print_options& options = {});
std::string to_text(const operation& op, const print_options& options = {});
std::string to_text(const shape& s, const print_options& options = {});
std::string to_text(const shape::dynamic_dimension& d, const print_options& options = {});
/// An attribute's value.
std::string to_text(const value& v, const print_options& options = {});
/// One line, without its end. Operands that have no name in `names` print as `?`.
std::string to_text(instruction_ref ins, const print_names& names,
                    const print_options& options = {});

/// The elements in logical order: "1, 2.5, nan". Types without arithmetic print as bytes.
void append_elements(std::string& out, const shape& s, const char* data);

/// Is the text a name that needs no quotes?
bool is_plain_name(std::string_view name);
/// In double quotes with escapes when it is no plain name.
std::string quoted_name(std::string_view name);
std::string quoted_text(std::string_view text);

/// Names of the instructions of these modules: a parameter's own, "@<position>" for others, with
/// "<module>:" in front from the second module on. Distinct instructions get distinct names.
print_names name_instructions(const std::vector<const module*>& modules);
print_names name_instructions(const module& m, const std::string& prefix);

} // namespace migraphx
