// SPDX-License-Identifier: MIT
// Matrix products, convolutions, attention and recurrent layers.
#include "recipes.hpp"

namespace fuzz {

using namespace migraphx;

namespace {

using id = grower::id;

// Bounds of a sum of n products, accumulated in at least single precision and rounded once.
// `algorithm` is how much more than plain sums an algorithm may lose.
bounds sum_of_products(type_t t, double n, const bounds& a, const bounds& b, double algorithm = 1) {
    const double mag = a.mag() * b.mag();
    bounds y{-n * mag, n * mag, n * (a.mag() * b.err + b.mag() * a.err + a.err * b.err),
             a.whole and b.whole};
    if (algorithm == 1 and y.whole and y.exact() and n * mag <= whole_limit(t))
        return y;
    y.whole = false;
    const double inner = t == shape::double_type ? 0x1p-53 : 0x1p-24;
    y.err += algorithm * (4 + 4 * std::sqrt(n)) * inner * n * mag + 4 * unit_roundoff(t) * n * mag;
    return y;
}

void dot(grower& w) {
    const bool whole = w.random.chance(0.12);
    auto a = whole ? w.tensor([](type_t t) { return shape::is_integral(t); }, 2, 5)
                   : w.tensor(is_float, 2, 5);
    const auto t = w.type_of(a);
    auto lens = w.lens_of(a);
    const auto k = lens.back();
    lens[lens.size() - 2] = k;
    lens.back() = w.some_size();
    if (not grower::fits(lens))
        throw unsuitable();
    auto b = w.like(t, lens);
    if (w.random.chance(0.3)) {
        // The transposed product.
        auto other = lens;
        std::swap(other.back(), other[other.size() - 2]);
        std::vector<std::int64_t> order;
        for (std::size_t i = 0; i < lens.size(); ++i)
            order.push_back(std::int64_t(i));
        std::swap(order.back(), order[order.size() - 2]);
        b = w.move("transpose", {{"permutation", order}}, {w.like(t, other)});
    }
    if (whole) {
        w.add("dot", {}, {a, b}, type_bounds(t));
        return;
    }
    const double top =
        t == shape::half_type ? std::sqrt(2000.0 / double(k)) : std::sqrt(1e5 / double(k));
    a = w.limited(w.precise(a), std::min(top, 16.0));
    b = w.limited(w.precise(b), std::min(top, 16.0));
    w.add("dot", {}, {a, b}, sum_of_products(t, double(k), w.range_of(a), w.range_of(b)));
}

void quant_dot(grower& w) {
    auto a =
        w.tensor([](type_t t) { return t == shape::int8_type or t == shape::uint8_type; }, 2, 4);
    const auto t = w.type_of(a);
    auto lens = w.lens_of(a);
    const auto k = lens.back();
    lens[lens.size() - 2] = k;
    lens.back() = w.some_size();
    if (not grower::fits(lens))
        throw unsuitable();
    a = w.exact(a);
    const auto b = w.exact_like(t, lens);
    const double top = double(k) * w.range_of(a).mag() * w.range_of(b).mag();
    w.add("quant_dot", {}, {a, b}, {-top, top, 0, true});
}

struct convolution_sizes {
    lens_t x, w;
    value attributes;
    double taps; // products of one result
};

convolution_sizes some_convolution(grower& w, bool backwards, bool small_group) {
    const auto spatial = w.random.of(lens_t{1, 2, 2, 2, 2, 3});
    convolution_sizes s;
    const auto group =
        w.random.chance(0.7) or not small_group ? 1 : w.random.of(lens_t{2, 3, 4, 8});
    const bool depthwise = group > 1 and w.random.chance(0.5);
    const auto ci = depthwise ? 1 : 1 + w.random.below(8),
               co = depthwise ? 1 : 1 + w.random.below(8);
    const auto channels = w.random.chance(0.2) ? 16 : ci, outputs = w.random.chance(0.2) ? 16 : co;
    s.x = {1 + w.random.below(2), group * channels};
    s.w = backwards ? lens_t{group * channels, outputs} : lens_t{group * outputs, channels};
    lens_t padding, stride, dilation;
    s.taps = double(channels);
    for (std::size_t d = 0; d < spatial; ++d) {
        const auto kernel = w.random.of(lens_t{1, 1, 2, 3, 3, 3, 5});
        dilation.push_back(w.random.chance(0.85) ? 1 : 2);
        stride.push_back(w.random.chance(0.7) ? 1 : 2);
        padding.push_back(w.random.chance(0.4) ? 0 : w.random.below(kernel / 2 + 1));
        const auto extent = dilation.back() * (kernel - 1) + 1;
        s.w.push_back(kernel);
        s.x.push_back((backwards ? 1 : extent) + w.random.below(spatial == 3 ? 5 : 12));
        s.taps *= double(kernel);
        // The result of a transposed convolution must have a size.
        if (backwards and extent <= 2 * padding.back())
            padding.back() = 0;
    }
    s.attributes = {
        {"padding", padding}, {"stride", stride}, {"dilation", dilation}, {"group", group}};
    if (not backwards and w.random.chance(0.1)) {
        s.attributes = {{"padding", padding},
                        {"stride", stride},
                        {"dilation", dilation},
                        {"group", group},
                        {"padding_mode", 1 + w.random.below(2)}};
    }
    if (not grower::fits(s.x) or not grower::fits(s.w))
        throw unsuitable();
    return s;
}

template <bool Backwards>
void convolution(grower& w) {
    const auto s = some_convolution(w, Backwards, true);
    const auto t = w.some_float();
    auto x = w.limited(w.precise(w.like(t, s.x)), 8);
    auto k = w.limited(w.precise(w.random.chance(0.7) ? w.fresh(t, s.w, 2) : w.like(t, s.w)), 4);
    // Winograd's transforms multiply the rounding of plain sums.
    auto y = w.add(Backwards ? "convolution_backwards" : "convolution", s.attributes, {x, k},
                   sum_of_products(t, s.taps, w.range_of(x), w.range_of(k), 32));
    if (w.random.chance(0.4)) {
        // A bias, and what usually follows.
        const auto channels = w.lens_of(y)[1];
        const auto b = w.limited(w.fresh(t, {channels}), 8);
        const auto wide = w.move("broadcast", {{"axis", 1}, {"out_lens", w.lens_of(y)}}, {b});
        auto r = w.range_of(y);
        const auto& q = w.range_of(b);
        y = w.add_rounded("add", {}, {y, wide}, {r.lo + q.lo, r.hi + q.hi, r.err + q.err, false});
        r = w.range_of(y);
        if (w.random.chance(0.6))
            w.add("relu", {}, {y}, {std::max(0.0, r.lo), std::max(0.0, r.hi), r.err, false});
    }
}
void quant_convolution(grower& w) {
    const auto s = some_convolution(w, false, true);
    const auto x = w.exact_like(shape::int8_type, s.x), k = w.exact_like(shape::int8_type, s.w);
    const double top = s.taps * w.range_of(x).mag() * w.range_of(k).mag();
    w.add("quant_convolution", s.attributes, {x, k}, {-top, top, 0, true});
}

void attention(grower& w) {
    const auto t = w.random.chance(0.8) ? shape::float_type : w.some_float();
    const auto batch = 1 + w.random.below(2), kv = 1 + w.random.below(2),
               heads = kv * (1 + w.random.below(2));
    const auto queries = w.some_size(), keys = w.some_size(),
               size = w.random.of(lens_t{4, 8, 16, 20}),
               width = w.random.chance(0.7) ? size : w.some_size();
    const auto q = w.limited(w.precise(w.like(t, {batch, heads, queries, size})), 2);
    const auto k = w.limited(w.precise(w.like(t, {batch, kv, keys, size})), 2);
    const auto v = w.limited(w.precise(w.like(t, {batch, kv, keys, width})), 8);
    const double scale = 0.25;
    const auto scores = sum_of_products(t, double(size), w.range_of(q), w.range_of(k));
    const auto inner = t == shape::double_type ? 0x1p-53 : 0x1p-24;
    // A target may round the scores to the type before softmax; the weights add up to 1.
    const double score_err = scale * scores.err + 4 * unit_roundoff(t) * scale * scores.mag();
    if (score_err > 0.1)
        throw unsuitable();
    const auto& r = w.range_of(v);
    const double err =
        r.err + r.mag() * (2.5 * score_err + (16 + 4 * std::sqrt(double(keys))) * inner +
                           8 * unit_roundoff(t));
    w.add_rounded("attention",
                  {{"scale", scale}, {"causal", keys >= queries and w.random.chance(0.3)}},
                  {q, k, v}, {std::min(0.0, r.lo), std::max(0.0, r.hi), err, false});
}

void recurrent(grower& w) {
    static const std::vector<std::string> kinds{"rnn_all", "gru_all", "lstm_all"};
    const auto kind = w.random.of(kinds);
    const std::size_t gates = kind == "rnn_all" ? 1 : kind == "gru_all" ? 3 : 4;
    const auto steps = 1 + w.random.below(5), batch = 1 + w.random.below(3),
               inputs = 1 + w.random.below(6), hidden = w.random.of(lens_t{1, 3, 4, 8, 16});
    const int direction = int(w.random.below(3));
    const std::size_t directions = direction == 2 ? 2 : 1;
    const auto t = shape::float_type;
    const auto x = w.limited(w.precise(w.like(t, {steps, batch, inputs}), 1e-4), 2);
    if (w.range_of(x).err > 1e-4)
        throw unsuitable();
    const auto weights = [&](lens_t lens) { return w.limited(w.fresh(t, lens, 1), 1); };
    std::vector<id> in{x, weights({directions, gates * hidden, inputs}),
                       weights({directions, gates * hidden, hidden})};
    if (w.random.chance(0.5))
        in.push_back(weights({directions, 2 * gates * hidden}));
    // A step multiplies an error by at most about the norm of the weights; gates halve it at least.
    const double grown = std::pow(1 + 0.5 * double(hidden), double(steps));
    const double err =
        (w.range_of(x).err * double(inputs) + 64 * 0x1p-24 * double(inputs + hidden)) *
        std::min(grown, 1e4);
    const auto top = kind == "lstm_all" ? double(steps) : 1.0;
    const auto all = w.add(kind, {{"hidden_size", hidden}, {"direction", direction}}, in,
                           {-top, top, err, false});
    const bounds state{-1, 1, err, false};
    if (w.random.chance(0.8))
        w.element_of(all, 0, state);
    if (w.random.chance(0.6))
        w.element_of(all, 1, state);
    if (kind == "lstm_all" and w.random.chance(0.6))
        w.element_of(all, 2, {-top, top, err * 2, false});
}

} // namespace

void add_product_recipes(std::vector<recipe>& to) {
    to.insert(to.end(), {
                            {"dot", 4, dot},
                            {"quant_dot", 0.5, quant_dot},
                            {"convolution", 2.5, convolution<false>},
                            {"convolution_backwards", 0.5, convolution<true>},
                            {"quant_convolution", 0.4, quant_convolution},
                            {"attention", 0.5, attention},
                            {"recurrent layer", 0.3, recurrent},
                        });
}

} // namespace fuzz
