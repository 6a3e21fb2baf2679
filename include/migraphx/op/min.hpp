// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_MIN_HPP
#define MIGRAPHX_OP_MIN_HPP

#include <migraphx/reflect.hpp>
#include <string>

namespace migraphx {
namespace op {

struct min {
    using registered_operator = void;
    std::string name() const { return "min"; }
    template <class Self, class F>
    static auto reflect(Self&, F) {
        return pack();
    }
};

} // namespace op
} // namespace migraphx
#endif
