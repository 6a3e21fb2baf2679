// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_PAD_HPP
#define MIGRAPHX_OP_PAD_HPP

#include <cstdint>
#include <migraphx/reflect.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace op {

/// Attributes of `pad`: the paddings before each dimension, then those after each.
struct pad {
    /// wrap_pad (the tensor repeats periodically) is an addition to the interface.
    enum pad_op_mode_t : int { constant_pad, reflect_pad, edge_pad, wrap_pad };

    std::vector<std::int64_t> pads;
    float value = 0.0f;
    pad_op_mode_t mode = constant_pad;

    using registered_operator = void;
    std::string name() const { return "pad"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.mode, "mode"), f(self.pads, "pads"), f(self.value, "value"));
    }
    bool symmetric() const {
        const auto n = pads.size() / 2;
        for (std::size_t i = 0; i < n; i++)
            if (pads[i] != pads[i + n])
                return false;
        return true;
    }
};

} // namespace op
} // namespace migraphx
#endif
