// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_ANY_HPP
#define MIGRAPHX_OP_REDUCE_ANY_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_any : reduce_op {
    using reduce_op::reduce_op;
    reduce_any() = default;
    std::string name() const { return "reduce_any"; }
};

} // namespace op
} // namespace migraphx
#endif
