// SPDX-License-Identifier: MIT
// What operator readers use: attributes, constant operands, broadcasting.
#include <migraphx/common.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/op/builder/insert.hpp>

#include "import/onnx/importer.hpp"
#include "ir/constant_value.hpp"
#include "import/onnx/quote.hpp"

#include <algorithm>
#include <map>

namespace migraphx::onnx {

node_reader::node_reader(importer& i, module& m, const node& n, int64_t v, instructions operands)
    : owner(i), target(m), source(n), version(v), args(std::move(operands))
{
    // Inputs left out at the end are as if they were not there.
    while(not args.empty() and args.back()->name() == "undefined")
        args.pop_back();
}

const onnx_options& node_reader::options() const { return owner.options(); }

void node_reader::malformed(const std::string& message) const
{
    fail(error_kind::invalid_argument, printable(source.op_type) + ": " + message);
}

void node_reader::unsupported(const std::string& message) const
{
    fail(error_kind::unsupported, printable(source.op_type) + ": " + message);
}

bool node_reader::has(std::size_t i) const { return i < args.size() and args[i]->name() != "undefined"; }

instruction_ref node_reader::input(std::size_t i) const
{
    if(not has(i))
        malformed(str("input ", i, " was expected, got none"));
    return args[i];
}

void node_reader::expect_inputs(std::size_t least, std::size_t most) const
{
    if(args.size() < least or args.size() > most)
        malformed(str(least, least == most ? "" : " to " + std::to_string(most), " inputs were expected, got ", args.size()));
}

std::optional<argument> node_reader::constant(std::size_t i) const
{
    if(not has(i))
        return std::nullopt;
    // A tensor of no elements has no values to wait for.
    const auto& s = args[i]->get_shape();
    if(not s.dynamic() and s.elements() == 0)
        return argument{s};
    return constant_value(args[i]);
}

std::optional<std::vector<int64_t>> node_reader::constant_ints(std::size_t i) const
{
    auto c = constant(i);
    return c.has_value() ? std::optional(c->to_vector<int64_t>()) : std::nullopt;
}

std::optional<std::vector<float>> node_reader::constant_floats(std::size_t i) const
{
    auto c = constant(i);
    return c.has_value() ? std::optional(c->to_vector<float>()) : std::nullopt;
}

const attribute* node_reader::typed(std::string_view name, attribute_type t) const
{
    const auto* a = find(name);
    if(a != nullptr and a->type != t and a->type != attribute_type::undefined)
        malformed(str("attribute ", in_quotes(name), " of type ", int(t), " was expected, got type ", int(a->type)));
    return a;
}

int64_t node_reader::integer(std::string_view name, int64_t fallback) const
{
    const auto* a = typed(name, attribute_type::int_value);
    return a == nullptr ? fallback : a->i;
}

int64_t node_reader::integer(std::string_view name) const
{
    const auto* a = typed(name, attribute_type::int_value);
    if(a == nullptr)
        malformed("attribute " + in_quotes(name) + " was expected, got none");
    return a->i;
}

float node_reader::real(std::string_view name, float fallback) const
{
    const auto* a = typed(name, attribute_type::float_value);
    return a == nullptr ? fallback : a->f;
}

std::string node_reader::text(std::string_view name, std::string_view fallback) const
{
    const auto* a = typed(name, attribute_type::string_value);
    return std::string(a == nullptr ? fallback : a->s);
}

std::vector<int64_t> node_reader::integers(std::string_view name, std::vector<int64_t> fallback) const
{
    const auto* a = typed(name, attribute_type::ints);
    return a == nullptr ? fallback : a->ints;
}

std::vector<float> node_reader::reals(std::string_view name, std::vector<float> fallback) const
{
    const auto* a = typed(name, attribute_type::floats);
    return a == nullptr ? fallback : a->floats;
}

std::vector<std::string> node_reader::texts(std::string_view name) const
{
    const auto* a = typed(name, attribute_type::strings);
    std::vector<std::string> result;
    if(a != nullptr)
        result.assign(a->strings.begin(), a->strings.end());
    return result;
}

const graph& node_reader::subgraph(std::string_view name) const
{
    const auto* a = typed(name, attribute_type::graph_value);
    if(a == nullptr or a->graphs.empty())
        malformed("graph attribute " + in_quotes(name) + " was expected, got none");
    return a->g();
}

operation node_reader::named(const std::string& op) { return make_op(op); }

instruction_ref node_reader::add(const operation& op, instructions in) { return target.add_instruction(op, std::move(in)); }

instruction_ref node_reader::add(const operation& op, instructions in, std::vector<module_ref> mods)
{
    return target.add_instruction(op, std::move(in), std::move(mods));
}

instruction_ref node_reader::literal(migraphx::literal l) { return target.add_literal(std::move(l)); }

instruction_ref node_reader::scalar(shape::type_t t, double v)
{
    return target.add_literal(migraphx::literal{shape{t}, std::vector<double>{v}});
}

instruction_ref node_reader::add_common(const std::string& op, instructions in) { return add_common(make_op(op), std::move(in)); }

instruction_ref node_reader::add_common(const operation& op, instructions in)
{
    return add_common_op(target, op, std::move(in));
}

instruction_ref node_reader::convert(instruction_ref x, shape::type_t t)
{
    return x->get_shape().type() == t ? x : add(make_op("convert", {{"target_type", t}}), {x});
}

instruction_ref node_reader::contiguous(instruction_ref x)
{
    const auto& s = x->get_shape();
    return s.dynamic() or s.standard() ? x : add("contiguous", x);
}

instruction_ref node_reader::along_axis(instruction_ref x, std::size_t axis, std::size_t rank)
{
    std::vector<int64_t> axes;
    for(std::size_t i = 0; i < rank; i++)
        if(i != axis)
            axes.push_back(int64_t(i));
    return axes.empty() ? x : add(make_op("unsqueeze", {{"axes", axes}}), {x});
}

instruction_ref node_reader::broadcast_like(instruction_ref x, instruction_ref like)
{
    const auto& s = like->get_shape();
    if(s.dynamic() or x->get_shape().dynamic())
        return add("multibroadcast", x, like);
    if(x->get_shape().lens() == s.lens())
        return x;
    return add(make_op("multibroadcast", {{"out_lens", s.lens()}}), {x});
}

instruction_ref node_reader::stretch_along(instruction_ref x, std::size_t axis, instruction_ref like)
{
    const auto& s = like->get_shape();
    if(s.dynamic())
        return add(make_op("broadcast", {{"axis", axis}}), {x, like});
    return add(make_op("broadcast", {{"axis", axis}, {"out_lens", s.lens()}}), {x});
}

instruction_ref node_reader::with_number(const std::string& op, instruction_ref x, double v)
{
    return add(op, x, broadcast_like(scalar(x->get_shape().type(), v), x));
}

instruction_ref node_reader::expand(const std::string& recipe, instructions in, const value& options)
{
    return op::builder::add(recipe, target, in, options).at(0);
}

instruction_ref node_reader::put_literal(module& m, migraphx::literal l) { return m.add_literal(std::move(l)); }

int64_t node_reader::known_size(instruction_ref x, int64_t a) const
{
    const auto& s = x->get_shape();
    const auto at = axis(a, s.ndim());
    const auto lo = s.min_lens()[at], hi = s.max_lens()[at];
    if(lo != hi)
        unsupported(str("a size of dimension ", at, " that is known at import was expected, got ", s));
    return int64_t(hi);
}

known_dims node_reader::sizes(std::size_t i) const
{
    return has(i) ? find_known_dims(owner.sizes(), args[i]) : known_dims{};
}

std::size_t node_reader::axis(int64_t a, std::size_t rank) const
{
    const auto n = int64_t(rank);
    if(a < -n or a >= n)
        malformed(str("axis in [", -n, ", ", n - 1, "] was expected, got ", a));
    return std::size_t(a < 0 ? a + n : a);
}

namespace {

using table = std::map<std::pair<std::string, std::string>, node_function, std::less<>>;

table& registered()
{
    static auto* t = new table;
    return *t;
}

} // namespace

operators::operators(std::initializer_list<operator_row> rows)
{
    for(const auto& r : rows)
        registered()[{r.domain, r.name}] = r.read;
}

node_function find_operator(std::string_view domain, std::string_view name)
{
    auto it = registered().find(std::pair<std::string, std::string>(domain == "ai.onnx" ? "" : domain, name));
    if(it != registered().end())
        return it->second;
    // Contributed operators are also written without their domain.
    return domain.empty() ? find_operator("com.microsoft", name) : nullptr;
}

} // namespace migraphx::onnx

namespace migraphx {

const std::vector<std::string>& get_onnx_operators()
{
    static const auto names = [] {
        std::vector<std::string> result;
        for(const auto& item : onnx::registered())
            result.push_back(item.first.second);
        std::sort(result.begin(), result.end());
        result.erase(std::unique(result.begin(), result.end()), result.end());
        return result;
    }();
    return names;
}

} // namespace migraphx
