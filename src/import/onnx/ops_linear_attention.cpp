// SPDX-License-Identifier: MIT
// Layers with a state that is carried from call to call: LinearAttention and CausalConvWithState,
// of ONNX (opset 27) and with more attributes of com.microsoft.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"

#include <algorithm>
#include <limits>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

int64_t state_window(node_reader& n) {
    const auto window = n.integer("state_window", 0);
    if (window < 0 or window > 4096)
        n.malformed(str("state_window from 0 to 4096 was expected, got ", window));
    return window;
}

// A state of zeros for each sequence of `x`; `dims` follow the batch.
instruction_ref empty_state(node_reader& n, instruction_ref x, int64_t window, ints dims) {
    const auto& s = x->get_shape();
    if (not s.dynamic()) {
        dims.insert(dims.begin(), int64_t(s.lens()[0]));
        if (window > 0)
            dims.insert(dims.begin(), window);
        return n.add(make_op("multibroadcast", {{"out_lens", dims}}), {n.scalar(s.type(), 0)});
    }
    const auto vector = [&](const ints& v) {
        return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
    };
    instructions parts{length_along(n, x, 0), vector(dims)};
    if (window > 0)
        parts.insert(parts.begin(), vector({window}));
    return n.add(make_op("constant_of_shape", {{"dtype", s.type()}, {"value", 0}}),
                 {concat_along(n, 0, parts)});
}

// query, key, value[, state][, decay][, beta]
instructions read_linear_attention(node_reader& n) {
    n.expect_inputs(3, 6);
    const auto heads = n.integer("q_num_heads"), kv_heads = n.integer("kv_num_heads");
    if (heads < 1 or kv_heads < 1)
        n.malformed(str("q_num_heads and kv_num_heads above 0 were expected, got ", heads, " and ",
                        kv_heads));
    const auto rule = n.text("update_rule", "gated_delta");
    const std::vector<std::string> rules{"linear", "gated", "delta", "gated_delta"};
    const auto number = std::find(rules.begin(), rules.end(), rule) - rules.begin();
    if (std::size_t(number) == rules.size())
        n.malformed("update_rule: linear, gated, delta or gated_delta was expected, got '" + rule +
                    "'");
    const auto window = state_window(n);
    const auto depth = n.known_size(n.input(0), -1) / heads,
               width = n.known_size(n.input(2), -1) / kv_heads;
    instructions in{n.input(0), n.input(1), n.input(2)};
    in.push_back(n.has(3) ? n.input(3)
                          : empty_state(n, n.input(0), window, {kv_heads, depth, width}));
    for (std::size_t i : {4, 5})
        in.push_back(n.has(i) ? n.input(i) : n.add("undefined"));
    const auto both = n.add(make_op("linear_attention", {{"num_heads", heads},
                                                         {"kv_num_heads", kv_heads},
                                                         {"rule", int64_t(number)},
                                                         {"scale", n.real("scale", 0)},
                                                         {"window", window}}),
                            in);
    const auto part = [&](std::size_t i) {
        return n.add(make_op("get_tuple_elem", {{"index", i}}), {both});
    };
    return {part(0), part(1)};
}

// `length` positions of axis 2 from `from` on; negative ones count from the end.
instruction_ref rows_of(node_reader& n, instruction_ref x, int64_t from, int64_t length) {
    return slice_along(n, x, 2, from,
                       from < 0 and from + length == 0 ? std::numeric_limits<int64_t>::max()
                                                       : from + length);
}

// The states after each of the last positions; those before the first are 0.
instruction_ref state_slots(node_reader& n, instruction_ref padded, int64_t state, int64_t window) {
    const auto positions = n.known_size(padded, 2) - state;
    instructions slots;
    for (int64_t i = 0; i < window; i++) {
        const auto after = positions - window + i;
        const auto slot = rows_of(n, padded, std::max<int64_t>(0, after + 1), state);
        slots.push_back(unsqueezed(n, after < 0 ? n.with_number("mul", slot, 0) : slot, {0}));
    }
    return concat_along(n, 0, slots);
}

