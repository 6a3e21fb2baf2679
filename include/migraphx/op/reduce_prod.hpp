// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_PROD_HPP
#define MIGRAPHX_OP_REDUCE_PROD_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_prod : reduce_op {
    using reduce_op::reduce_op;
    reduce_prod() = default;
    std::string name() const { return "reduce_prod"; }
};

} // namespace op
} // namespace migraphx
#endif
