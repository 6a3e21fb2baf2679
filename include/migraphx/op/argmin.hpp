// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_ARGMIN_HPP
#define MIGRAPHX_OP_ARGMIN_HPP

#include <cstdint>
#include <migraphx/reflect.hpp>
#include <string>

namespace migraphx {
namespace op {

/// Attributes of `argmin`: the position of the smallest element along `axis`.
struct argmin {
    std::int64_t axis = 0;
    bool select_last_index = false;

    using registered_operator = void;
    std::string name() const { return "argmin"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.axis, "axis"), f(self.select_last_index, "select_last_index"));
    }
};

} // namespace op
} // namespace migraphx
#endif
