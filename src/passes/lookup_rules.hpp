// SPDX-License-Identifier: MIT
// Rules of recognise_composites that find look-ups in tables of constants.
#pragma once

#include "passes/pattern.hpp"

namespace migraphx {

std::vector<rule> lookup_rules();

} // namespace migraphx
