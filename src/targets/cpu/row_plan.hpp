// SPDX-License-Identifier: MIT
// Runs row nests: the stages of codegen/row_stages.hpp as nests, one block of rows after the other
// that stays in the first caches, on the tile machine or on generated code. Blocks are shared by
// the threads; where rows are few and long, each stage is.
//
// Sums of floats run in float over at most 4096 elements of a row in several lanes, or over 64
// elements one by one where rows lie side by side, and are then added in double.
#pragma once

#include "codegen/row_stages.hpp"
#include "targets/cpu/nest_plan.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace migraphx::cpu {

struct row_plan_stage {
    std::shared_ptr<const nest_plan> plan;
    std::vector<codegen::stage_tensor> inputs, outputs;
    std::vector<int> folds;
    bool of_rows = false; ///< writes results of rows
};

/// Where the memory of a block lies, in bytes from its begin.
struct row_memory {
    std::vector<std::size_t> rows, partials, held; ///< by number of the fold or of what is held
    std::size_t totals = 0;                        ///< doubles (columns)
    std::size_t tiles = 0;                         ///< of the tile machine
    std::size_t bytes = 0;
};

/// An input whose rows are runs of memory: what comes next is fetched while a block is computed.
struct fetched_rows {
    int input = 0;
    int64_t step = 0, bytes = 0; ///< from row to row, and of a row
};

struct row_plan {
    codegen::row_nest source;     ///< simplified
    std::vector<offset_table> tables; ///< one more input each, where inputs are gathered
    std::vector<float> positions; ///< of a row: one more input, where positions are asked for
    codegen::staged_rows staged;
    std::vector<row_plan_stage> stages; ///< none: the interpreter runs it
    int64_t rows = 0;                   ///< columns: outer kept indices
    int64_t row_length = 0;
    int64_t inner = 0;  ///< the innermost dim that stages walk: of a row; columns: of kept indices
    int64_t parts = 1;  ///< of a row: folds of these are combined
    int64_t chunks = 1; ///< of each index of the outer reduced dims; parts are that many times more
    std::vector<int64_t> cuts; ///< where chunks begin, and `inner`
    int64_t block = 1;  ///< rows of a block; columns: positions of the innermost kept dim
    int64_t threads = 1;
    bool shared = false;               ///< rows are few and long
    row_memory memory;                 ///< of a block; shared: of all rows
    std::vector<fetched_rows> fetched; ///< none where all rows stay in the second cache
    double nanoseconds = 0;            ///< estimate of all the work, one thread

    std::size_t scratch_bytes() const;
};

/// Why a row nest cannot be run so; empty: it can.
std::string row_refusal(const codegen::row_nest& n);

/// Nests without elements, and all with the interpreter's backend, are interpreted.
std::shared_ptr<const row_plan> compile_rows(const codegen::row_nest& n, int64_t threads,
                                             isa level = kernels_isa(),
                                             nest_backend backend = chosen_nest_backend(),
                                             artifact_store* artifacts = nullptr);

/// Pointers are to index 0 of each tensor in the order of the nest; scratch has scratch_bytes(),
/// aligned to 64. An output may be the very memory of an input with the same type and strides when
/// it is the only output.
void run_rows(const row_plan& plan, const void* const* inputs, void* const* outputs, char* scratch);

} // namespace migraphx::cpu
