// SPDX-License-Identifier: MIT
// Regular expressions in RE2's syntax, matched in time linear in the text: an expression becomes a
// list of instructions, all of whose threads advance together, so no text and no expression can
// blow up.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace migraphx {

class regex {
public:
    /// Throws for what is no expression, and for what RE2 has and this has not (\p classes, \C).
    explicit regex(std::string_view pattern);
    /// Whether the text (UTF-8) as a whole matches.
    bool matches(std::string_view text) const;

    using range = std::pair<std::uint32_t, std::uint32_t>;
    enum class step : std::uint8_t { set, fork, jump, check, match };
    enum class place : std::uint8_t {
        text_begin,
        text_end,
        line_begin,
        line_end,
        word_edge,
        no_word_edge
    };
    struct instruction {
        step what = step::match;
        bool any_case = false;                            // set
        place where = place::text_end;                    // check
        std::uint32_t to = 0, other = 0;                  // jump; fork
        std::shared_ptr<const std::vector<range>> ranges; // set; ascending
    };

private:
    std::vector<instruction> program;
};

} // namespace migraphx
