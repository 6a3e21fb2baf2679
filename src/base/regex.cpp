// SPDX-License-Identifier: MIT
#include "base/regex.hpp"

#include "base/str.hpp"
#include "base/utf8.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace migraphx {

namespace {

using code = std::vector<regex::instruction>;
using ranges = std::vector<regex::range>;

constexpr std::size_t most_instructions = 100000;
constexpr int most_nesting = 200;
constexpr int most_repetitions = 1000;
constexpr std::uint32_t no_character = 0xFFFFFFFF;

const ranges digits{{'0', '9'}};
const ranges spaces{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
const ranges words{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};

ranges complement(ranges in) {
    std::sort(in.begin(), in.end());
    ranges result;
    std::uint32_t next = 0;
    for (const auto& [low, high] : in) {
        if (low > next)
            result.emplace_back(next, low - 1);
        next = std::max(next, high + 1);
    }
    if (next <= last_code_point)
        result.emplace_back(next, last_code_point);
    return result;
}

bool is_in(const ranges& in, std::uint32_t c) {
    return std::any_of(in.begin(), in.end(),
                       [&](const auto& r) { return r.first <= c and c <= r.second; });
}

bool is_word(std::uint32_t c) {
    return is_in(words, c);
}

// Targets of jumps count from the begin of the part, so that parts are joined and repeated as they
// are.
void append(code& out, const code& part) {
    const auto base = static_cast<std::uint32_t>(out.size());
    if (out.size() + part.size() > most_instructions)
        fail(error_kind::invalid_argument,
             "regular expression: a smaller one was expected, got one of more than " +
                 std::to_string(most_instructions) + " steps");
    for (auto i : part) {
        i.to += base;
        i.other += base;
        out.push_back(std::move(i));
    }
}

regex::instruction fork_to(std::size_t to, std::size_t other) {
    regex::instruction i;
    i.what = regex::step::fork;
    i.to = static_cast<std::uint32_t>(to);
    i.other = static_cast<std::uint32_t>(other);
    return i;
}

regex::instruction jump_to(std::size_t to) {
    auto i = fork_to(to, to);
    i.what = regex::step::jump;
    return i;
}

code repeated(const code& part, int least, int most) {
    code result;
    for (int i = 0; i < least; ++i)
        append(result, part);
    if (most < 0) { // one more time, and back
        code loop{fork_to(1, part.size() + 2)};
        append(loop, part);
        loop.push_back(jump_to(0));
        append(result, loop);
        return result;
    }
    for (int i = least; i < most; ++i) {
        code once{fork_to(1, part.size() + 1)};
        append(once, part);
        append(result, once);
    }
    return result;
}

struct modes {
    bool any_case = false, lines = false, dot_all = false;
};

class parser {
public:
    explicit parser(std::string_view pattern) : text(pattern) {}

    code run() {
        auto result = alternatives();
        if (not text.empty())
            expected("the end or an opening bracket before this");
        result.emplace_back();
        return result;
    }

private:
    [[noreturn]] void expected(const std::string& what) const {
        fail(error_kind::invalid_argument,
             str("regular expression: ", what, " was expected, got '", text.substr(0, 20), '\''));
    }
    bool take(std::string_view x) {
        if (not text.starts_with(x))
            return false;
        text.remove_prefix(x.size());
        return true;
    }
    std::uint32_t character() {
        if (text.empty())
            expected("a character");
        const auto c = take_code_point(text);
        if (c > last_code_point)
            expected("UTF-8");
        return c;
    }

    code alternatives() {
        if (++depth > most_nesting)
            expected(str("a nesting of at most ", most_nesting, " groups"));
        const auto outer = mode;
        auto result = sequence();
        while (take("|")) {
            const auto other = sequence();
            code both{fork_to(1, result.size() + 2)};
            append(both, result);
            both.push_back(jump_to(result.size() + 2 + other.size()));
            append(both, other);
            result = std::move(both);
        }
        mode = outer;
        --depth;
        return result;
    }

    code sequence() {
        code result;
        while (not text.empty() and text.front() != '|' and text.front() != ')')
            append(result, repetition());
        return result;
    }

    code repetition() {
        auto part = atom();
        const auto counts = quantifier();
        if (not counts)
            return part;
        take("?"); // lazy or not: whether it matches is the same
        if (not text.empty() and
            (text.front() == '*' or text.front() == '+' or text.front() == '?'))
            expected("one repetition operator, not two,");
        return repeated(part, counts->first, counts->second);
    }

    std::optional<std::pair<int, int>> quantifier() {
        if (take("*"))
            return std::pair{0, -1};
        if (take("+"))
            return std::pair{1, -1};
        if (take("?"))
            return std::pair{0, 1};
        const auto start = text;
        if (not take("{"))
            return {};
        const auto least = number();
        auto most = least;
        if (least and take(",")) {
            most = number();
            if (not most)
                most = -1;
        }
        if (not least or not take("}")) {
            text = start; // a bracket that stands for itself
            return {};
        }
        if (*least > most_repetitions or *most > most_repetitions or
            (*most >= 0 and *most < *least))
            expected(str("counts of at most ", most_repetitions, ", the lower one first,"));
        return std::pair{*least, *most};
    }

    std::optional<int> number() {
        std::size_t length = 0;
        int result = 0;
        while (length < text.size() and text[length] >= '0' and text[length] <= '9')
            result = std::min(most_repetitions + 1, result * 10 + (text[length++] - '0'));
        text.remove_prefix(length);
        return length == 0 ? std::nullopt : std::optional(result);
    }

    code set(ranges in) const {
        regex::instruction i;
        i.what = regex::step::set;
        i.any_case = mode.any_case;
        i.ranges = std::make_shared<const ranges>(complement(complement(std::move(in))));
        return {i};
    }
    code one(std::uint32_t c) const { return set({{c, c}}); }
    static code check(regex::place where) {
        regex::instruction i;
        i.what = regex::step::check;
        i.where = where;
        return {i};
    }

    code atom() {
        if (take("("))
            return group();
        if (take("["))
            return set(brackets());
        if (take("."))
            return set(mode.dot_all ? complement({}) : complement({{'\n', '\n'}}));
        if (take("^"))
            return check(mode.lines ? regex::place::line_begin : regex::place::text_begin);
        if (take("$"))
            return check(mode.lines ? regex::place::line_end : regex::place::text_end);
        if (text.starts_with("*") or text.starts_with("+") or text.starts_with("?"))
            expected("something to repeat before this");
        if (take("\\"))
            return escape();
        return one(character());
    }

    code group() {
        const auto outer = mode;
        if (take("?")) {
            if (take("P<") or take("<")) {
                const auto end = text.find('>');
                if (end == std::string_view::npos or end == 0 or text.front() == '=' or
                    text.front() == '!')
                    expected("a name of a group (RE2 has no lookbehind)");
                text.remove_prefix(end + 1);
            } else if (flags()) { // (?i): up to the end of the group around it
                return {};
            }
        }
        auto result = alternatives();
        if (not take(")"))
            expected("a closing bracket");
        mode = outer;
        return result;
    }

    // True when the group ends with its flags.
    bool flags() {
        bool on = true;
        for (;;) {
            const auto c = character();
            if (c == ':' or c == ')')
                return c == ')';
            if (c == '-')
                on = false;
            else if (c == 'i')
                mode.any_case = on;
            else if (c == 'm')
                mode.lines = on;
            else if (c == 's')
                mode.dot_all = on;
            else if (c != 'U')
                expected("flags of i, m, s, U (RE2 has no lookahead) before this");
        }
    }

    code escape() {
        if (take("A"))
            return check(regex::place::text_begin);
        if (take("z"))
            return check(regex::place::text_end);
        if (take("b"))
            return check(regex::place::word_edge);
        if (take("B"))
            return check(regex::place::no_word_edge);
        if (take("Q")) {
            const auto end = std::min(text.find("\\E"), text.size());
            auto quoted = text.substr(0, end);
            text.remove_prefix(std::min(end + 2, text.size()));
            code result;
            while (not quoted.empty())
                append(result, one(take_code_point(quoted)));
            return result;
        }
        if (const auto shared = shared_class())
            return set(*shared);
        return one(escaped_character());
    }

    std::optional<ranges> shared_class() {
        for (const auto& [letter, members] :
             {std::pair{'d', &digits}, std::pair{'s', &spaces}, std::pair{'w', &words}}) {
            if (text.starts_with(letter)) {
                text.remove_prefix(1);
                return *members;
            }
            if (text.starts_with(static_cast<char>(letter - 'a' + 'A'))) {
                text.remove_prefix(1);
                return complement(*members);
            }
        }
        return {};
    }

    std::uint32_t escaped_character() {
        const auto c = character();
        constexpr std::string_view letters = "aftnrv", values = "\a\f\t\n\r\v";
        if (c < 128)
            if (const auto at = letters.find(static_cast<char>(c)); at != std::string_view::npos)
                return static_cast<unsigned char>(values[at]);
        if (c == 'x')
            return hexadecimal();
        if (c == '0' or (c >= '1' and c <= '7' and not text.empty() and text.front() >= '0' and
                         text.front() <= '7')) {
            auto result = c - '0';
            for (int i = 0;
                 i < 2 and not text.empty() and text.front() >= '0' and text.front() <= '7'; ++i)
                result = result * 8 + (character() - '0');
            return result;
        }
        if (c < 128 and (is_in(digits, c) or (is_word(c) and c != '_')))
            expected(
                "an escape that is known here (of RE2's, \\p, \\C and \\K are not) before this");
        return c;
    }

    std::uint32_t hexadecimal() {
        const bool braces = take("{");
        std::uint32_t result = 0;
        std::size_t length = 0;
        while (length < text.size() and length < (braces ? 8U : 2U)) {
            const auto c = text[length];
            const int digit = c >= '0' and c <= '9'   ? c - '0'
                              : c >= 'a' and c <= 'f' ? c - 'a' + 10
                              : c >= 'A' and c <= 'F' ? c - 'A' + 10
                                                      : -1;
            if (digit < 0)
                break;
            result = result * 16 + static_cast<std::uint32_t>(digit);
            ++length;
        }
        text.remove_prefix(length);
        if (length < (braces ? 1U : 2U) or result > last_code_point or (braces and not take("}")))
            expected("hexadecimal digits of a character");
        return result;
    }

    ranges brackets() {
        const bool negated = take("^");
        ranges result;
        for (bool first = true; first or not take("]"); first = false) {
            if (take("[:")) {
                add(result, named_class());
                continue;
            }
            const auto start = text;
            if (take("\\")) {
                if (const auto shared = shared_class()) {
                    add(result, *shared);
                    continue;
                }
                text = start;
            }
            const auto low = member();
            auto high = low;
            if (text.starts_with("-") and not text.starts_with("-]")) {
                take("-");
                high = member();
            }
            if (high < low)
                expected("a range from a lower to a higher character before this");
            result.emplace_back(low, high);
        }
        if (negated and mode.any_case) { // the complement of both cases
            const auto plain = result;
            for (const auto& [low, high] : plain)
                for (auto c = low; c <= std::min<std::uint32_t>(high, low + 0x3FF); ++c) {
                    result.emplace_back(lower_case(c), lower_case(c));
                    result.emplace_back(upper_case(c), upper_case(c));
                }
        }
        return negated ? complement(result) : result;
    }

    std::uint32_t member() { return take("\\") ? escaped_character() : character(); }

    static void add(ranges& to, const ranges& from) {
        to.insert(to.end(), from.begin(), from.end());
    }

    ranges named_class() {
        const bool negated = take("^");
        const std::pair<std::string_view, ranges> classes[] = {
            {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
            {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
            {"ascii", {{0, 127}}},
            {"blank", {{'\t', '\t'}, {' ', ' '}}},
            {"cntrl", {{0, 31}, {127, 127}}},
            {"digit", digits},
            {"graph", {{'!', '~'}}},
            {"lower", {{'a', 'z'}}},
            {"print", {{' ', '~'}}},
            {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
            {"space", {{'\t', '\r'}, {' ', ' '}}},
            {"upper", {{'A', 'Z'}}},
            {"word", words},
            {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
        for (const auto& [name, members] : classes)
            if (take(std::string(name) + ":]"))
                return negated ? complement(members) : members;
        expected("a class such as alpha:]");
    }

    std::string_view text;
    modes mode;
    int depth = 0;
};

bool accepts(const regex::instruction& i, std::uint32_t c) {
    return is_in(*i.ranges, c) or
           (i.any_case and c <= last_code_point and
            (is_in(*i.ranges, lower_case(c)) or is_in(*i.ranges, upper_case(c))));
}

bool holds(regex::place where, std::uint32_t before, std::uint32_t after) {
    switch (where) {
    case regex::place::text_begin:
        return before == no_character;
    case regex::place::text_end:
        return after == no_character;
    case regex::place::line_begin:
        return before == no_character or before == '\n';
    case regex::place::line_end:
        return after == no_character or after == '\n';
    case regex::place::word_edge:
        return is_word(before) != is_word(after);
    case regex::place::no_word_edge:
        break;
    }
    return is_word(before) == is_word(after);
}

} // namespace

regex::regex(std::string_view pattern) : program(parser{pattern}.run()) {}

bool regex::matches(std::string_view text) const {
    std::vector<std::uint32_t> threads, next{0}, pending;
    std::vector<std::size_t> seen(program.size(),
                                  0); // the round in which an instruction was reached
    std::uint32_t before = no_character;
    for (std::size_t round = 1;; ++round) {
        auto rest = text;
        const auto c = text.empty() ? no_character : take_code_point(rest);
        // What the threads reach without taking a character.
        threads.clear();
        pending.assign(next.begin(), next.end());
        bool matched = false;
        while (not pending.empty()) {
            const auto at = pending.back();
            pending.pop_back();
            if (seen[at] == round)
                continue;
            seen[at] = round;
            const auto& i = program[at];
            switch (i.what) {
            case step::set:
                threads.push_back(at);
                break;
            case step::fork:
                pending.push_back(i.other);
                pending.push_back(i.to);
                break;
            case step::jump:
                pending.push_back(i.to);
                break;
            case step::check:
                if (holds(i.where, before, c))
                    pending.push_back(at + 1);
                break;
            case step::match:
                matched = true;
                break;
            }
        }
        if (text.empty())
            return matched;
        next.clear();
        for (auto at : threads)
            if (accepts(program[at], c))
                next.push_back(at + 1);
        if (next.empty())
            return false;
        before = c;
        text = rest;
    }
}

} // namespace migraphx
