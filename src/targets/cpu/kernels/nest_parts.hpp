// SPDX-License-Identifier: MIT
// The parts in which kernels/nest_*.cpp fill the table of the tile machine.
#pragma once

#include "targets/cpu/kernels/nest_vm.hpp"

namespace migraphx::cpu::KERNEL_ISA {
void fill_nest_folds(nest_kernels& k);
void fill_nest_math(nest_kernels& k);
void fill_nest_memory(nest_kernels& k);
void fill_nest_wide(nest_kernels& k);
} // namespace migraphx::cpu::KERNEL_ISA
