// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_REDUCE_OP_HPP
#define MIGRAPHX_OP_REDUCE_OP_HPP

#include <cstdint>
#include <migraphx/reflect.hpp>
#include <string>
#include <utility>
#include <vector>

namespace migraphx {
namespace op {

/// Attributes of the reductions. Without axes they are the second operand.
struct reduce_op {
    std::vector<std::int64_t> axes;

    reduce_op() = default;
    reduce_op(std::vector<std::int64_t> ax) : axes(std::move(ax)) {}

    using registered_operator = void;
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.axes, "axes"));
    }
};

} // namespace op
} // namespace migraphx
#endif
