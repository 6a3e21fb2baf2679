// SPDX-License-Identifier: MIT
// An attribute that is an element type: an integer in files and text, read from its name as well.
#pragma once

#include "ops/op.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace migraphx {

inline shape::type_t type_from_value(const value& v) {
    if (v.is_string()) {
        const auto text = v.get_string();
        if (not std::all_of(text.begin(), text.end(),
                            [](unsigned char c) { return std::isdigit(c); }))
            return shape::parse_type(text);
    }
    return shape::type_of_number(v.to<std::int64_t>());
}

template <class T, class C>
void type_field(field_list<T>& f, const char* name, shape::type_t C::*member, const char* doc) {
    f.add(name, member, doc).set = [member](void* self, const value& v) {
        static_cast<T*>(self)->*member = type_from_value(v);
    };
}
template <class T, class C>
void type_field(field_list<T>& f, const char* name, std::optional<shape::type_t> C::*member,
                const char* doc) {
    f.add(name, member, doc).set = [member](void* self, const value& v) {
        auto& x = static_cast<T*>(self)->*member;
        if (v.is_null())
            x.reset();
        else
            x = type_from_value(v);
    };
}

} // namespace migraphx
