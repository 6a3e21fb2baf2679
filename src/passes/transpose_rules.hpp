// SPDX-License-Identifier: MIT
// Transposes of rows move down through products with weights and what follows them, until they meet
// others that undo them: transformers written for (tokens, images, channels) otherwise multiply a
// few rows at a time and copy heads.
#pragma once

#include "passes/pattern.hpp"

#include <vector>

namespace migraphx {

/// Rules of the pass move_reshapes.
std::vector<rule> transpose_rules();

} // namespace migraphx
