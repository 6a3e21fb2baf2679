// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_LRN_HPP
#define MIGRAPHX_OP_LRN_HPP

#include <migraphx/reflect.hpp>
#include <string>

namespace migraphx {
namespace op {

/// Attributes of `lrn`: x * (bias + alpha / size * sum of x² over `size` channels)^-beta.
struct lrn {
    float alpha = 0.0001f;
    float beta = 0.75f;
    float bias = 1.0f;
    int size = 1;

    using registered_operator = void;
    std::string name() const { return "lrn"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.alpha, "alpha"), f(self.beta, "beta"), f(self.bias, "bias"),
                    f(self.size, "size"));
    }
};

} // namespace op
} // namespace migraphx
#endif
