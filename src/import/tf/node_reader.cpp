// SPDX-License-Identifier: MIT
// Operands and attributes of TensorFlow nodes, and the table of readers.
#include "import/tf/importer.hpp"

#include <migraphx/make_op.hpp>

#include "import/quote.hpp"
#include "ir/constant_value.hpp"

#include <algorithm>
#include <map>

namespace migraphx::tf {

instruction_ref node_reader::input(std::size_t i) const {
    if (i >= args.size())
        malformed(str("input ", i, " was expected, got ", args.size(), " inputs"));
    return args[i];
}

void node_reader::expect_inputs(std::size_t least, std::size_t most) const {
    if (args.size() < least or args.size() > most)
        malformed(str(least, least == most ? "" : " to " + std::to_string(most),
                      " inputs were expected, got ", args.size()));
}

ints node_reader::dims(instruction_ref x) const {
    const auto& s = x->get_shape();
    if (s.dynamic())
        unsupported(str("dimensions that are known at import were expected, got ", s));
    if (is_scalar(s))
        return {};
    return {s.lens().begin(), s.lens().end()};
}

void node_reader::expect_rank(std::size_t i, std::size_t n) const {
    if (rank(i) != n)
        malformed(
            str("input ", i, " of ", n, " dimensions was expected, got ", input(i)->get_shape()));
}

std::optional<argument> node_reader::find_constant(std::size_t i) const {
    const auto x = input(i);
    const auto& s = x->get_shape();
    // A tensor of no elements has no values to wait for.
    if (not s.dynamic() and s.elements() == 0)
        return argument{s};
    return constant_value(x);
}

argument node_reader::constant(std::size_t i, const char* what) const {
    auto c = find_constant(i);
    if (not c)
        unsupported(str(what, " (input ", i,
                        ") that is known at import was expected, got a value of a run"));
    return *c;
}

int64_t node_reader::constant_int(std::size_t i, const char* what) const {
    const auto v = constant_ints(i, what);
    if (v.size() != 1)
        malformed(str(what, " (input ", i, "): one number was expected, got ", v.size()));
    return v[0];
}

double node_reader::constant_real(std::size_t i, const char* what) const {
    const auto v = constant(i, what).to_vector<double>();
    if (v.size() != 1)
        malformed(str(what, " (input ", i, "): one number was expected, got ", v.size()));
    return v[0];
}

namespace {

const char* to_text(attribute_kind k) {
    switch (k) {
    case attribute_kind::none:
        return "nothing";
    case attribute_kind::list:
        return "a list";
    case attribute_kind::text:
        return "a text";
    case attribute_kind::integer:
        return "an integer";
    case attribute_kind::real:
        return "a number";
    case attribute_kind::boolean:
        return "a boolean";
    case attribute_kind::type:
        return "a type";
    case attribute_kind::shape:
        return "a shape";
    case attribute_kind::tensor:
        return "a tensor";
    case attribute_kind::function:
        return "a function";
    case attribute_kind::placeholder:
        return "a placeholder";
    }
    return "another kind";
}

} // namespace

const attribute* node_reader::of_kind(std::string_view name,
                                      std::initializer_list<attribute_kind> kinds) const {
    const auto* a = source.find(name);
    if (a != nullptr and std::find(kinds.begin(), kinds.end(), a->kind) == kinds.end())
        malformed(str("attribute ", in_quotes(name), ": ", to_text(*kinds.begin()),
                      " was expected, got ", to_text(a->kind)));
    return a;
}

const attribute& node_reader::get(std::string_view name) const {
    const auto* a = source.find(name);
    if (a == nullptr)
        malformed("attribute " + in_quotes(name) + " was expected, got none");
    return *a;
}

int64_t node_reader::integer(std::string_view name, int64_t fallback) const {
    const auto* a = of_kind(name, {attribute_kind::integer, attribute_kind::boolean});
    return a == nullptr or a->ints.empty() ? fallback : a->ints.back();
}

double node_reader::real(std::string_view name, double fallback) const {
    const auto* a = of_kind(name, {attribute_kind::real});
    return a == nullptr or a->floats.empty() ? fallback : double(a->floats.back());
}

std::string node_reader::text(std::string_view name, std::string_view fallback) const {
    const auto* a = of_kind(name, {attribute_kind::text});
    return std::string(a == nullptr or a->texts.empty() ? fallback : a->texts.back());
}

ints node_reader::integers(std::string_view name) const {
    const auto* a = of_kind(name, {attribute_kind::list});
    return a == nullptr ? ints{} : a->ints;
}

shape::type_t node_reader::type(std::string_view name) const {
    get(name);
    const auto* a = of_kind(name, {attribute_kind::type});
    const auto t = static_cast<data_type>(a->ints.empty() ? 0 : a->ints.back());
    const auto own = to_shape_type(t);
    if (not own)
        unsupported(str("attribute ", in_quotes(name),
                        ": an element type of the engine was expected, got ", type_name(t)));
    return *own;
}

shape::type_t node_reader::type(std::string_view name, shape::type_t fallback) const {
    return has_attribute(name) ? type(name) : fallback;
}

// ---- layouts

bool node_reader::channels_last() const {
    const auto format = text("data_format", owner.options().is_nhwc ? "NHWC" : "NCHW");
    if (format == "NHWC" or format == "NDHWC" or format == "NWC" or format == "channels_last")
        return true;
    if (format == "NCHW" or format == "NCDHW" or format == "NCW")
        return false;
    unsupported("attribute \"data_format\": NHWC or NCHW was expected, got " + in_quotes(format));
}

seen_through see_through(instruction_ref x) {
    if (x->name() != "transpose" or x->get_shape().dynamic())
        return {x, {}};
    return {x->inputs().front(),
            x->get_operator().to_value().at("permutation").to_vector<int64_t>()};
}

ints inverted(const ints& permutation) {
    ints result(permutation.size());
    for (std::size_t i = 0; i < permutation.size(); i++)
        result[std::size_t(permutation[i])] = int64_t(i);
    return result;
}

instruction_ref node_reader::transpose(instruction_ref x, const ints& permutation) const {
    const auto seen = see_through(x);
    auto whole = permutation;
    if (seen.is_transposed())
        for (auto& p : whole)
            p = seen.permutation[std::size_t(p)];
    if (std::is_sorted(whole.begin(), whole.end()))
        return seen.source;
    return add(make_op("transpose", {{"permutation", whole}}), {seen.source});
}

namespace {

ints to_channels_first(std::size_t rank) {
    ints p{0, int64_t(rank) - 1};
    for (int64_t i = 1; i + 1 < int64_t(rank); i++)
        p.push_back(i);
    return p;
}

} // namespace

instruction_ref node_reader::channels_first(instruction_ref x) const {
    const auto r = rank(x);
    return channels_last() and r > 2 ? transpose(x, to_channels_first(r)) : x;
}

instruction_ref node_reader::from_channels_first(instruction_ref x) const {
    const auto r = rank(x);
    return channels_last() and r > 2 ? transpose(x, inverted(to_channels_first(r))) : x;
}

// ---- table

namespace {

using table = std::map<std::string, operator_row, std::less<>>;

table& registered() {
    static auto* t = new table;
    return *t;
}

} // namespace

operators::operators(std::initializer_list<operator_row> rows) {
    for (const auto& r : rows)
        registered().insert_or_assign(r.name, r);
}

const operator_row* find_operator(std::string_view name) {
    const auto it = registered().find(name);
    return it == registered().end() ? nullptr : &it->second;
}

std::vector<operator_row> list_operators() {
    std::vector<operator_row> rows;
    for (const auto& item : registered())
        rows.push_back(item.second);
    return rows;
}

} // namespace migraphx::tf

namespace migraphx {

const std::vector<std::string>& get_tf_operators() {
    static const auto names = [] {
        std::vector<std::string> result;
        for (const auto& row : tf::list_operators())
            result.emplace_back(row.name);
        return result;
    }();
    return names;
}

} // namespace migraphx
