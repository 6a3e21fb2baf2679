// SPDX-License-Identifier: MIT
// The parts of to_value / from_value that do not depend on the type.
#include <migraphx/serialize.hpp>

#include "base/str.hpp"

namespace migraphx {
namespace serialize_detail {

void wrong_count(const value& v, std::size_t expected) {
    fail(error_kind::invalid_argument, str(v.get_key().empty() ? std::string("value") : v.get_key(),
                                           ": expected ", expected, " items, got ", v.size()));
}

std::pair<const value*, const value*> list_items(const value& v) {
    if (v.is_array() or v.is_object() or v.is_null())
        return {v.begin(), v.end()};
    return {&v, &v + 1};
}

std::pair<const value*, const value*> object_items(const value& v) {
    if (not v.is_object() and not v.is_null() and not(v.is_array() and v.empty()))
        fail(error_kind::invalid_argument,
             str(v.get_key().empty() ? std::string("value") : v.get_key(),
                 ": expected an object, got ", to_string(v.get_type())));
    return {v.begin(), v.end()};
}

} // namespace serialize_detail
} // namespace migraphx
