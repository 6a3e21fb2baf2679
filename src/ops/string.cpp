// SPDX-License-Identifier: MIT
// Tensors of strings: comparison, choice, concatenation, splitting, normalisation, full matches of
// regular expressions, and numbers as text and back.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

#include "base/regex.hpp"
#include "base/utf8.hpp"
#include "ir/rank_zero.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>
#include <unordered_set>

namespace migraphx {

namespace {

using texts = std::vector<std::string_view>;

void expect_strings(const std::vector<shape>& in, std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i)
        if (in[i].type() != shape::string_type)
            fail_shape(str("strings were expected for input ", i, ", got ", in[i]));
}

shape plain(const shape& s, shape::type_t t) {
    return unary_shape(is_rank_zero(s) ? s : s.as_standard(), t);
}

argument owning(const shape& s, const std::vector<std::string>& values) {
    return string_argument(s, {values.begin(), values.end()});
}

struct string_equal_op {
    static constexpr auto name = "string_equal";
    static constexpr auto summary = "Whether strings of equal dimensions are the same";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).same_dims();
        expect_strings(in, 0, 2);
        return plain(in[0], shape::bool_type);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto x = strings_of(in[0]), y = strings_of(in[1]);
        std::vector<int64_t> same(x.size());
        for (std::size_t i = 0; i < x.size(); ++i)
            same[i] = x[i] == y[i];
        store(out, same);
    }
};

struct string_where_op {
    static constexpr auto name = "string_where";
    static constexpr auto summary =
        "Strings of the second input where the first is true, else of the third";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).same_dims();
        expect_strings(in, 1, 3);
        return plain(in[1], shape::string_type);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        const auto which = load<int64_t>(in[0]);
        auto result = strings_of(in[1]);
        const auto other = strings_of(in[2]);
        for (std::size_t i = 0; i < result.size(); ++i)
            if (which[i] == 0)
                result[i] = other[i];
        return string_argument(output.dynamic() ? infer(to_shapes(in)) : output, result);
    }
};

struct string_concat_op {
    static constexpr auto name = "string_concat";
    static constexpr auto summary = "Strings of equal dimensions, the second behind the first";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).same_dims();
        expect_strings(in, 0, 2);
        return plain(in[0], shape::string_type);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        const auto x = strings_of(in[0]), y = strings_of(in[1]);
        std::vector<std::string> result;
        for (std::size_t i = 0; i < x.size(); ++i)
            result.push_back(std::string(x[i]).append(y[i]));
        return owning(output.dynamic() ? infer(to_shapes(in)) : output, result);
    }
};

// Parts between white space: runs of it separate, and what is left after `most` cuts keeps its own.
texts split_at_spaces(std::string_view x, std::size_t most) {
    constexpr std::string_view spaces = " \t\n\v\f\r";
    texts result;
    for (;;) {
        x.remove_prefix(std::min(x.find_first_not_of(spaces), x.size()));
        if (x.empty())
            return result;
        if (result.size() == most) {
            result.push_back(x);
            return result;
        }
        const auto end = std::min(x.find_first_of(spaces), x.size());
        result.push_back(x.substr(0, end));
        x.remove_prefix(end);
    }
}

texts split_at(std::string_view x, std::string_view delimiter, std::size_t most) {
    texts result;
    while (result.size() < most) {
        const auto end = x.find(delimiter);
        if (end == std::string_view::npos)
            break;
        result.push_back(x.substr(0, end));
        x.remove_prefix(end + delimiter.size());
    }
    result.push_back(x);
    return result;
}

struct string_split_op {
    std::string delimiter;
    int64_t maxsplit = -1;

