// SPDX-License-Identifier: MIT
// Runs nests on the vectorised tile machine. A nest is compiled once into a plan (a few
// microseconds); the plan is immutable and may be executed from many threads at once.
//
// The iteration space is walked in row-major order of the simplified dims, a tile of at most `tile`
// iterations at a time. When the inner dim is long, tiles end at its rows, and inputs that are
// constant along it are splats; otherwise tiles cross rows and such inputs are expanded while
// loading. Inputs that run across the rows are read in blocks of several rows, for which the inner
// dim is split.
#pragma once

#include "codegen/nest.hpp"
#include "ir/artifacts.hpp"
#include "targets/cpu/jit/nest.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"
#include "targets/cpu/nest_reads.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace migraphx::cpu {

// Memory of one tensor while walking.
struct nest_stream {
    std::vector<int64_t> steps; // bytes per dim
    int64_t element_bytes = 0;
    bool linear = false; // walks memory in order: address = begin + iteration * steps.back()
};

// bases[base] + offset; the bases are the scratch, the constants, then a cursor per input and
// output.
struct nest_ref {
    int32_t base = 0;
    int32_t offset = 0;
};

enum class nest_action : uint8_t { call, load, store, fold };

struct nest_step {
    nest_action action = nest_action::call;
    vm_fn fn = nullptr;
    vm_load_fn load = nullptr;
    vm_store_fn store = nullptr;
    const vm_fold_kernel* folds = nullptr;
    const void* data = nullptr;
    nest_ref dst, src;         // src of loads and stores
    int32_t stream = 0;        // of loads and stores: inputs, then outputs
    int32_t tile_element = 0;  // bytes, of loads and stores
    bool splat = false;        // of folds: the source is one value
    int32_t first_operand = 0; // of calls: in nest_plan::operands
    int32_t operand_count = 0;
    uint32_t splats = 0;
};

// How a nest is run. Results of tiles and of generated code are equal to the bit; the interpreter
// computes in double.
enum class nest_backend : uint8_t {
    automatic, // tiles, and generated code once it has been compiled in the background
    tiles,
    generated, // from the first run on, where there is a compiler
    interpreter
};

struct nest_plan {
    std::vector<int64_t> dims;
    int64_t elements = 0;
    int64_t tile = 0;
    bool rowwise = false;
    int32_t inputs = 0;
    std::vector<nest_stream> streams; // inputs, then outputs
    std::vector<nest_ref> operands;
    std::vector<nest_step> once, per_row, per_tile;
    std::vector<nest_step> folds; // once more, with dst as accumulators
    int32_t fold_vectors = 0;
    std::vector<int64_t> constants; // cells of 8 bytes
    std::vector<std::vector<chain_step>> chain_steps;
    std::vector<chain_program> chains;
    std::vector<nest_scalar_call> scalar_calls;
    std::size_t scratch_bytes = 0;      // a multiple of 64
    double nanoseconds_per_element = 0; // estimate, one thread
    std::string listing;                // the program for people
    nest_backend backend = nest_backend::tiles;
    std::vector<offset_table> tables; // inputs behind those of the nest; none of stages
    nest_reads reads;                 // with any: walked in rows
    codegen::nest source;                      // for the interpreter
    std::shared_ptr<const jit_nest> generated; // null: tiles only
};

// What MIGRAPHX_CPU_NEST says.
nest_backend chosen_nest_backend();

// Validates and simplifies the nest first. Generated code that `artifacts` holds is used from the
// first run on; what it lacks is made when the program is saved. `n` is not refused by reads_refusal
// when simplified.
std::shared_ptr<const nest_plan> compile_nest(const codegen::nest& n, isa level = kernels_isa(),
                                              nest_backend backend = chosen_nest_backend(),
                                              artifact_store* artifacts = nullptr);

// A stage of a row nest (codegen/row_stages.hpp), its dims walked as they are; its tables are inputs.
std::shared_ptr<const nest_plan> compile_stage(const codegen::nest& n, isa level,
                                               nest_backend backend, artifact_store* artifacts);

// A part of the iteration space of a stage: rows of the inner dim, all outer dims counted as one,
// and columns of them.
struct nest_part {
    int64_t row_begin, row_end, col_begin, col_end;
};

// On generated code when there is some, else on tiles. Folds give the value of the part of each
// row; with folds, columns are read alike (nest_reads). One thread; scratch as below.
void execute_stage(const nest_plan& plan, const void* const* inputs, void* const* outputs,
                   const nest_part& part, void* scratch);

// Iterations begin .. end of plan.elements. Pointers are to index 0 of each tensor, in the order of
// the nest; scratch has scratch_bytes, aligned to 64. An output may be the very memory of an input
// with the same type and strides. Allocates nothing, throws nothing.
void execute_nest(const nest_plan& plan, const void* const* inputs, void* const* outputs,
                  int64_t begin, int64_t end, void* scratch);

// The whole nest over the available threads; inline if that takes less than about 20 microseconds.
// Throws for an index out of range that an input is gathered by.
void run_nest(const nest_plan& plan, const void* const* inputs, void* const* outputs);

} // namespace migraphx::cpu
