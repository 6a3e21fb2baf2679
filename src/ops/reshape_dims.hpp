// SPDX-License-Identifier: MIT
// Target dimensions of a reshape: 0 copies the dimension of the input, one -1 is inferred.
#pragma once

#include <migraphx/shape.hpp>

#include <cstdint>
#include <vector>

namespace migraphx {

/// Throws unless the result has as many elements as `lens`. With `keep_zero`, 0 means 0.
std::vector<std::size_t> reshaped_lens(const std::vector<std::size_t>& lens,
                                       const std::vector<int64_t>& dims, bool keep_zero = false);
/// For dimensions that are not known yet; only what is known is checked.
std::vector<shape::dynamic_dimension> reshaped_dims(const std::vector<shape::dynamic_dimension>& in,
                                                    const std::vector<int64_t>& dims);

} // namespace migraphx