    static constexpr auto name = "string_split";
    static constexpr auto summary =
        "Parts of each string on a new last axis, filled up with empty ones, and their numbers";
    static void fields(field_list<string_split_op>& f) {
        f.add("delimiter", &string_split_op::delimiter,
              "what separates the parts; none: white space");
        f.add("maxsplit", &string_split_op::maxsplit,
              "most cuts in a string; negative: any number");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        expect_strings(in, 0, 1);
        const bool scalar = is_rank_zero(in[0]);
        auto dims =
            scalar ? std::vector<shape::dynamic_dimension>{} : dims_of(demote_to_range(in[0]));
        dims.emplace_back(std::size_t{0}, std::numeric_limits<std::size_t>::max());
        return shape{{shape{shape::string_type, dims}, plain(in[0], shape::int64_type)}};
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto most = maxsplit < 0 ? std::numeric_limits<std::size_t>::max()
                                       : static_cast<std::size_t>(maxsplit);
        std::vector<texts> parts;
        std::size_t width = 0;
        std::vector<int64_t> counts;
        for (const auto& x : strings_of(in[0])) {
            parts.push_back(delimiter.empty() ? split_at_spaces(x, most)
                                              : split_at(x, delimiter, most));
            width = std::max(width, parts.back().size());
            counts.push_back(static_cast<int64_t>(parts.back().size()));
        }
        const auto& s = in[0].get_shape();
        auto lens = is_rank_zero(s) ? std::vector<std::size_t>{} : s.lens();
        lens.push_back(width);
        texts all;
        for (auto& p : parts) {
            p.resize(width);
            all.insert(all.end(), p.begin(), p.end());
        }
        auto numbers = argument::uninitialized(plain(s, shape::int64_type));
        store(numbers, counts);
        return {
            std::vector<argument>{string_argument(shape{shape::string_type, lens}, all), numbers}};
    }
};

struct string_normalizer_op {
    int64_t case_change = 0;
    bool is_case_sensitive = false;
    std::vector<std::string> stopwords;

    static constexpr auto name = "string_normalizer";
    static constexpr auto summary = "Strings of a row without stop words, in another case";
    static void fields(field_list<string_normalizer_op>& f) {
        f.choice("case_change", &string_normalizer_op::case_change, "case of the result",
                 {"none", "lower", "upper"});
        f.add("is_case_sensitive", &string_normalizer_op::is_case_sensitive,
              "stop words match in their own case only");
        f.add("stopwords", &string_normalizer_op::stopwords, "strings that are left out");
    }

    // A row of C strings: {C} or {1, C}; when nothing is left, one empty string.
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        expect_strings(in, 0, 1);
        auto dims = dims_of(demote_to_range(in[0]));
        if (dims.empty() or dims.size() > 2 or
            (dims.size() == 2 and dims[0].get_interval().max != 1))
            fail_shape(str("strings of shape {C} or {1, C} were expected, got ", in[0]));
        if (stopwords.empty())
            return in[0].as_standard();
        dims.back() = {1, std::max<std::size_t>(1, dims.back().get_interval().max)};
        return {shape::string_type, dims};
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto in_case = [](std::string_view x, int64_t change) {
            return change == 0 ? std::string(x) : change_case(x, change == 2);
        };
        std::unordered_set<std::string> left_out;
        for (const auto& w : stopwords)
            left_out.insert(in_case(w, is_case_sensitive ? 0 : 1));
        std::vector<std::string> result;
        for (const auto& x : strings_of(in[0]))
            if (not left_out.contains(in_case(x, is_case_sensitive ? 0 : 1)))
                result.push_back(in_case(x, case_change));
        if (result.empty() and not stopwords.empty())
            result.emplace_back();
        auto lens = in[0].get_shape().lens();
        lens.back() = result.size();
        return owning(shape{shape::string_type, lens}, result);
    }
};

struct regex_full_match_op {
    std::string pattern;

    static constexpr auto name = "regex_full_match";
    static constexpr auto summary =
        "Whether each string as a whole matches a regular expression (RE2 syntax)";
    static void fields(field_list<regex_full_match_op>& f) {
        f.add("pattern", &regex_full_match_op::pattern, "the regular expression");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        expect_strings(in, 0, 1);
        regex{pattern};
        return plain(in[0], shape::bool_type);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const regex expression{pattern};
        std::vector<int64_t> matches;
        for (const auto& x : strings_of(in[0]))
            matches.push_back(expression.matches(x));
        store(out, matches);
    }
};

std::string lower_ascii(std::string_view x) {
    std::string result(x);
    for (auto& c : result)
        c = static_cast<char>(c >= 'A' and c <= 'Z' ? c - 'A' + 'a' : c);
    return result;
}

double number_from(std::string_view text) {
    auto x = text;
    constexpr std::string_view spaces = " \t\n\r";
    x.remove_prefix(std::min(x.find_first_not_of(spaces), x.size()));
    x.remove_suffix(x.size() - std::min(x.size(), x.find_last_not_of(spaces) + 1));
    const auto word = lower_ascii(x);
    const char* first = word.data();
    const char* last = first + word.size();
    if (first != last and *first == '+')
        ++first;
    double result = 0;
    const auto r = std::from_chars(first, last, result);
    if (first == last or r.ptr != last or r.ec == std::errc::invalid_argument)
        fail_shape(str("the text of a number was expected, got '", text.substr(0, 40), '\''));
    if (r.ec == std::errc::result_out_of_range) // from_chars leaves the value alone
        result = std::strtod(word.c_str(), nullptr);
    return result;
}

