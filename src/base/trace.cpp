// SPDX-License-Identifier: MIT
// Which trace channels are on: MIGRAPHX_TRACE=name[=level][:filter],… and the interface's own
// names.
#include "base/settings.hpp"

#include "base/str.hpp"

#include <charconv>
#include <migraphx/stringutils.hpp>

namespace migraphx {
namespace {

const setting<std::string> trace_front_door{
    "MIGRAPHX_TRACE", "",
    "comma list of channel[=level][:filter], channels: passes rules dispatch eval memory codegen "
    "onnx tuning finalize quantization schedule"};

// The interface's names; each is a level of its channel.
const setting<int> trace_aliases[] = {
    {"MIGRAPHX_TRACE_PASSES", 0, "program after each pass (channel passes)"},
    {"MIGRAPHX_TRACE_COMPILE", 0, "program after each pass of compile (channel passes)"},
    {"MIGRAPHX_TRACE_MATCHES", 0, "rules that fired (channel rules)"},
    {"MIGRAPHX_TRACE_EVAL", 0, "each instruction while it runs: 1 name, 2 statistics, 3 values"},
    {"MIGRAPHX_DEBUG_MEMORY_COLORING", 0, "memory plan (channel memory)"},
    {"MIGRAPHX_TRACE_ONNX_PARSER", 0, "nodes while they are read (channel onnx)"},
    {"MIGRAPHX_TRACE_BENCHMARKING", 0, "timings of candidates (channel tuning)"},
    {"MIGRAPHX_TRACE_FINALIZE", 0, "instructions while they are finalized (channel finalize)"},
    {"MIGRAPHX_TRACE_QUANTIZATION", 0, "quantization steps (channel quantization)"},
    {"MIGRAPHX_TRACE_SCHEDULE", 0, "order and streams (channel schedule)"},
};
constexpr std::string_view trace_alias_channels[] = {
    "passes", "passes", "rules",    "eval",         "memory",
    "onnx",   "tuning", "finalize", "quantization", "schedule"};
static_assert(std::size(trace_aliases) == std::size(trace_alias_channels));

const setting<std::string> trace_matches_for{"MIGRAPHX_TRACE_MATCHES_FOR", "",
                                             "part of the names of the rules to trace"};

struct trace_channel {
    std::string name;
    int level = 1;
    std::string filter;
};

trace_channel parse_channel(std::string text) {
    trace_channel c;
    const auto colon = text.find(':');
    if (colon != std::string::npos) {
        c.filter = text.substr(colon + 1);
        text.resize(colon);
    }
    const auto equals = text.find('=');
    if (equals != std::string::npos) {
        const auto level = text.substr(equals + 1);
        std::from_chars(level.data(), level.data() + level.size(), c.level);
        text.resize(equals);
    }
    c.name = text;
    return c;
}

std::vector<trace_channel> read_channels() {
    std::vector<trace_channel> result;
    for (const auto& part : split_string(trace_front_door.get(), ','))
        if (const auto text = trim(part); not text.empty())
            result.push_back(parse_channel(text));
    for (std::size_t i = 0; i < std::size(trace_aliases); ++i)
        if (trace_aliases[i].get() > 0)
            result.push_back({std::string(trace_alias_channels[i]), trace_aliases[i].get(), ""});
    if (not trace_matches_for.get().empty())
        result.push_back({"rules", 1, "*" + trace_matches_for.get() + "*"});
    return result;
}

} // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    // Where to try again: after the last star, one character further in the text.
    std::size_t star = std::string_view::npos;
    std::size_t from = 0;
    while (t < text.size()) {
        if (p < pattern.size() and pattern[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.size() and (pattern[p] == '?' or pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size() and pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

int trace_level(std::string_view channel, std::string_view subject) {
    static const auto channels = read_channels();
    int level = 0;
    for (const auto& c : channels) {
        const bool fits =
            c.filter.empty() or subject.empty() or matches_wildcard(c.filter, subject);
        if (fits and (c.name == channel or c.name == "all"))
            level = std::max(level, c.level);
    }
    return level;
}

} // namespace migraphx
