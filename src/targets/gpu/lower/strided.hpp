// SPDX-License-Identifier: MIT
// Which kernels write and read a part of a concat's result where it lies.
#pragma once

#include "runtime/kernel.hpp"

namespace migraphx::gpu {

/// As `backend::writes_strided`.
bool writes_strided(const problem& p);
/// As `backend::reads_strided`.
bool reads_strided(const problem& p, std::size_t i);

} // namespace migraphx::gpu
