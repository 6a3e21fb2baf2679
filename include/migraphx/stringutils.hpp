// SPDX-License-Identifier: MIT
// Text helpers.
#ifndef MIGRAPHX_GUARD_STRINGUTILS_HPP
#define MIGRAPHX_GUARD_STRINGUTILS_HPP

#include <cstddef>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace migraphx {

std::string trim(const std::string& s);
std::string ltrim(const std::string& s);
std::string rtrim(const std::string& s);
std::string to_upper(std::string s);
std::string to_lower(std::string s);
bool starts_with(const std::string& value, const std::string& prefix);
bool ends_with(const std::string& value, const std::string& suffix);
bool contains(const std::string& value, const std::string& part);
bool contains(const std::string& value, const char* part);
// s without the prefix; s itself when it does not start with it.
std::string remove_prefix(const std::string& s, const std::string& prefix);
std::string remove_suffix(const std::string& s, const std::string& suffix);
std::string replace_string(std::string subject, const std::string& search,
                           const std::string& replace);
// The parts between delimiters; no last part when s ends with one.
std::vector<std::string> split_string(const std::string& s, char delim);
// A C identifier made from s: other characters become `rep`.
std::string to_c_id(const std::string& name, char rep = '_');
// s in double quotes, with escapes.
std::string quote_string(const std::string& s);
// Replaces ${name} by vars[name]; an unknown name throws.
std::string interpolate_string(const std::string& input,
                               const std::unordered_map<std::string, std::string>& vars,
                               std::string start = "${", std::string end = "}");
// Two lower-case digits for each byte; `lsb`: first byte last.
std::string bytes_to_hex_string(const unsigned char* bytes, std::size_t n, bool lsb);

template <class F>
std::string interpolate_string(const std::string& input, F f, std::string start = "${",
                               std::string end = "}") {
    std::string result;
    std::size_t at = 0;
    for (;;) {
        const auto first = input.find(start, at);
        const auto last =
            first == std::string::npos ? first : input.find(end, first + start.size());
        if (last == std::string::npos)
            return result + input.substr(at);
        result += input.substr(at, first - at);
        result += f(trim(input.substr(first + start.size(), last - first - start.size())));
        at = last + end.size();
    }
}

template <class Strings>
std::string join_strings(Strings strings, const std::string& delim) {
    std::string result;
    bool first = true;
    for (const auto& s : strings) {
        if (not first)
            result += delim;
        result += s;
        first = false;
    }
    return result;
}

template <class T>
auto to_string(const T& x) -> decltype((std::declval<std::stringstream>() << x), std::string{}) {
    std::stringstream ss;
    ss << x;
    return ss.str();
}

template <class Iterator>
std::string to_string_range(Iterator start, Iterator last, const char* delim = ", ") {
    std::stringstream ss;
    for (auto it = start; it != last; ++it) {
        if (it != start)
            ss << delim;
        ss << *it;
    }
    return ss.str();
}
template <class Range>
auto to_string_range(const Range& r, const char* delim = ", ")
    -> decltype(r.begin(), r.end(), std::string{}) {
    return to_string_range(r.begin(), r.end(), delim);
}
template <class T>
std::string to_string_range(const std::initializer_list<T>& r, const char* delim = ", ") {
    return to_string_range(r.begin(), r.end(), delim);
}

// The bytes of the items in hexadecimal.
template <class Range>
std::string to_hex_string(const Range& r, bool lsb = true) {
    std::string result;
    for (const auto& x : r) {
        using type = std::remove_cv_t<std::remove_reference_t<decltype(x)>>;
        static_assert(std::is_trivially_copyable<type>{}, "items must be plain data");
        unsigned char bytes[sizeof(type)];
        std::memcpy(bytes, &x, sizeof(type));
        result += bytes_to_hex_string(bytes, sizeof(type), lsb);
    }
    return result;
}

} // namespace migraphx
#endif
