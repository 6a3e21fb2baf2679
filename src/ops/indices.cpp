// SPDX-License-Identifier: MIT
#include "ops/indices.hpp"

#include "ops/expect.hpp"

namespace migraphx {

bool find_position(int64_t index, std::size_t len, std::size_t& position) {
    const auto n = static_cast<int64_t>(len);
    if (index < -n or index >= n)
        return false;
    position = static_cast<std::size_t>(index < 0 ? index + n : index);
    return true;
}

std::size_t position_of(int64_t index, std::size_t len) {
    std::size_t position = 0;
    if (not find_position(index, len, position))
        fail_shape(str("index out of bounds: a value in [-", len, ", ", len, ") was expected, got ",
                       index));
    return position;
}

} // namespace migraphx
