// SPDX-License-Identifier: MIT
// The parts in which kernels/nest_*.cpp fill the table of the tile machine.
#pragma once

#include "targets/cpu/kernels/nest_vm.hpp"

namespace migraphx::cpu::KERNEL_ISA {
// What arithmetic on T is done in: integers wrap.
template <class T>
struct wrapping {
    using type = T;
};
template <>
struct wrapping<int64_t> {
    using type = uint64_t;
};
template <class T>
using wrap_t = typename wrapping<T>::type;

void fill_nest_folds(nest_kernels& k);
void fill_nest_math(nest_kernels& k);
void fill_nest_memory(nest_kernels& k);
void fill_nest_wide(nest_kernels& k);
} // namespace migraphx::cpu::KERNEL_ISA
