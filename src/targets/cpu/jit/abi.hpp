// SPDX-License-Identifier: MIT
// How generated code is called. The code is position independent and knows no addresses: what it
// needs comes through jit_call, so that it may be stored and used by another process.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

// A block of rows of one nest. Streams are the inputs, then the outputs.
struct jit_call {
    char* const* begins;        // of each stream: its element at column 0 of the first row
    const int64_t* row_steps;   // of each stream, in bytes
    const int64_t* col_steps;   // of each stream, in bytes
    const int64_t* constants;   // a cell for each node of the graph
    const void* const* helpers; // function and data of each node, then of each store
    int64_t rows, cols;
};

using jit_kernel = void (*)(const jit_call&);

} // namespace migraphx::cpu
