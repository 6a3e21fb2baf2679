// SPDX-License-Identifier: MIT
// Text helpers of stringutils.hpp.
#include <migraphx/stringutils.hpp>

#include "base/str.hpp"

#include <algorithm>
#include <cctype>
#include <migraphx/errors.hpp>

namespace migraphx {
namespace {

bool is_blank(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

} // namespace

std::string ltrim(const std::string& s) {
    return {std::find_if_not(s.begin(), s.end(), is_blank), s.end()};
}

std::string rtrim(const std::string& s) {
    return {s.begin(), std::find_if_not(s.rbegin(), s.rend(), is_blank).base()};
}

std::string trim(const std::string& s) {
    return ltrim(rtrim(s));
}

std::string to_upper(std::string s) {
    for (char& c : s)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return s;
}

std::string to_lower(std::string s) {
    for (char& c : s)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return s;
}

bool starts_with(const std::string& value, const std::string& prefix) {
    return value.compare(0, prefix.size(), prefix) == 0;
}

bool ends_with(const std::string& value, const std::string& suffix) {
    return value.size() >= suffix.size() and
           value.compare(value.size() - suffix.size(), suffix.size(), suffix) == 0;
}

bool contains(const std::string& value, const std::string& part) {
    return value.find(part) != std::string::npos;
}

bool contains(const std::string& value, const char* part) {
    return value.find(part) != std::string::npos;
}

std::string remove_prefix(const std::string& s, const std::string& prefix) {
    return starts_with(s, prefix) ? s.substr(prefix.size()) : s;
}

std::string remove_suffix(const std::string& s, const std::string& suffix) {
    return ends_with(s, suffix) ? s.substr(0, s.size() - suffix.size()) : s;
}

std::string replace_string(std::string subject, const std::string& search,
                           const std::string& replace) {
    if (search.empty())
        return subject;
    for (std::size_t at = 0; (at = subject.find(search, at)) != std::string::npos;
         at += replace.size())
        subject.replace(at, search.size(), replace);
    return subject;
}

std::vector<std::string> split_string(const std::string& s, char delim) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (at < s.size()) {
        const auto end = std::min(s.find(delim, at), s.size());
        parts.push_back(s.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

std::string to_c_id(const std::string& name, char rep) {
    std::string id = name;
    for (char& c : id)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 and c != '_')
            c = rep;
    if (not id.empty() and std::isdigit(static_cast<unsigned char>(id.front())) != 0)
        id.insert(id.begin(), rep);
    return id;
}

std::string quote_string(const std::string& s) {
    std::string out = "\"";
    for (char c : s) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\t':
            out += "\\t";
            break;
        case '\r':
            out += "\\r";
            break;
        default:
            out += c;
        }
    }
    return out + '"';
}

std::string interpolate_string(const std::string& input,
                               const std::unordered_map<std::string, std::string>& vars,
                               std::string start, std::string end) {
    const auto lookup = [&](const std::string& name) -> const std::string& {
        const auto it = vars.find(name);
        if (it == vars.end())
            fail(error_kind::invalid_argument,
                 str("text template: expected a known variable, got \"", name, "\""));
        return it->second;
    };
    return interpolate_string(input, lookup, std::move(start), std::move(end));
}

std::string bytes_to_hex_string(const unsigned char* bytes, std::size_t n, bool lsb) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < n; ++i) {
        const unsigned char b = lsb ? bytes[n - 1 - i] : bytes[i];
        out += digits[b >> 4];
        out += digits[b & 15];
    }
    return out;
}

} // namespace migraphx
