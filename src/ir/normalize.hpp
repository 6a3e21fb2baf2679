// SPDX-License-Identifier: MIT
// Canonical attributes: axes counted from the front, slices inside the tensor, paddings for both
// ends.
#pragma once

#include <migraphx/operation.hpp>
#include <migraphx/shape.hpp>

#include <vector>

namespace migraphx {

/// The operation with canonical attributes for these inputs; throws for an axis out of range.
operation normalize_attributes(const operation& op, const std::vector<shape>& inputs);

} // namespace migraphx
