// SPDX-License-Identifier: MIT
// Code that oneDNN 3.2 generates and never lets go of: that of its brgemm convolutions.
#pragma once

#include "runtime/kernel.hpp"

#include <cstddef>

namespace migraphx::cpu {

/// Whether one more such convolution may be made. Always for programs of few sizes; for those of
/// many (`problem::many_sizes`) while all of the process are of at most `most_kept_code` problems,
/// which differ in more than the batch: about 50 KiB each, code and what describes it.
bool may_keep_code(const problem& p);

constexpr std::size_t most_kept_code = 512;

} // namespace migraphx::cpu
