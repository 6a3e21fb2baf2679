// SPDX-License-Identifier: MIT
// A row nest for machines with caches: a chain of nests, each over the rows of a block that is
// still in cache. A stage computes the folds whose operands the stages before it have made
// possible; the last ones write the results. What is dear to compute and needed again is held in
// memory of the block, everything else is computed anew.
//
// Where the elements of a row lie side by side, folds are outputs with `how`: one value for each
// row of the inner dim. Where rows lie side by side (`columns`), folds are pointwise operators on
// accumulators, one for each position of the innermost kept dim, read and written in place.
#pragma once

#include "codegen/row_nest.hpp"

#include <cstdint>
#include <vector>

namespace migraphx::codegen {

/// The memory behind an input or an output of a stage.
struct stage_tensor {
    enum class kind : uint8_t {
        tensor,  ///< one of the row nest's own, by number
        row,     ///< the finished value of a fold
        partial, ///< the accumulators of a fold
        held     ///< elements kept for later stages
    };
    kind what = kind::tensor;
    int number = 0;
};

struct row_stage {
    nest body; ///< over the kept dims, then the reduced ones (columns: before the innermost kept)
    std::vector<stage_tensor> inputs, outputs; ///< of `body`, in order
    std::vector<int> folds;                    ///< to be finished after the stage
};

struct staged_fold {
    fold how;
    shape::type_t type; ///< of its register
    shape::type_t cell; ///< of its accumulators and its value in memory
    fold step;          ///< what accumulators do: sum, prod, max or min
};

struct staged_rows {
    bool columns = false;
    std::vector<row_stage> stages;
    std::vector<staged_fold> folds;
    std::vector<shape::type_t> held; ///< float or double
};

/// Positions in longer rows are not computed by stages, which have them as floats.
constexpr int64_t most_positions = int64_t{1} << 20;

/// A position as the extreme, and then the first or last number of an element that equals it. The
/// numbers 0, 1, ... along a row are floats and one more input, the last. `n` has rows of at most
/// `most_positions`.
row_nest with_plain_folds(const row_nest& n);

/// Whether rows lie side by side in the memory of most inputs.
bool rows_side_by_side(const row_nest& n);

/// How memory of blocks lies, in elements. Row values: one for each row (columns: position of the
/// innermost kept dim). Partials: the same, with a place for each index of the outer reduced dims
/// (rows only). Held: a row after the other; columns: `block` positions for each reduced index.
/// `n` is simplified, has elements and folds without positions, and no uint64_type in it.
staged_rows stages_of(const row_nest& n, bool columns, int64_t block);

/// Of memory that holds a register's value as it is: float_type for bool.
shape::type_t cell_type(shape::type_t type);

} // namespace migraphx::codegen
