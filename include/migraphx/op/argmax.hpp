// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_ARGMAX_HPP
#define MIGRAPHX_OP_ARGMAX_HPP

#include <cstdint>
#include <migraphx/reflect.hpp>
#include <string>

namespace migraphx {
namespace op {

/// Attributes of `argmax`: the position of the largest element along `axis`.
struct argmax {
    std::int64_t axis = 0;
    bool select_last_index = false;

    using registered_operator = void;
    std::string name() const { return "argmax"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.axis, "axis"), f(self.select_last_index, "select_last_index"));
    }
};

} // namespace op
} // namespace migraphx
#endif
