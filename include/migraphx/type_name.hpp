// SPDX-License-Identifier: MIT
// get_type_name<T>(): the type as it is written in the source, with its namespaces.
#ifndef MIGRAPHX_GUARD_TYPE_NAME_HPP
#define MIGRAPHX_GUARD_TYPE_NAME_HPP

#include <string>

namespace migraphx {

template <class T>
constexpr const char* type_name_text() {
    return __PRETTY_FUNCTION__; // "... [with T = X]"
}

template <class T>
const std::string& get_type_name() {
    static const std::string name = [] {
        const std::string text = type_name_text<T>();
        const auto start = text.find("T = ") + 4;
        return text.substr(start, text.rfind(']') - start);
    }();
    return name;
}

template <class T>
const std::string& get_type_name(const T&) {
    return migraphx::get_type_name<T>();
}

} // namespace migraphx
#endif
