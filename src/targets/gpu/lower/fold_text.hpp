// SPDX-License-Identifier: MIT
// Folds of row nests in the words of device_code/reduce.cuh.
#pragma once

#include "codegen/row_nest.hpp"

#include <string>

namespace migraphx::gpu {

struct fold_text {
    std::string type, identity, op; ///< `op`: an object of it
    std::string functor() const { return op.substr(0, op.find('{')); }
};

/// Of operands of `type`; the text uses `Index`, the kernel's type of positions.
fold_text text_of(codegen::fold how, shape::type_t type);

} // namespace migraphx::gpu
