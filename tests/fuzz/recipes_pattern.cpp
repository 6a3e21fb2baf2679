// SPDX-License-Identifier: MIT
// Groups of operators that passes look for: normalisations, softmax, activations and attention
// written out, scales and biases round products, elementwise chains over one operand.
#include "recipes.hpp"

namespace fuzz {

using namespace migraphx;

namespace {

using id = grower::id;

id stretched_number(grower& w, double x, id like) {
    return *w.stretched(w.number(w.type_of(like), x), w.lens_of(like));
}
id times(grower& w, id a, id b) {
    const auto x = w.range_of(a), y = w.range_of(b);
    const double c[] = {x.lo * y.lo, x.lo * y.hi, x.hi * y.lo, x.hi * y.hi};
    bounds r{*std::min_element(c, c + 4), *std::max_element(c, c + 4),
             x.mag() * y.err + y.mag() * x.err + x.err * y.err, x.whole and y.whole};
    if (a == b)
        r.lo = std::max(r.lo, 0.0);
    return w.add_rounded("mul", {}, {a, b}, r);
}
id plus(grower& w, id a, id b) {
    const auto x = w.range_of(a), y = w.range_of(b);
    return w.add_rounded("add", {}, {a, b},
                         {x.lo + y.lo, x.hi + y.hi, x.err + y.err, x.whole and y.whole});
}
id minus(grower& w, id a, id b) {
    const auto x = w.range_of(a), y = w.range_of(b);
    bounds r{x.lo - y.hi, x.hi - y.lo, x.err + y.err, x.whole and y.whole};
    if (not(r.whole and r.exact()))
        r.err += unit_roundoff(w.type_of(a)) * (x.mag() + y.mag());
    return w.add_rounded("sub", {}, {a, b}, r);
}
id reduced(grower& w, const char* name, id x, std::int64_t axis) {
    const auto r = w.range_of(x);
    const auto n = double(w.lens_of(x).back());
    const auto u = unit_roundoff(w.type_of(x));
    if (name == std::string("reduce_mean"))
        return w.add(
            name, {{"axes", {axis}}}, {x},
            {r.lo, r.hi, r.err + 8 * u * r.mag() + 8 * std::sqrt(n) * 0x1p-24 * r.mag(), false});
    if (name == std::string("reduce_sum"))
        return w.add(name, {{"axes", {axis}}}, {x},
                     {n * r.lo, n * r.hi,
                      n * (r.err + 8 * u * r.mag() + 8 * std::sqrt(n) * 0x1p-24 * r.mag()), false});
    return w.move(name, {{"axes", {axis}}}, {x});
}
id stretched(grower& w, id x, id like) {
    const auto wide = w.stretched(x, w.lens_of(like));
    if (not wide)
        throw unsuitable();
    return *wide;
}
id rows(grower& w, double top) {
    return w.limited(w.precise(w.tensor(is_float, 2, 4), 0.005), top);
}

// (x - mean) / sqrt(var + epsilon) * scale + bias, in one of the ways it is written.
void layer_norm_written_out(grower& w) {
    const auto x = rows(w, 4);
    const auto axis = w.random.chance(0.7) ? -1 : std::int64_t(w.rank_of(x)) - 1;
    const auto d = minus(w, x, stretched(w, reduced(w, "reduce_mean", x, axis), x));
    const auto square = w.random.chance(0.5) ? times(w, d, d) : [&] {
        const auto r = w.range_of(d);
        return w.add_rounded("pow", {}, {d, stretched_number(w, 2, d)},
                             {0, r.mag() * r.mag(), 2 * r.mag() * r.err + r.err * r.err, false}, 8);
    }();
    const auto variance = reduced(w, "reduce_mean", square, axis);
    const auto v = plus(w, variance, stretched_number(w, 0.25, variance));
    const auto r = w.range_of(v);
    if (r.err > 0.05)
        throw unsuitable();
    id y = 0;
    const double low = r.lo - r.err;
    if (w.random.chance(0.5)) {
        const auto factor = w.add_rounded(
            "rsqrt", {}, {v},
            {1 / std::sqrt(r.hi), 1 / std::sqrt(r.lo), 0.5 / (low * std::sqrt(low)) * r.err, false},
            8);
        y = times(w, d, stretched(w, factor, x));
    } else {
        const auto root = w.add_rounded(
            "sqrt", {}, {v},
            {std::sqrt(r.lo), std::sqrt(r.hi), 0.5 / std::sqrt(low) * r.err, false}, 8);
        const auto wide = stretched(w, root, x);
        const auto a = w.range_of(d), b = w.range_of(wide);
        const double bottom = b.lo - b.err;
        y = w.add_rounded("div", {}, {d, wide},
                          {-a.mag() / b.lo, a.mag() / b.lo,
                           a.err / bottom + a.mag() * b.err / (bottom * bottom), false},
                          6);
    }
    const lens_t tail{w.lens_of(x).back()};
    if (w.random.chance(0.7))
        y = times(w, y, stretched(w, w.fresh(w.type_of(x), tail, 2), x));
    if (w.random.chance(0.7))
        plus(w, y, stretched(w, w.fresh(w.type_of(x), tail, 2), x));
}

void rms_norm_written_out(grower& w) {
    const auto x = rows(w, 4);
    const auto mean = reduced(w, "reduce_mean", times(w, x, x), -1);
    const auto v = plus(w, mean, stretched_number(w, 0.25, mean));
    const auto r = w.range_of(v);
    if (r.err > 0.05)
        throw unsuitable();
    const double low = r.lo - r.err;
    const auto factor = w.add_rounded(
        "rsqrt", {}, {v},
        {1 / std::sqrt(r.hi), 1 / std::sqrt(r.lo), 0.5 / (low * std::sqrt(low)) * r.err, false}, 8);
    auto y = times(w, x, stretched(w, factor, x));
    if (w.random.chance(0.7))
        times(w, y, stretched(w, w.fresh(w.type_of(x), {w.lens_of(x).back()}, 2), x));
}

id softmax_of(grower& w, id x, bool written_out) {
    const auto e = w.range_of(x).err;
    if (e > 0.05)
        throw unsuitable();
    const auto n = double(w.lens_of(x).back());
    if (not written_out)
        return w.add_rounded("softmax", {{"axis", -1}}, {x}, {0, 1, 1.2 * e, false},
                             8 + std::sqrt(n));
    const auto d = minus(w, x, stretched(w, reduced(w, "reduce_max", x, -1), x));
    const auto r = w.range_of(d);
    const auto y = w.add_rounded("exp", {}, {d}, {0, 1, 1.1 * r.err, false}, 10);
    const auto total = reduced(w, "reduce_sum", y, -1);
    const auto wide = stretched(w, total, x);
    const auto a = w.range_of(y), b = w.range_of(wide);
    // The total is at least 1.
    return w.add_rounded("div", {}, {y, wide}, {0, 1, a.err + b.err, false}, 8);
}
void softmax_written_out(grower& w) {
    softmax_of(w, rows(w, 10), true);
}

// softmax(q k' * scale + mask) v
void attention_written_out(grower& w) {
    const auto t = w.random.chance(0.8) ? shape::float_type : w.some_float();
    const auto batch = 1 + w.random.below(2), heads = 1 + w.random.below(3),
               queries = w.some_size(), keys = w.some_size();
    const auto size = w.random.of(lens_t{4, 8, 16});
    const auto q = w.limited(w.precise(w.like(t, {batch, heads, queries, size}), 0.005), 1);
    const auto v = w.limited(w.precise(w.like(t, {batch, heads, keys, size}), 0.005), 4);
    id k = 0;
    if (w.random.chance(0.5))
        k = w.limited(w.precise(w.like(t, {batch, heads, size, keys}), 0.005), 1);
    else
        k = w.move("transpose", {{"permutation", {0, 1, 3, 2}}},
                   {w.limited(w.precise(w.like(t, {batch, heads, keys, size}), 0.005), 1)});
    const auto product = [&](id a, id b, double n) {
        const auto x = w.range_of(a), y = w.range_of(b);
        const double mag = x.mag() * y.mag();
        return w.add("dot", {}, {a, b},
                     {-n * mag, n * mag,
                      n * (x.mag() * y.err + y.mag() * x.err + x.err * y.err) +
                          (4 + 4 * std::sqrt(n)) * 0x1p-24 * n * mag +
                          6 * unit_roundoff(t) * n * mag,
                      false});
    };
    auto s = product(q, k, double(size));
    s = times(w, s, stretched_number(w, 0.25, s));
    if (w.random.chance(0.5))
        s = plus(w, s, stretched(w, w.fresh(t, {queries, keys}, 4), s));
    if (w.random.chance(0.3)) {
        const auto hidden = w.fresh(shape::bool_type, {queries, keys});
        const auto r = w.range_of(s);
        s = w.add("where", {}, {stretched(w, hidden, s), s, stretched_number(w, -100, s)},
                  {std::min(r.lo, -100.0), r.hi, r.err, false});
    }
    const auto p = softmax_of(w, s, false);
    const auto r = w.range_of(p), u = w.range_of(v);
    // Weights add up to 1.
    const double n = double(keys);
    w.add_rounded("dot", {}, {p, v},
                  {std::min(u.lo, 0.0) * 1.1, std::max(u.hi, 0.0) * 1.1,
                   n * r.err * u.mag() + 1.1 * u.err + 8 * std::sqrt(n) * 0x1p-24 * u.mag(), false},
                  6);
}

void activation_written_out(grower& w) {
    const auto x = rows(w, 4);
    const auto r = w.range_of(x);
    id factor = 0;
    if (w.random.chance(0.5)) {
        // x * 0.5 * (1 + erf(x / sqrt(2)))
        const auto inner = times(w, x, stretched_number(w, 0.70710678, x));
        const auto i = w.range_of(inner);
        const auto e = w.add_rounded("erf", {}, {inner}, {-1, 1, 1.2 * i.err, false}, 8);
        factor = times(w, plus(w, e, stretched_number(w, 1, x)), stretched_number(w, 0.5, x));
    } else
        factor = w.add_rounded("sigmoid", {}, {x}, {0, 1, 0.25 * r.err, false}, 8);
    times(w, x, factor);
}

// A product with scales and biases that passes move through each other.
void scaled_product(grower& w) {
    const auto t = w.random.chance(0.8) ? shape::float_type : w.some_float();
    const auto m = w.some_size(), k = w.some_size(), n = w.some_size();
    auto a = w.limited(w.precise(w.like(t, {m, k}), 0.005), 2);
    const auto scaled = [&](id x) {
        const auto by =
            w.random.chance(0.5)
                ? stretched_number(w, w.random.of(std::vector<double>{0.5, 0.3, 2, -1}), x)
                : stretched(w, w.fresh(t, {w.lens_of(x).back()}, 2), x);
        return times(w, x, by);
    };
    if (w.random.chance(0.4))
        a = scaled(a);
    const auto products = 1 + w.random.below(3);
    std::vector<id> results;
    for (std::size_t i = 0; i < products; ++i) {
        auto b = w.limited(w.fresh(t, {k, n}, 2), 2);
        if (w.random.chance(0.2))
            b = scaled(b);
        const auto x = w.range_of(a), y = w.range_of(b);
        const double mag = x.mag() * y.mag(), c = double(k);
        auto p =
            w.add("dot", {}, {a, b},
                  {-c * mag, c * mag,
                   c * (x.mag() * y.err + y.mag() * x.err + x.err * y.err) +
                       (4 + 4 * std::sqrt(c)) * 0x1p-24 * c * mag + 6 * unit_roundoff(t) * c * mag,
                   false});
        if (w.random.chance(0.4))
            p = scaled(p);
        if (w.random.chance(0.6))
            p = plus(w, p, stretched(w, w.fresh(t, {n}, 2), p));
        if (w.random.chance(0.3))
            p = scaled(p);
        results.push_back(p);
    }
    if (products > 1 and w.random.chance(0.5))
        plus(w, results[0], results[1]);
}

// Channel scales and shifts round a convolution, as batch normalisation leaves them.
void scaled_convolution(grower& w) {
    const auto t = w.random.chance(0.85) ? shape::float_type : w.some_float();
    const auto channels = 1 + w.random.below(8), outputs = 1 + w.random.below(16),
               kernel = w.random.of(lens_t{1, 1, 3});
    const auto x = w.limited(w.precise(w.like(t, {1 + w.random.below(2), channels,
                                                  3 + w.random.below(8), 3 + w.random.below(8)}),
                                       0.005),
                             2);
    const auto k = w.fresh(t, {outputs, channels, kernel, kernel}, 2);
    const auto a = w.range_of(x), b = w.range_of(k);
    const double n = double(channels * kernel * kernel), mag = a.mag() * b.mag();
    const auto pad = kernel / 2;
    auto y = w.add(
        "convolution", {{"padding", {pad, pad}}, {"stride", {1, 1}}, {"dilation", {1, 1}}}, {x, k},
        {-n * mag, n * mag,
         n * (a.mag() * b.err + b.mag() * a.err) + 32 * (4 + 4 * std::sqrt(n)) * 0x1p-24 * n * mag +
             6 * unit_roundoff(t) * n * mag,
         false});
    const auto per_channel = [&] {
        const auto v = w.fresh(t, {outputs}, 2);
        if (w.random.chance(0.6))
            return w.move("broadcast", {{"axis", 1}, {"out_lens", w.lens_of(y)}}, {v});
        return stretched(w, w.move("reshape", {{"dims", {1, int(outputs), 1, 1}}}, {v}), y);
    };
    for (auto steps = 1 + w.random.below(4); steps > 0; --steps)
        y = w.random.chance(0.5) ? times(w, y, per_channel()) : plus(w, y, per_channel());
    if (w.random.chance(0.4))
        plus(w, y, w.limited(w.precise(w.like(t, w.lens_of(y))), 8));
}

// Elementwise operators that all read one operand in other orders of memory.
void shared_chain(grower& w) {
    const auto x = w.limited(w.precise(w.tensor(is_float, 1, 4), 0.005), 4);
    auto y = x;
    for (auto n = 2 + w.random.below(5); n > 0; --n) {
        const auto other =
            w.random.chance(0.5)
                ? x
                : stretched_number(w, w.random.of(std::vector<double>{0.5, -1, 2, 0.3, 1, 0}), x);
        switch (w.random.below(4)) {
        case 0:
            y = plus(w, y, other);
            break;
        case 1:
            y = minus(w, other, y);
            break;
        case 2:
            y = times(w, w.limited(y, 16), other);
            break;
        default: {
            const auto r = w.range_of(y);
            y = w.add("relu", {}, {y}, {std::max(0.0, r.lo), std::max(0.0, r.hi), r.err, r.whole});
        }
        }
    }
}

// reshape, transpose, reshape: what importers make of grouping and shuffling channels.
void shuffle(grower& w) {
    const auto x = w.tensor([](type_t) { return true; }, 3, 4);
    const auto channels = w.lens_of(x)[1];
    std::vector<std::size_t> divisors;
    for (std::size_t d = 1; d <= channels; ++d)
        if (channels % d == 0)
            divisors.push_back(d);
    const auto d = w.random.of(divisors);
    auto lens = w.lens_of(x);
    lens[1] /= d;
    lens.insert(lens.begin() + 1, d);
    std::vector<std::int64_t> order;
    for (std::size_t i = 0; i < lens.size(); ++i)
        order.push_back(std::int64_t(i));
    std::swap(order[1], order[2]);
    const auto split = w.move("reshape", {{"dims", lens}}, {x});
    const auto turned = w.move("transpose", {{"permutation", order}}, {split});
    w.move("reshape", {{"dims", w.lens_of(x)}}, {turned});
}

// Rows that indices choose, or a tensor in a border, and a region or a reduction behind it: as many
// elements as it takes for targets to read them where they lie.
void read_elsewhere(grower& w) {
    const auto t = w.some_float();
    id x = 0;
    if (w.random.chance(0.6)) {
        const auto rows = 2 + w.random.below(20), run = 128 + w.random.below(40);
        const lens_t chosen{2, 32 + w.random.below(8)};
        std::vector<double> values(grower::product(chosen));
        for (auto& v : values)
            v = double(w.random.between(-std::int64_t(rows), std::int64_t(rows) - 1));
        const auto type = w.random.chance(0.7) ? shape::int64_type : shape::int32_type;
        const auto by = rows > 2 and w.random.chance(0.5) ? w.literal(type, chosen, values)
                                                          : w.parameter(shape{type, chosen});
        x = w.move("gather", {{"axis", 0}}, {w.fresh(t, {rows, run}), by});
    } else {
        const lens_t lens{1 + w.random.below(3), 60 + w.random.below(20), 66 + w.random.below(20)};
        std::vector<std::int64_t> pads(6);
        for (auto& n : pads)
            n = w.random.chance(0.5) ? 0 : w.random.between(1, 3);
        const auto inside = w.fresh(t, lens);
        x = w.add("pad", {{"mode", 0}, {"pads", pads}, {"value", 2}}, {inside},
                  united(w.range_of(inside), {2, 2, 0, true}));
    }
    const auto sum = plus(w, x, w.fresh(t, w.lens_of(x)));
    const auto how = w.random.below(3);
    if (how == 0)
        times(w, sum, sum);
    else
        reduced(w, how == 1 ? "reduce_sum" : "reduce_max", sum, std::int64_t(w.rank_of(sum)) - 1);
}

} // namespace

void add_pattern_recipes(std::vector<recipe>& to) {
    to.insert(to.end(), {
                            {"layer norm written out", 0.8, layer_norm_written_out},
                            {"rms norm written out", 0.5, rms_norm_written_out},
                            {"softmax written out", 0.5, softmax_written_out},
                            {"attention written out", 0.7, attention_written_out},
                            {"activation written out", 0.6, activation_written_out},
                            {"scaled product", 1.2, scaled_product},
                            {"scaled convolution", 1.2, scaled_convolution},
                            {"shared chain", 2, shared_chain},
                            {"channel shuffle", 0.7, shuffle},
                            {"gather or pad before a region", 0.4, read_elsewhere},
                        });
}

} // namespace fuzz
