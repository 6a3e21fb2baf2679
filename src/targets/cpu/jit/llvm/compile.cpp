// SPDX-License-Identifier: MIT
// Generated code of one form.

#include "targets/cpu/jit/llvm/compile.hpp"

#include "targets/cpu/jit/llvm/emit.hpp"

extern "C" __attribute__((visibility("default"))) void
migraphx_jit_compile(const migraphx::cpu::jit_form& form, bool with_text,
                     migraphx::cpu::jit_object& result) {
    migraphx::cpu::jit::ir function(form.level);
    migraphx::cpu::jit::nest_emitter(function, form).run();
    if (with_text)
        result.text = function.text();
    result.code = function.compile(result.entry, result.why);
}
