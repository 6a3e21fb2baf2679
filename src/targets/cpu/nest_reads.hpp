// SPDX-License-Identifier: MIT
// How nests read inputs that are gathered or have a border (codegen/reads.hpp), on tiles and on
// generated code alike. Indices become tables of byte offsets before a run, which is when those out
// of range are found; each row of a gathered input begins at one. Neither knows of borders: columns
// are walked in pieces that are in one or not, and rows that are get the address of a row of `fill`.
#pragma once

#include "codegen/row_nest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx::cpu {

/// Byte offsets in place of an index. They lie as the indices do, so that they are walked by the
/// same strides.
struct offset_table {
    int input = 0; ///< the indices
    shape::type_t type = shape::int64_type;
    int64_t extent = 0;
    int64_t step = 0;                  ///< bytes for an index
    std::vector<int64_t> dims, strides; ///< where they are walked
    int64_t first = 0, size = 0;       ///< elements: the lowest, and from it to the highest

    /// Throws invalid_argument for an index out of range. `to` has `size` elements.
    void fill(const void* indices, int64_t* to) const;
};

/// The tables of a nest, which becomes one that is gathered by offsets: a table is one more input
/// (of int64, behind the others), and an offset a byte.
std::vector<offset_table> take_tables(codegen::nest& n);
std::vector<offset_table> take_tables(codegen::row_nest& n);

/// The inputs of a run, with its tables behind them.
class inputs_with_tables {
public:
    inputs_with_tables(const std::vector<offset_table>& tables, const void* const* inputs,
                       std::size_t count);
    const void* const* data() const { return all.empty() ? given : all.data(); }

private:
    const void* const* given;
    std::vector<const void*> all;
    std::vector<int64_t> offsets;
};

/// Why a simplified nest cannot be read so; empty: it can. Row nests: none of their stages.
std::string reads_refusal(const codegen::nest& n);
std::string reads_refusal(const codegen::row_nest& n);

/// The inputs of a nest with tables that are not found by strides alone.
class nest_reads {
public:
    nest_reads() = default;
    /// `n` is not refused.
    explicit nest_reads(const codegen::nest& n);

    bool empty() const { return gathers.empty() and borders.empty(); }
    bool has_borders() const { return not borders.empty(); }

    /// The end of the columns from `column` on that are read alike, at most `end`.
    int64_t columns_end(int64_t column, int64_t end) const;

    /// Brings addresses that strides give for a row to where its gathered inputs are.
    void gather(char** begins) const;

    /// Puts the addresses of inputs with borders right for rows from `index` (of the outer dims)
    /// on. `begins` are those that strides give for a column, of all inputs; `from` is a column
    /// that is read as those to be walked are. Gives how many of `rows` rows along the last outer
    /// dim are read alike; `steps`, of all inputs in bytes, are set to 0 where a row of the border
    /// stands for all.
    int64_t place(char** begins, int64_t* steps, const int64_t* index, int64_t column, int64_t from,
                  int64_t rows) const;

private:
    struct gathered_input {
        std::size_t input, table;
    };
    struct bordered_input {
        std::size_t input = 0;
        std::vector<codegen::nest_border> border; ///< of each dim
        int64_t back = 0;       ///< bytes from the tensor's first element to that of index 0
        int64_t step = 0;       ///< bytes from column to column
        std::vector<char> fill; ///< a row, from its lowest address on
        int64_t lowest = 0;     ///< bytes from its column 0 to there
    };
    std::vector<gathered_input> gathers;
    std::vector<bordered_input> borders;
    std::vector<int64_t> dims, cuts; ///< cuts: where columns begin to be read in another way
};

} // namespace migraphx::cpu
