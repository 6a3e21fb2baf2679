// SPDX-License-Identifier: MIT
// What numbers an element type holds.
#include "ir/number_kinds.hpp"

#include "ir/small_number.hpp"

namespace migraphx {

bool is_whole_number(shape::type_t t) {
    return small_integer_bits(t) != 0 or (shape::is_integral(t) and t != shape::bool_type);
}

std::pair<double, double> number_limits(shape::type_t t) {
    if (shape::is_small(t))
        return small_limits(t);
    std::pair<double, double> result;
    shape::visit(t, [&](auto as) {
        result = {static_cast<double>(as.min()), static_cast<double>(as.max())};
    });
    return result;
}

} // namespace migraphx