template <class T>
T integer_from(std::string_view text) {
    auto x = text;
    if (not x.empty() and x.front() == '+')
        x.remove_prefix(1);
    T result = 0;
    const auto r = std::from_chars(x.data(), x.data() + x.size(), result);
    if (r.ec == std::errc{} and r.ptr == x.data() + x.size())
        return result;
    const auto number = number_from(text);
    const double below = std::is_signed_v<T> ? -0x1p63 : -1;
    if (not(number > below or number == -0x1p63) or
        not(number < (std::is_signed_v<T> ? 0x1p63 : 0x1p64)))
        fail_shape(str("the text of an integer of ", 8 * sizeof(T), " bits was expected, got '",
                       text.substr(0, 40), '\''));
    return static_cast<T>(number);
}

struct string_to_number_op {
    shape::type_t target_type = shape::float_type;

    static constexpr auto name = "string_to_number";
    static constexpr auto summary = "The numbers that strings spell";
    static void fields(field_list<string_to_number_op>& f) {
        type_field(f, "target_type", &string_to_number_op::target_type,
                   "element type of the result");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        expect_strings(in, 0, 1);
        if (not shape::is_computable(target_type))
            fail_shape("target_type: a type of numbers was expected, got " +
                       shape::name(target_type));
        return plain(in[0], target_type);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto x = strings_of(in[0]);
        const auto fill = [&](auto read) {
            std::vector<decltype(read(x[0]))> values;
            std::transform(x.begin(), x.end(), std::back_inserter(values), read);
            store(out, values);
        };
        if (target_type == shape::uint64_type)
            fill(integer_from<uint64_t>);
        else if (shape::is_integral(target_type))
            fill(integer_from<int64_t>);
        else
            fill([](std::string_view s) {
                const auto word = lower_ascii(s);
                return word == "true" ? 1.0 : word == "false" ? 0.0 : number_from(s);
            });
    }
};

// The shortest text that gives the number again, as numpy writes it: 1e-05, 0.5, 3.0, NaN, INF.
template <class T>
std::string text_of(T x) {
    if (std::isnan(x))
        return "NaN";
    if (std::isinf(x))
        return x < 0 ? "-INF" : "INF";
    char buffer[64];
    const auto size = std::abs(x);
    const bool plain = size == 0 or (size >= T(1e-4) and size < T(1e16));
    const auto r = std::to_chars(buffer, buffer + sizeof(buffer), x,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
    std::string result(buffer, r.ptr);
    if (plain and result.find('.') == std::string::npos)
        result += ".0";
    return result;
}

struct number_to_string_op {
    static constexpr auto name = "number_to_string";
    static constexpr auto summary = "Numbers as text, the shortest that gives them again";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        if (not in[0].computable())
            fail_shape(str("numbers were expected, got ", in[0]));
        return plain(in[0], shape::string_type);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        const auto type = in[0].get_shape().type();
        std::vector<std::string> result;
        if (type == shape::bool_type) {
            for (auto x : load<int64_t>(in[0]))
                result.emplace_back(x != 0 ? "True" : "False");
        } else if (shape::is_integral(type)) {
            with_number(type, [&](auto tag) {
                if constexpr (std::is_integral_v<decltype(tag)>)
                    for (auto x : load<decltype(tag)>(in[0]))
                        result.push_back(std::to_string(x));
            });
        } else {
            for (auto x : load<double>(in[0]))
                result.push_back(type == shape::double_type ? text_of(x)
                                                            : text_of(static_cast<float>(x)));
        }
        return owning(output.dynamic() ? infer(to_shapes(in)) : output, result);
    }
};

const registered_op<string_equal_op> equal_registered;
const registered_op<string_where_op> where_registered;
const registered_op<string_concat_op> concat_registered;
const registered_op<string_split_op> split_registered;
const registered_op<string_normalizer_op> normalizer_registered;
const registered_op<regex_full_match_op> regex_registered;
const registered_op<string_to_number_op> to_number_registered;
const registered_op<number_to_string_op> to_string_registered;

} // namespace

} // namespace migraphx
