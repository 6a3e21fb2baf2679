// SPDX-License-Identifier: MIT
// One nest on generated code: the sizes, steps, constants and helpers of a form's code.
#pragma once

#include "codegen/nest.hpp"
#include "targets/cpu/jit/code.hpp"
#include "targets/cpu/nest_reads.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace migraphx::cpu {

struct jit_nest {
    std::vector<int64_t> outer; // dims but the inner one
    int64_t rows = 1;           // of all outer dims together
    int64_t cols = 1;
    std::vector<std::vector<int64_t>> outer_steps; // of each stream: bytes for each outer dim
    std::vector<int64_t> row_steps, col_steps;     // of each stream
    std::vector<int64_t> constants;
    std::vector<const void*> helpers;
    std::vector<nest_scalar_call> scalar_calls;
    int inputs = 0;
    bool pays = false; // where the choice is free: it is faster than tiles
    std::shared_ptr<jit_code> code;
};

// `simplified` as codegen::simplify gives it, with elements. Null if it has more tensors than a
// call takes.
std::shared_ptr<const jit_nest> make_jit_nest(const codegen::nest& simplified, isa level);

// Rows and columns of the iteration space; pointers as for execute_nest. `reads`: of inputs that
// strides alone do not find; the columns are read alike.
void execute_jit_nest(const jit_nest& n, jit_kernel kernel, const void* const* inputs,
                      void* const* outputs, int64_t row_begin, int64_t row_end, int64_t col_begin,
                      int64_t col_end, const nest_reads& reads);

} // namespace migraphx::cpu
