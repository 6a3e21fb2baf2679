// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_MIN_HPP
#define MIGRAPHX_OP_REDUCE_MIN_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_min : reduce_op {
    using reduce_op::reduce_op;
    reduce_min() = default;
    std::string name() const { return "reduce_min"; }
};

} // namespace op
} // namespace migraphx
#endif