// input (B, C, L), weight (C, 1, k)[, bias][, state (B, C, (k - 1) * dilation)]
instructions read_causal_conv(node_reader& n) {
    n.expect_inputs(2, 4);
    for (const char* name :
         {"state_update_capacity", "state_length", "input_channel_offset", "input_channels"})
        if (n.integer(name, 0) != 0)
            n.unsupported(str(name, " of 0 was expected, got ", n.integer(name)));
    if (n.integer("state_channels_last", -1) != -1 or n.integer("ndim", 1) != 1)
        n.unsupported("state_channels_last of -1 and ndim of 1 were expected, got others");
    const auto activation = n.text("activation", "none");
    if (activation != "none" and activation != "silu" and activation != "swish")
        n.malformed("activation: none, silu or swish was expected, got '" + activation + "'");
    if (n.rank_of(1) != 3)
        n.malformed(str("a weight of three dimensions was expected, got ", n.shape_of(1)));
    const auto channels = n.known_size(n.input(1), 0), taps = n.known_size(n.input(1), 2);
    const auto dilation = n.integer("dilation", 1), window = state_window(n);
    int64_t state = 0;
    if (dilation < 1 or __builtin_mul_overflow(taps - 1, dilation, &state) or state < 0)
        n.malformed(
            str("a dilation above 0 and taps were expected, got ", dilation, " and ", taps));
    const bool channels_last = n.integer("channels_last", 0) != 0;
    // (B, S, d1, …) ↔ (B, C, S)
    const auto first = [&](instruction_ref x) {
        const auto flat = n.add(make_op("reshape", {{"dims", ints{0, 0, channels}}}), {x});
        return n.add(make_op("transpose", {{"permutation", ints{0, 2, 1}}}), {flat});
    };
    ints own{0, 0};
    for (std::size_t d = 2; channels_last and d < n.rank_of(0); d++)
        own.push_back(n.known_size(n.input(0), int64_t(d)));
    const auto last = [&](instruction_ref x) {
        if (not channels_last)
            return x;
        return n.add(make_op("reshape", {{"dims", own}}),
                     {n.add(make_op("transpose", {{"permutation", ints{0, 2, 1}}}), {x})});
    };
    const auto x = channels_last ? first(n.input(0)) : n.input(0);
    if (x->get_shape().ndim() != 3)
        n.malformed(str("input of three dimensions was expected, got ", n.shape_of(0)));
    instruction_ref padded;
    if (n.has(3)) {
        auto past = n.input(3);
        if (window > 0)
            past = n.add(make_op("squeeze", {{"axes", ints{0}}}),
                         {slice_along(n, past, 0, window - 1, window)});
        padded = concat_along(n, 2, {channels_last ? first(past) : past, x});
    } else
        padded =
            state == 0 ? x : n.add(make_op("pad", {{"pads", ints{0, 0, state, 0, 0, 0}}}), {x});
    instructions in{padded, n.input(1)};
    if (n.has(2))
        in.push_back(n.input(2));
    auto y = n.expand("convolution", in, {{"group", channels}, {"dilations", ints{dilation}}});
    if (activation != "none")
        y = n.add("mul", y, n.add("sigmoid", y));
    instructions results{last(y)};
    if (not n.wants_output(1))
        return results;
    if (window == 0) {
        results.push_back(last(rows_of(n, padded, state == 0 ? 0 : -state, state)));
        return results;
    }
    auto slots = state_slots(n, padded, state, window);
    if (channels_last) {
        auto dims = own;
        dims.insert(dims.begin(), 0);
        slots = n.add(make_op("transpose", {{"permutation", ints{0, 1, 3, 2}}}), {slots});
        slots = n.add(make_op("reshape", {{"dims", dims}}), {slots});
    }
    results.push_back(slots);
    return results;
}

const operators state_operators{{"LinearAttention", read_linear_attention},
                                {"LinearAttention", read_linear_attention, "com.microsoft"},
                                {"CausalConvWithState", read_causal_conv},
                                {"CausalConvWithState", read_causal_conv, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
