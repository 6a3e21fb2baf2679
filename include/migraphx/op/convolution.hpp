// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_CONVOLUTION_HPP
#define MIGRAPHX_OP_CONVOLUTION_HPP

#include <cstddef>
#include <migraphx/op/common.hpp>
#include <migraphx/reflect.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace op {

/// Attributes of `convolution` over two spatial dimensions by default. `padding` has one value for
/// each spatial dimension, or those before each dimension and then those after.
struct convolution {
    std::vector<std::size_t> padding = {0, 0};
    std::vector<std::size_t> stride = {1, 1};
    std::vector<std::size_t> dilation = {1, 1};
    int group = 1;
    padding_mode_t padding_mode = default_;

    using registered_operator = void;
    std::string name() const { return "convolution"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.padding, "padding"), f(self.stride, "stride"),
                    f(self.dilation, "dilation"), f(self.group, "group"),
                    f(self.padding_mode, "padding_mode"));
    }
};

} // namespace op
} // namespace migraphx
#endif
