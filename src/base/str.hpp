// SPDX-License-Identifier: MIT
// str(xs...): the arguments as one text; ranges print as {a, b}. For messages, not for hot loops.
#ifndef MIGRAPHX_GUARD_BASE_STR_HPP
#define MIGRAPHX_GUARD_BASE_STR_HPP

#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace migraphx {

// The shortest text that reads back as the same number.
void append_number(std::string& out, double x);
void append_number(std::string& out, float x);

template <class T>
void append_text(std::string& out, const T& x) {
    if constexpr (std::is_same_v<T, bool>)
        out += x ? "true" : "false";
    else if constexpr (std::is_same_v<T, char>)
        out += x;
    else if constexpr (std::is_integral_v<T>)
        out += std::to_string(x);
    else if constexpr (std::is_floating_point_v<T>)
        append_number(out, x);
    else if constexpr (std::is_convertible_v<const T&, std::string_view>)
        out += std::string_view(x);
    else if constexpr (requires(std::ostream & os) { os << x; }) {
        std::ostringstream os;
        os << x;
        out += os.str();
    } else {
        out += '{';
        bool first = true;
        for (const auto& y : x) {
            if (not first)
                out += ", ";
            append_text(out, y);
            first = false;
        }
        out += '}';
    }
}

template <class... Ts>
std::string str(const Ts&... xs) {
    std::string out;
    (append_text(out, xs), ...);
    return out;
}

} // namespace migraphx
#endif
