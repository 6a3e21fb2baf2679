// SPDX-License-Identifier: MIT
// Generated code in this process: compiled once for each form, or taken from a compiled program.
// The compiler is libmigraphx_jit, opened when first needed; where it is missing there is no
// generated code and the tile machine runs everything.
#pragma once

#include "targets/cpu/jit/abi.hpp"
#include "targets/cpu/jit/form.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace migraphx::cpu {

// One form's code.
struct jit_code {
    jit_form form;
    std::string key;
    std::atomic<jit_kernel> kernel = nullptr;
    std::atomic<int64_t> spent = 0; // nanoseconds that its nests took on tiles, about
    std::mutex guard;               // of what follows
    bool tried = false;
    std::string why; // there is none
    std::vector<char> bytes;
    std::size_t entry = 0;
};

// True if the library with the compiler can be opened.
bool jit_available();

// True if that library is there; opening it takes 20 ms, which only those pay who need code.
bool jit_installed();

// The process's one entry for the form.
std::shared_ptr<jit_code> code_of(jit_form form);

// The kernel, compiled now if it has not been yet; null if that failed.
jit_kernel compile_now(jit_code& code);

// To be called when a nest of the form has run on tiles for about so long. Once all its nests
// together have taken as long as compiling costs, it is compiled on a thread of low priority: code
// that is hardly used costs nothing, and nobody waits for any.
void count_towards_code(const std::shared_ptr<jit_code>& code, double nanoseconds);

// Code as it lies in a file: with all that it depends on, so that it is only taken for the very
// same form, and with a sum of its bytes.
std::string saved_name(const jit_code& code);
std::vector<char> saved_form(jit_code& code); // compiles it if need be; empty without a compiler
bool take_saved(jit_code& code, const char* bytes, std::size_t size);

// The LLVM IR of a form, for people; empty without the library.
std::string jit_text(const jit_form& form);

} // namespace migraphx::cpu
