// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_ALL_HPP
#define MIGRAPHX_OP_REDUCE_ALL_HPP

#include <migraphx/op/reduce_op.hpp>

namespace migraphx {
namespace op {

struct reduce_all : reduce_op {
    using reduce_op::reduce_op;
    reduce_all() = default;
    std::string name() const { return "reduce_all"; }
};

} // namespace op
} // namespace migraphx
#endif
