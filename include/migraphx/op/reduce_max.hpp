// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_MAX_HPP
#define MIGRAPHX_OP_REDUCE_MAX_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_max : reduce_op {
    using reduce_op::reduce_op;
    reduce_max() = default;
    std::string name() const { return "reduce_max"; }
};

} // namespace op
} // namespace migraphx
#endif
