// SPDX-License-Identifier: MIT
// Kernels of generated code for nests of pointwise operators.
#pragma once

#include "targets/gpu/generated.hpp"
#include "targets/gpu/lowering.hpp"

#include "codegen/nest.hpp"

#include <string>

namespace migraphx::gpu {

/// The code of a nest whose inputs and outputs are the kernel's pointers in order. One thread does
/// 16 bytes along the innermost dim wherever memory allows; inputs whose memory runs along another
/// dim than the outputs' go through tiles of shared memory. `label` names it in profiles. With
/// `fast_math`, values that end in 16 bits or fewer are computed with few more.
generated nest_code(const codegen::nest& n, const device_properties& on, const std::string& label,
                    bool fast_math = false);

/// Why inputs are not read as the nest says; empty: they are.
std::string nest_reads_refusal(const codegen::nest& n);

/// The kernel of a problem that has a nest (runtime/pointwise_nest.hpp).
lowered pointwise_nest_kernel(const device_problem& p);

} // namespace migraphx::gpu
