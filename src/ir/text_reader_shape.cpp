// SPDX-License-Identifier: MIT
// Shapes, dimensions and symbolic expressions in program text.
#include "ir/text_reader.hpp"

#include "base/str.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>

namespace migraphx {

namespace {

constexpr std::size_t shape_text_depth = 64;

} // namespace

shape text_reader::read_shape() {
    const bool sequence = take("sequence[");
    const bool optional = not sequence and take("optional[");
    if (not sequence and not optional and not take("["))
        return read_tensor_shape();
    if (++depth > shape_text_depth)
        fail_expected("less nesting");
    std::vector<shape> subs;
    list(']', [&] { subs.push_back(read_shape()); });
    --depth;
    if (not sequence and not optional)
        return shape{subs};
    if (subs.size() != 1)
        fail_expected("one shape in brackets before this");
    return sequence ? shape::sequence(subs.front()) : shape::optional(subs.front());
}

shape text_reader::read_tensor_shape() {
    const bool ranges = take("dynamic,");
    const bool symbols_only = not ranges and take("symbolic,");
    skip_spaces();
    const auto start = at;
    const auto word = trimmed(until(", \t[]{}()=\"#"));
    shape::type_t type{};
    try {
        type = shape::parse_type(std::string(word));
    } catch (const exception&) {
        at = start;
        fail_expected("an element type such as float_type");
    }
    if (ranges) {
        const auto before = at;
        if (take(",") and (starts("any") or starts("absent")))
            return take("any") ? shape::unranked(type) : (take("absent"), shape::absent(type));
        at = before;
    }
    auto braces = [&](auto item) {
        const auto before = at;
        if (take(",") and take("{")) {
            list('}', [&] { item(token()); });
            return true;
        }
        at = before;
        return false;
    };
    std::vector<shape::dynamic_dimension> dims;
    bool dynamic = ranges or symbols_only;
    bool symbolic = symbols_only;
    if (not braces([&](auto text) {
            dims.push_back(dimension(text));
            dynamic = dynamic or text.front() == '[' or dims.back().is_symbolic();
            symbolic = symbolic or dims.back().is_symbolic();
        }))
        return type;
    if (not dynamic) {
        std::vector<std::size_t> lens;
        for (const auto& d : dims)
            lens.push_back(d.get_interval().min);
        std::vector<std::size_t> strides;
        const bool has_strides = braces([&](auto text) {
            if (not read_whole(text, strides.emplace_back()))
                fail_expected("strides as numbers before this");
        });
        if (has_strides and strides.size() != lens.size())
            fail_expected(str(lens.size(), " strides before this"));
        return has_strides ? shape{type, lens, strides} : shape{type, lens};
    }
    if (not symbolic)
        return {type, dims};
    for (auto& d : dims)
        if (not d.is_symbolic() and d.is_fixed())
            d = sym::lit(static_cast<std::int64_t>(d.get_interval().min));
    std::vector<sym::expr> strides;
    const bool has_strides = braces([&](auto text) { strides.push_back(expression(text)); });
    if (has_strides and strides.size() != dims.size())
        fail_expected(str(dims.size(), " strides before this"));
    return has_strides ? shape{type, dims, strides} : shape{type, dims};
}

shape::dynamic_dimension text_reader::range_dimension(std::string_view text) const {
    // [min..max] and maybe {optimal, …}
    const auto dots = text.find("..");
    const auto close = text.find(']');
    std::size_t low = 0;
    std::size_t high = 0;
    if (dots == std::string_view::npos or close == std::string_view::npos or close < dots or
        not read_whole(trimmed(text.substr(1, dots - 1)), low) or
        not read_whole(trimmed(text.substr(dots + 2, close - dots - 2)), high))
        fail_expected(str("a dimension such as [1..8] in place of '", text, "'"));
    std::set<std::size_t> optimals;
    auto tail = trimmed(text.substr(close + 1));
    while (tail.size() > 1) { // "{2", "4}"
        tail.remove_prefix(1);
        const auto stop = std::min(tail.find_first_of(",}"), tail.size());
        std::size_t n = 0;
        if (not read_whole(trimmed(tail.substr(0, stop)), n))
            fail_expected(str("optimal sizes in place of '", tail, "'"));
        optimals.insert(n);
        tail.remove_prefix(stop);
    }
    return {low, high, optimals};
}

shape::dynamic_dimension text_reader::dimension(std::string_view text) {
    if (text.empty())
        fail_expected("a dimension before this");
    std::size_t n = 0;
    if (read_whole(text, n))
        return {n, n};
    if (text.front() == '[')
        return range_dimension(text);
    return shape::dynamic_dimension{expression(text)};
}

sym::expr text_reader::with_known(const sym::expr& e) const {
    std::unordered_map<sym::expr, sym::expr> known;
    for (const auto& v : e.variables())
        if (v == sym::var(v.name()))
            if (auto it = symbols.find(v.name()); it != symbols.end())
                known[v] = it->second;
    return known.empty() ? e : e.subs(known);
}

sym::expr text_reader::expression(std::string_view text) {
    if (text.empty())
        fail_expected("an expression before this");
    return with_context(
        [&] {
            // The bounds at the end may be those of the whole expression ...
            const auto open = text.rfind('[');
            if (open != std::string_view::npos and open > 0 and text.back() == ']') {
                const auto bounds = range_dimension(text.substr(open)).get_interval();
                const auto whole = with_known(sym::parse(std::string(text.substr(0, open))));
                const shape::dynamic_dimension d{whole};
                if (d.get_interval() == bounds)
                    return whole;
            }
            // ... or of its last variable.
            const auto result = with_known(sym::parse(std::string(text)));
            for (const auto& v : result.variables())
                if (v != sym::var(v.name()))
                    symbols.emplace(v.name(), v);
            return result;
        },
        [&] { return str("line ", line_number); });
}

} // namespace migraphx
