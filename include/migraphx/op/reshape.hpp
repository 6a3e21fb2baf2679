// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_RESHAPE_HPP
#define MIGRAPHX_OP_RESHAPE_HPP

#include <cstdint>
#include <migraphx/reflect.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace op {

/// Attributes of `reshape`: 0 copies the dimension of the input, one -1 is inferred.
struct reshape {
    std::vector<std::int64_t> dims;

    using registered_operator = void;
    std::string name() const { return "reshape"; }
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.dims, "dims"));
    }
};

} // namespace op
} // namespace migraphx
#endif
