// SPDX-License-Identifier: MIT
// Visits every multi-index of a static shape in logical (row-major) order.
#ifndef MIGRAPHX_SHAPE_FOR_EACH_HPP
#define MIGRAPHX_SHAPE_FOR_EACH_HPP

#include <cstddef>
#include <type_traits>
#include <vector>

#include <migraphx/shape.hpp>

namespace migraphx {

/// Calls f(const std::vector<std::size_t>& multi), or f(multi, std::size_t number) when f takes
/// both. The vector is reused between calls.
template <class F>
void shape_for_each(const shape& s, F f) {
    const std::vector<std::size_t>& lens = s.lens();
    const std::size_t n = s.elements();
    std::vector<std::size_t> multi(lens.size(), 0);
    for (std::size_t i = 0; i < n; ++i) {
        const std::vector<std::size_t>& view = multi;
        if constexpr (std::is_invocable<F&, const std::vector<std::size_t>&, std::size_t>::value)
            f(view, i);
        else
            f(view);
        for (std::size_t axis = lens.size(); axis-- > 0;) {
            if (++multi[axis] < lens[axis])
                break;
            multi[axis] = 0;
        }
    }
}

} // namespace migraphx

#endif
