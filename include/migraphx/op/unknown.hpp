// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_UNKNOWN_HPP
#define MIGRAPHX_OP_UNKNOWN_HPP

#include <migraphx/reflect.hpp>
#include <string>

namespace migraphx {
namespace op {

/// Stands for an operator `op` of a model that is not known here; its name is "unknown:" + op.
struct unknown {
    std::string op;

    using registered_operator = void;
    std::string name() const { return "unknown:" + op; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.op, "op"));
    }
};

} // namespace op
} // namespace migraphx
#endif
