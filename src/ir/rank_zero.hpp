// SPDX-License-Identifier: MIT
// Tensors without dimensions: the IR holds them as one element of rank one with stride 0.
#pragma once

#include <migraphx/shape.hpp>

namespace migraphx {

inline bool is_rank_zero(const shape& s) {
    return not s.dynamic() and s.type() != shape::tuple_type and s.ndim() == 1 and s.scalar() and
           s.elements() == 1;
}

} // namespace migraphx
