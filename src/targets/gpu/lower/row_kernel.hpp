// SPDX-License-Identifier: MIT
// Kernels of generated code for row nests: reductions with what is fused before and after them,
// softmax, normalizations.
#pragma once

#include "targets/gpu/generated.hpp"

#include "codegen/row_nest.hpp"

#include <string>
#include <vector>

namespace migraphx::gpu {

/// The launches that compute a nest whose inputs and outputs are the kernel's pointers in order:
/// one where a block has a row to itself, else one for each level of folds and one for the
/// results. Rows of up to 16384 elements stay in registers and are read once. Launch sizes must
/// fit: 2^31 blocks. `fast_math` as for nests.
std::vector<generated> row_code(const codegen::row_nest& n, const device_properties& on,
                                const std::string& label, bool fast_math = false);

/// Why inputs are not read as the nest says (gathered by indices that change along vectors,
/// borders); empty: they are.
std::string row_reads_refusal(const codegen::row_nest& n, const device_properties& on);

} // namespace migraphx::gpu
