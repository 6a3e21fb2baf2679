// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_SUM_HPP
#define MIGRAPHX_OP_REDUCE_SUM_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_sum : reduce_op {
    using reduce_op::reduce_op;
    reduce_sum() = default;
    std::string name() const { return "reduce_sum"; }
};

} // namespace op
} // namespace migraphx
#endif
