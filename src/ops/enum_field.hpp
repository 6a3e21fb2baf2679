// SPDX-License-Identifier: MIT
// An attribute that is an enumeration and prints as its number; it may be given by name as well.
#pragma once

#include "ops/op.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>

namespace migraphx {

inline value enum_number(const value& v, const std::vector<std::string>& words) {
    const auto* text = v.if_string();
    if (text == nullptr)
        return v;
    const auto at = std::find(words.begin(), words.end(), *text);
    // Digits are read as a number.
    return at == words.end() ? v : value(at - words.begin());
}

template <class T, class M, class C>
void enum_field(field_list<T>& f, const char* name, M C::*member, const char* doc,
                std::vector<std::string> words) {
    f.add(name, member, doc).set = [member, words = std::move(words)](void* self, const value& v) {
        from_value(enum_number(v, words), static_cast<T*>(self)->*member);
    };
}

/// The words of op::padding_mode_t and of op::pad::pad_op_mode_t.
inline std::vector<std::string> padding_mode_words() {
    return {"default_", "same_lower", "same_upper"};
}
inline std::vector<std::string> pad_mode_words() {
    return {"constant_pad", "reflect_pad", "edge_pad", "wrap_pad"};
}

} // namespace migraphx
