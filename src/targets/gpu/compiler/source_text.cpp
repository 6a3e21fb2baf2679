// SPDX-License-Identifier: MIT
#include "targets/gpu/compiler/source_text.hpp"

#include "base/str.hpp"
#include "targets/gpu/device_code/headers.hpp"

#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>

namespace migraphx::gpu {

namespace {

// The name in a line `#include "name"`, else nothing.
std::string_view included_name(std::string_view line) {
    const auto start = line.find_first_not_of(" \t");
    constexpr std::string_view word = "#include";
    if (start == std::string_view::npos or line.substr(start, word.size()) != word)
        return {};
    const auto open = line.find('"', start + word.size());
    const auto close = open == std::string_view::npos ? open : line.find('"', open + 1);
    return close == std::string_view::npos ? std::string_view{}
                                           : line.substr(open + 1, close - open - 1);
}

void append_expanded(const std::string& text, std::string_view name, std::set<std::string>& seen,
                     std::string& out) {
    std::size_t number = 0, at = 0;
    while (at < text.size()) {
        auto end = text.find('\n', at);
        end = end == std::string::npos ? text.size() : end;
        const auto line = std::string_view(text).substr(at, end - at);
        at = end + 1;
        number++;
        const std::string wanted(included_name(line));
        const auto header = device_headers().find(wanted);
        if (header != device_headers().end()) {
            if (seen.insert(wanted).second) {
                out += str("#line 1 \"", wanted, "\"\n");
                append_expanded(header->second, wanted, seen, out);
                out += str("#line ", number + 1, " \"", name, "\"\n");
            } else {
                out += '\n';
            }
        } else if (line.starts_with("#pragma once")) {
            out += '\n';
        } else {
            out += line;
            out += '\n';
        }
    }
}

bool is_name_part(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 or c == '_';
}

// Past the parenthesis that closes the one at `open`.
std::size_t past_group(const std::string& s, std::size_t open) {
    int depth = 0;
    for (auto i = open; i < s.size(); i++)
        if (s[i] == '(')
            depth++;
        else if (s[i] == ')' and --depth == 0)
            return i + 1;
    return s.size();
}

std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

} // namespace

std::string with_headers(const std::string& source) {
    std::string out;
    std::set<std::string> seen;
    append_expanded(source, "generated", seen, out);
    return out;
}

std::vector<std::string> entries_of(const std::string& source) {
    constexpr std::string_view plain = "MGX_KERNEL", bounded = "MGX_KERNEL_BOUNDS";
    std::vector<std::string> names;
    for (auto at = source.find(plain); at != std::string::npos; at = source.find(plain, at)) {
        if (at > 0 and is_name_part(source[at - 1])) {
            at += plain.size();
            continue;
        }
        const bool has_bounds = source.compare(at, bounded.size(), bounded) == 0;
        at += has_bounds ? bounded.size() : plain.size();
        if (at < source.size() and is_name_part(source[at]))
            continue;
        if (has_bounds)
            at = past_group(source, source.find('(', at));
        auto end = source.find('(', at);
        if (end == std::string::npos)
            break;
        while (end > at and not is_name_part(source[end - 1]))
            end--;
        auto begin = end;
        while (begin > at and is_name_part(source[begin - 1]))
            begin--;
        if (begin < end)
            names.push_back(source.substr(begin, end - begin));
    }
    return names;
}

std::string content_name(const std::string& text) {
    std::uint64_t a = 0x9e3779b97f4a7c15u ^ text.size(), b = 0xc2b2ae3d27d4eb4fu;
    for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, std::min(sizeof(word), text.size() - at));
        a = mixed(a ^ word);
        b = mixed(b + word * 0x9e3779b97f4a7c15u) ^ a;
    }
    char out[33];
    std::snprintf(out, sizeof(out), "%016llx%016llx", static_cast<unsigned long long>(a),
                  static_cast<unsigned long long>(b));
    return out;
}

} // namespace migraphx::gpu
