// SPDX-License-Identifier: MIT
// Rules of recognise_composites that find attention.
#pragma once

#include "passes/pattern.hpp"

namespace migraphx {

std::vector<rule> attention_rules();

} // namespace migraphx
