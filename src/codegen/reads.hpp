// SPDX-License-Identifier: MIT
// Inputs of nests that are gathered or have a border (nest.hpp): how dims of them merge, and where
// an element is.
#pragma once

#include "codegen/nest.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace migraphx::codegen {

// Whether the access walks the dims `dim - 1` and `dim`, of `size`, as one.
bool walks_as_one(const nest_access& a, std::size_t dim, int64_t size);
// Makes one dim of them.
void merge_dim(nest_access& a, std::size_t dim, int64_t size);

// Throws invalid_argument for inputs that are gathered by what is no integer or is gathered itself,
// or whose border leaves nothing of a dim.
void validate_reads(const std::vector<nest_access>& inputs, const std::vector<int64_t>& dims);

// Of inputs: whether they are read at the index that is computed, if at all. Others must be in memory
// that nobody writes.
std::vector<bool> read_where_computed(const std::vector<nest_access>& inputs);

// The element that input `number` gives at an index of `dims`: in its memory (memory[i] is that of
// input i, its element of index 0) or `fill`. Throws where an index to gather by is out of range.
const void* element_at(const std::vector<nest_access>& inputs, std::size_t number,
                       std::span<const void* const> memory, const std::vector<int64_t>& index,
                       const std::vector<int64_t>& dims);

} // namespace migraphx::codegen
