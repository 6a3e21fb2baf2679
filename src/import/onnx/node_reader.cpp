// SPDX-License-Identifier: MIT
// What operator readers use: attributes, constant operands.
#include <migraphx/errors.hpp>

#include "import/onnx/importer.hpp"
#include "import/quote.hpp"
#include "ir/constant_value.hpp"

#include <algorithm>
#include <map>

namespace migraphx::onnx {

node_reader::node_reader(importer& i, module& m, const node& n, int64_t v, instructions operands)
    : graph_builder(m, n.op_type), owner(i), source(n), version(v), args(std::move(operands)) {
    // Inputs left out at the end are as if they were not there.
    while (not args.empty() and args.back()->name() == "undefined")
        args.pop_back();
}

const onnx_options& node_reader::options() const {
    return owner.options();
}

bool node_reader::has(std::size_t i) const {
    return i < args.size() and args[i]->name() != "undefined";
}

instruction_ref node_reader::input(std::size_t i) const {
    if (not has(i))
        malformed(str("input ", i, " was expected, got none"));
    return args[i];
}

void node_reader::expect_inputs(std::size_t least, std::size_t most) const {
    if (args.size() < least or args.size() > most)
        malformed(str(least, least == most ? "" : " to " + std::to_string(most),
                      " inputs were expected, got ", args.size()));
}

std::optional<argument> node_reader::constant(std::size_t i) const {
    if (not has(i))
        return std::nullopt;
    // A tensor of no elements has no values to wait for.
    const auto& s = args[i]->get_shape();
    if (not s.dynamic() and s.elements() == 0)
        return argument{s};
    return constant_value(args[i]);
}

std::optional<std::vector<int64_t>> node_reader::constant_ints(std::size_t i) const {
    auto c = constant(i);
    return c.has_value() ? std::optional(c->to_vector<int64_t>()) : std::nullopt;
}

std::optional<std::vector<float>> node_reader::constant_floats(std::size_t i) const {
    auto c = constant(i);
    return c.has_value() ? std::optional(c->to_vector<float>()) : std::nullopt;
}

const attribute* node_reader::typed(std::string_view name, attribute_type t) const {
    const auto* a = find(name);
    if (a != nullptr and a->type != t and a->type != attribute_type::undefined)
        malformed(str("attribute ", in_quotes(name), " of type ", int(t),
                      " was expected, got type ", int(a->type)));
    return a;
}

int64_t node_reader::integer(std::string_view name, int64_t fallback) const {
    const auto* a = typed(name, attribute_type::int_value);
    return a == nullptr ? fallback : a->i;
}

int64_t node_reader::integer(std::string_view name) const {
    const auto* a = typed(name, attribute_type::int_value);
    if (a == nullptr)
        malformed("attribute " + in_quotes(name) + " was expected, got none");
    return a->i;
}

float node_reader::real(std::string_view name, float fallback) const {
    const auto* a = typed(name, attribute_type::float_value);
    return a == nullptr ? fallback : a->f;
}

std::string node_reader::text(std::string_view name, std::string_view fallback) const {
    const auto* a = typed(name, attribute_type::string_value);
    return std::string(a == nullptr ? fallback : a->s);
}

std::vector<int64_t> node_reader::integers(std::string_view name,
                                           std::vector<int64_t> fallback) const {
    const auto* a = typed(name, attribute_type::ints);
    return a == nullptr ? fallback : a->ints;
}

std::vector<float> node_reader::reals(std::string_view name, std::vector<float> fallback) const {
    const auto* a = typed(name, attribute_type::floats);
    return a == nullptr ? fallback : a->floats;
}

std::vector<std::string> node_reader::texts(std::string_view name) const {
    const auto* a = typed(name, attribute_type::strings);
    std::vector<std::string> result;
    if (a != nullptr)
        result.assign(a->strings.begin(), a->strings.end());
    return result;
}

const graph& node_reader::subgraph(std::string_view name) const {
    const auto* a = typed(name, attribute_type::graph_value);
    if (a == nullptr or a->graphs.empty())
        malformed("graph attribute " + in_quotes(name) + " was expected, got none");
    return a->g();
}

known_dims node_reader::sizes(std::size_t i) const {
    return has(i) ? find_known_dims(owner.sizes(), args[i]) : known_dims{};
}

namespace {

using table = std::map<std::pair<std::string, std::string>, operator_row, std::less<>>;

table& registered() {
    static auto* t = new table;
    return *t;
}

} // namespace

operators::operators(std::initializer_list<operator_row> rows) {
    for (const auto& r : rows)
        registered().insert_or_assign({r.domain, r.name}, r);
}

node_function find_operator(std::string_view domain, std::string_view name) {
    auto it = registered().find(
        std::pair<std::string, std::string>(domain == "ai.onnx" ? "" : domain, name));
    if (it != registered().end())
        return it->second.read;
    // Contributed operators are also written without their domain.
    return domain.empty() ? find_operator("com.microsoft", name) : nullptr;
}

std::vector<operator_row> list_operators() {
    std::vector<operator_row> rows;
    for (const auto& item : registered())
        rows.push_back(item.second);
    return rows;
}

} // namespace migraphx::onnx

namespace migraphx {

const std::vector<std::string>& get_onnx_operators() {
    static const auto names = [] {
        std::vector<std::string> result;
        for (const auto& item : onnx::registered())
            result.push_back(item.first.second);
        std::sort(result.begin(), result.end());
        result.erase(std::unique(result.begin(), result.end()), result.end());
        return result;
    }();
    return names;
}

} // namespace migraphx
