// SPDX-License-Identifier: MIT
// Indices that are element values: negative ones count from the end, others out of range are
// refused.
#pragma once

#include <cstddef>
#include <cstdint>

namespace migraphx {

/// The position that `index` names in a dimension of `len`; throws when there is none.
std::size_t position_of(int64_t index, std::size_t len);
/// The same, but false when there is none.
bool find_position(int64_t index, std::size_t len, std::size_t& position);

} // namespace migraphx
