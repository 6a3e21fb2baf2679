// SPDX-License-Identifier: MIT
// Rules of recognise_composites that find rotary embeddings.
#pragma once

#include "passes/pattern.hpp"

namespace migraphx {

std::vector<rule> rotary_rules();

} // namespace migraphx
