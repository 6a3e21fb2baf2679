// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_MEAN_HPP
#define MIGRAPHX_OP_REDUCE_MEAN_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_mean : reduce_op {
    using reduce_op::reduce_op;
    reduce_mean() = default;
    std::string name() const { return "reduce_mean"; }
};

} // namespace op
} // namespace migraphx
#endif
