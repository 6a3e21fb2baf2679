// SPDX-License-Identifier: MIT
// Ways to do a product by a library, for choices among them and for tests of each.
#pragma once

#include "targets/gpu/lowering.hpp"

namespace migraphx::gpu {

/// With all of its epilogue.
lowered library_in_one_call(const device_problem& p);
/// The product, then its epilogue by a pointwise kernel.
lowered library_in_two_steps(const device_problem& p);
/// Into rows that begin at whole pieces of 16 bytes, then a copy to where they belong.
lowered library_in_even_rows(const device_problem& p);

} // namespace migraphx::gpu
