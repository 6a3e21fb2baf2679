// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_POOLING_HPP
#define MIGRAPHX_OP_POOLING_HPP

#include <cstddef>
#include <migraphx/op/common.hpp>
#include <migraphx/reflect.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace op {

/// Attributes of `pooling` over two spatial dimensions by default. `padding` has one value for each
/// spatial dimension, or those before each dimension and then those after.
struct pooling {
    pooling_mode mode = pooling_mode::average;
    std::vector<std::size_t> padding = {0, 0};
    padding_mode_t padding_mode = default_;
    std::vector<std::size_t> stride = {1, 1};
    std::vector<std::size_t> lengths = {1, 1};
    std::vector<std::size_t> dilations = {1, 1};
    bool ceil_mode = false;
    bool count_include_pad = false;
    int lp_order = 2;
    bool dyn_global = false;

    using registered_operator = void;
    std::string name() const { return "pooling"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.mode, "mode"), f(self.padding, "padding"),
                    f(self.padding_mode, "padding_mode"), f(self.stride, "stride"),
                    f(self.lengths, "lengths"), f(self.dilations, "dilations"),
                    f(self.ceil_mode, "ceil_mode"), f(self.count_include_pad, "count_include_pad"),
                    f(self.lp_order, "lp_order"), f(self.dyn_global, "dyn_global"));
    }
};

} // namespace op
} // namespace migraphx
#endif
