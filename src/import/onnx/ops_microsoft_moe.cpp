// SPDX-License-Identifier: MIT
// com.microsoft MoE: words that a few of many feed-forward layers transform. All layers compute all
// words here; the weights of those that were not chosen are 0.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

enum inputs_of_moe : std::size_t {
    in_words,
    in_router,
    in_fc1,
    in_bias1,
    in_fc2,
    in_bias2,
    in_fc3,
    in_bias3
};

// (E, T, columns) of x (…, T, rows) and weights (E, columns, rows)
instruction_ref experts(node_reader& n, instruction_ref x, std::size_t weights, std::size_t bias) {
    if (n.rank_of(weights) != 3)
        n.malformed(str("weights of three dimensions were expected, got ", n.shape_of(weights)));
    const auto w =
        n.add(make_op("transpose", {{"permutation", ints{0, 2, 1}}}), {n.input(weights)});
    const auto y = n.expand("dot", {x, w});
    return n.has(bias) ? n.add_common("add", {y, unsqueezed(n, n.input(bias), {1})}) : y;
}

instruction_ref part_of_last(node_reader& n, instruction_ref x, bool interleaved, int64_t i) {
    const auto half = n.known_size(x, 2) / 2;
    if (not interleaved)
        return slice_along(n, x, 2, i * half, (i + 1) * half);
    const auto pairs =
        n.add(make_op("reshape", {{"dims", ints{n.known_size(x, 0), -1, half, 2}}}), {x});
    return n.add(make_op("squeeze", {{"axes", ints{3}}}), {slice_along(n, pairs, 3, i, i + 1)});
}

// G * sigmoid(alpha * G) * (L + beta), both bounded when there is a limit.
instruction_ref swiglu(node_reader& n, instruction_ref words, instruction_ref first) {
    const auto fusion = n.integer("swiglu_fusion", 0);
    if (fusion < 0 or fusion > 2)
        n.malformed(str("swiglu_fusion of 0 to 2 was expected, got ", fusion));
    auto gate = fusion == 0 ? first : part_of_last(n, first, fusion == 1, 0);
    auto value =
        fusion == 0 ? experts(n, words, in_fc3, in_bias3) : part_of_last(n, first, fusion == 1, 1);
    if (n.has_attribute("swiglu_limit")) {
        const auto limit = double(n.real("swiglu_limit", 0));
        gate = n.with_number("min", gate, limit);
        value = n.with_number("max", n.with_number("min", value, limit), -limit);
    }
    const auto open = n.expand("gelu_quick", {gate}, {{"alpha", n.real("activation_alpha", 1)}});
    return n.add("mul", open, n.with_number("add", value, double(n.real("activation_beta", 0))));
}

instruction_ref activated(node_reader& n, instruction_ref words, instruction_ref first) {
    const auto name = n.text("activation_type", "relu");
    if (name == "swiglu")
        return swiglu(n, words, first);
    instruction_ref y = first;
    if (name == "relu")
        y = n.add("relu", first);
    else if (name == "gelu")
        y = n.expand("gelu_tanh", {first});
    else if (name == "silu")
        y = n.expand("gelu_quick", {first});
    else if (name != "identity")
        n.unsupported("activation_type: relu, gelu, silu, swiglu or identity was expected, got '" +
                      name + "'");
    return n.has(in_fc3) ? n.add("mul", y, experts(n, words, in_fc3, in_bias3)) : y;
}

// (E, T, 1): the softmax of the router's scores where they are among the k best, else 0.
instruction_ref routing(node_reader& n) {
    const auto k = n.integer("k", 1), count = n.known_size(n.input(in_router), 1);
    if (k < 1 or k > count)
        n.malformed(str("k from 1 to ", count, " was expected, got ", k));
    const auto all = n.add(make_op("softmax", {{"axis", 1}}), {n.input(in_router)});
    const auto best = n.add(make_op("topk", {{"k", k}, {"axis", 1}}), {all});
    const auto part = [&](std::size_t i) {
        return n.add(make_op("get_tuple_elem", {{"index", i}}), {best});
    };
    auto weights = part(0);
    if (n.integer("normalize_routing_weights", 0) != 0) {
        const auto sum = n.add(make_op("reduce_sum", {{"axes", ints{1}}}), {weights});
        weights = n.add_common("div", {weights, sum});
    }
    const auto none = n.broadcast_like(n.scalar(all->get_shape().type(), 0), all);
    const auto spread = n.add(make_op("scatter_none", {{"axis", 1}}), {none, part(1), weights});
    return unsqueezed(n, n.add(make_op("transpose", {{"permutation", ints{1, 0}}}), {spread}), {2});
}

instructions read_moe(node_reader& n) {
    n.expect_inputs(5, 8);
    if (n.integer("use_sparse_mixer", 0) != 0 or n.integer("swiglu_limit_after_activation", 0) != 0)
        n.unsupported(
            "use_sparse_mixer and swiglu_limit_after_activation of 0 were expected, got others");
    const auto rank = n.rank_of(in_words);
    if (rank != 2 and rank != 3)
        n.malformed(
            str("words of two or three dimensions were expected, got ", n.shape_of(in_words)));
    const auto size = n.known_size(n.input(in_words), -1);
    auto words = n.input(in_words);
    if (rank == 3)
        words = n.add(make_op("reshape", {{"dims", ints{-1, size}}}), {words});
    const auto first = experts(n, words, in_fc1, in_bias1);
    const auto each = experts(n, activated(n, words, first), in_fc2, in_bias2);
    const auto weighed = n.add_common("mul", {each, routing(n)});
    auto y = n.add(make_op("squeeze", {{"axes", ints{0}}}),
                   {n.add(make_op("reduce_sum", {{"axes", ints{0}}}), {weighed})});
    if (rank == 3) {
        const auto& s = n.shape_of(in_words);
        const auto dims = n.add(make_op("dimensions_of", {{"end", 3}}), {n.input(in_words)});
        y = s.dynamic() ? n.add("reshape_dynamic", y, dims)
                        : n.add(make_op("reshape", {{"dims", s.lens()}}), {y});
    }
    return {y};
}

const operators moe_operators{{"MoE", read_moe, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
