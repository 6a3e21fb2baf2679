// SPDX-License-Identifier: MIT
// What libmigraphx_jit exports: the one function that libmigraphx_cpu looks up in it.
#pragma once

#include "targets/cpu/jit/form.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace migraphx::cpu {

// Position-independent code that takes a jit_call at `entry`.
struct jit_object {
    std::vector<char> code; // empty: `why` it could not be made
    std::size_t entry = 0;
    std::string why;
    std::string text; // the LLVM IR, if it was asked for
};

constexpr const char* jit_compile_name = "migraphx_jit_compile";
using jit_compile_fn = void (*)(const jit_form& form, bool with_text, jit_object& result);

} // namespace migraphx::cpu
