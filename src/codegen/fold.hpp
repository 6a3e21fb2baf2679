// SPDX-License-Identifier: MIT
// What reductions do: the folds of row nests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace migraphx::codegen {

/// How the elements of a row become one. The positions are those of extremes, NaN counting as one.
enum class fold : uint8_t {
    sum,
    mean, ///< of integers cut towards zero; of none 0, in floating point NaN
    prod,
    max, ///< NaN when an element is; of no elements the lowest number of the type
    min,
    all, ///< 1 or 0
    any,
    argmax_first,
    argmax_last,
    argmin_first,
    argmin_last
};
const char* name_of(fold f);
/// The fold of a reduction operator; none for others. argmax and argmin have attributes.
std::optional<fold> fold_of(const std::string& reduction);
bool is_position(fold f);

} // namespace migraphx::codegen
