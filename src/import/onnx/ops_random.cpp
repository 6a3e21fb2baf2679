// SPDX-License-Identifier: MIT
// Operators that draw random numbers. Each run draws anew; with a seed attribute all runs draw the
// same.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <bit>
#include <cmath>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// The seed of the node's `stream`-th draw.
instruction_ref seed_of(node_reader& n, uint64_t stream = 0) {
    if (not n.has_attribute("seed"))
        return n.add("random_seed");
    const auto* a = n.find("seed");
    // A float of any size: its bits are as good a seed as its value.
    const auto given = a->type == attribute_type::int_value
                           ? uint64_t(n.integer("seed"))
                           : std::bit_cast<std::uint32_t>(n.real("seed", 0));
    return n.literal(
        {shape{shape::uint64_type, {1}}, std::vector<uint64_t>{given + stream * 0x9e3779b9U}});
}

// Numbers of [0, 1) of the dimensions of `like`, in double or float.
instruction_ref uniform_like(node_reader& n, instruction_ref like, uint64_t stream = 0) {
    const bool wide = like->get_shape().type() == shape::double_type;
    return n.add("random_uniform", seed_of(n, stream),
                 n.convert(like, wide ? shape::double_type : shape::float_type));
}

// Memory of a shape, for random numbers to lie in.
instruction_ref room_for(node_reader& n, const shape& s) {
    return n.add(make_op("allocate", {{"shape", to_value(s)}}), {});
}

// Box and Muller's transform of two uniform draws.
instruction_ref normal_like(node_reader& n, instruction_ref like) {
    const auto u = uniform_like(n, like), angle = uniform_like(n, like, 1);
    const auto radius = n.add(
        "sqrt", n.with_number("mul", n.add("log", n.with_number("add", n.add("neg", u), 1)), -2));
    return n.add("mul", radius, n.add("cos", n.with_number("mul", angle, 2 * M_PI)));
}

instructions read_random(node_reader& n) {
    const bool by_input = n.op_type().ends_with("Like");
    n.expect_inputs(by_input ? 1 : 0, by_input ? 1 : 0);
    auto t = shape::float_type;
    if (by_input) {
        const auto given = n.shape_of(0).type();
        if (given == shape::half_type or given == shape::double_type or given == shape::bf16_type)
            t = given;
    }
    t = type_attribute(n, "dtype", t);
    if (shape::is_integral(t) or t == shape::bool_type)
        n.malformed("dtype: a floating point type was expected, got " + shape::name(t));
    const auto drawn = t == shape::double_type ? shape::double_type : shape::float_type;
    instruction_ref like;
    if (by_input)
        like = n.convert(n.input(0), drawn);
    else {
        const auto lens = checked_sizes(n, n.integers("shape"), std::size_t{1} << 28);
        like = room_for(n, lens.empty() ? shape{drawn} : shape{drawn, lens});
    }
    const auto scaled = [&](instruction_ref x, double factor, double offset) {
        return n.convert(n.with_number("add", n.with_number("mul", x, factor), offset), t);
    };
    if (n.op_type().starts_with("RandomNormal"))
        return {
            scaled(normal_like(n, like), double(n.real("scale", 1)), double(n.real("mean", 0)))};
    const auto low = double(n.real("low", 0)), high = double(n.real("high", 1));
    return {scaled(uniform_like(n, like), high - low, low)};
}

// 1 with the probability that the input holds.
instructions read_bernoulli(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto u = uniform_like(n, n.input(0));
    const auto drawn = n.add("less", u, n.convert(n.input(0), u->get_shape().type()));
    return {n.convert(n.convert(drawn, shape::bool_type),
                      type_attribute(n, "dtype", n.shape_of(0).type()))};
}

// Samples of the distribution that a row of unnormalised log probabilities describes.
instructions read_multinomial(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto samples = n.integer("sample_size", 1);
    const auto dtype = n.integer("dtype", 6);
    if (samples < 1 or samples > (int64_t{1} << 28))
        n.malformed(str("sample_size of 1 or more was expected, got ", samples));
    if (dtype != 6 and dtype != 7)
        n.malformed(str("dtype: int32 or int64 was expected, got ", dtype));
    const auto x = n.input(0);
    if (x->get_shape().ndim() != 2 or x->get_shape().dynamic())
        n.unsupported(str("a static matrix was expected, got ", x->get_shape()));
    const auto top = n.broadcast_like(n.add(make_op("reduce_max", {{"axes", ints{1}}}), {x}), x);
    const auto weights = n.add("exp", n.add("sub", x, top));
    const auto cdf = n.add(make_op("prefix_scan_sum", {{"axis", 1}}), {weights});
    const shape s{x->get_shape().type(), {x->get_shape().lens()[0], std::size_t(samples)}};
    const auto uniform = n.add("random_uniform", seed_of(n), room_for(n, s));
    return {n.add(
        make_op("multinomial", {{"dtype", dtype == 6 ? shape::int32_type : shape::int64_type}}),
        {cdf, uniform})};
}

// In training elements are dropped with the probability `ratio` and the others scaled up; at
// inference nothing is dropped, and the mask is true everywhere.
instructions read_dropout(node_reader& n) {
    n.expect_inputs(1, 3);
    const auto x = n.input(0);
    const auto inference = [&]() -> instructions {
        if (not n.wants_output(1))
            return {x};
        // Before opset 10 the mask has the type of the data.
        const auto t = n.opset() < 10 ? x->get_shape().type() : shape::bool_type;
        return {x, n.broadcast_like(n.scalar(t, 1), x)};
    };
    if (not n.has(2))
        return inference();
    const auto known = n.constant_ints(2);
    if (known and known->size() == 1 and known->front() == 0)
        return inference();
    const auto t = x->get_shape().type();
    const auto u = uniform_like(n, x);
    const auto ratio = n.has(1) ? n.convert(n.input(1), u->get_shape().type())
                                : n.scalar(u->get_shape().type(), 0.5);
    const auto training = n.convert(n.input(2), shape::bool_type);
    const auto dropped = n.convert(n.add("less", u, n.broadcast_like(ratio, u)), shape::bool_type);
    const auto kept = n.add("logical_or", n.add("not", dropped),
                            n.broadcast_like(n.add("not", training), dropped));
    const auto one = n.scalar(u->get_shape().type(), 1);
    const auto factor =
        n.add("where", training, n.add("div", one, n.add_common("sub", {one, ratio})), one);
    const auto scaled = n.add("mul", x, n.broadcast_like(n.convert(factor, t), x));
    const auto y = n.add("where", kept, scaled, n.broadcast_like(n.scalar(t, 0), scaled));
    return {y, kept};
}

const operators random_operators{{"RandomNormal", read_random},  {"RandomNormalLike", read_random},
                                 {"RandomUniform", read_random}, {"RandomUniformLike", read_random},
                                 {"Bernoulli", read_bernoulli},  {"Multinomial", read_multinomial},
                                 {"Dropout", read_dropout}};

} // namespace

} // namespace migraphx::onnx
