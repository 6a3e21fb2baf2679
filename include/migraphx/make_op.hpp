// SPDX-License-Identifier: MIT
// Operations by name and attributes.
#ifndef MIGRAPHX_MAKE_OP_HPP
#define MIGRAPHX_MAKE_OP_HPP

#include <initializer_list>
#include <migraphx/operation.hpp>
#include <migraphx/value.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace migraphx {

/// The operation with its default attributes. Throws for an unknown name.
operation make_op(const std::string& name);
/// Attributes not given keep their defaults; one that the operator does not have throws.
operation make_op(const std::string& name,
                  const std::initializer_list<std::pair<std::string, value>>& v);
operation make_op_from_value(const std::string& name, const value& v);

template <class Value, std::enable_if_t<std::is_convertible<Value, value>::value and
                                            not std::is_same<Value, const char*>::value,
                                        int> = 0>
operation make_op(const std::string& name, const Value& v) {
    return make_op_from_value(name, value(v));
}

/// Attributes as (relaxed) JSON text.
operation make_json_op(const std::string& name, const std::string& s);

} // namespace migraphx
#endif
