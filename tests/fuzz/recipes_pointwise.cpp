// SPDX-License-Identifier: MIT
// Pointwise operators, conversions and quantised pairs.
#include "recipes.hpp"

namespace fuzz {

using namespace migraphx;

namespace {

using id = grower::id;

bool any(type_t) {
    return true;
}
bool number_type(type_t t) {
    return t != shape::bool_type;
}

// ---- one operand

// f is monotone or bounded by the values given; slope bounds its derivative.
struct smooth_function {
    const char* name;
    double lo, hi; // operands are brought to this range
    double (*slope)(const bounds&);
    bounds (*result)(const bounds&);
};

template <double F(double)>
bounds rising(const bounds& r) {
    return {F(r.lo), F(r.hi), 0, false};
}
template <double F(double)>
bounds falling(const bounds& r) {
    return {F(r.hi), F(r.lo), 0, false};
}
double one(const bounds&) {
    return 1;
}
double inverse_of_low(const bounds& r) {
    return 1 / r.lo;
}
double erf_of(double x) {
    return std::erf(x);
}
double logistic(double x) {
    return 1 / (1 + std::exp(-x));
}
double rsqrt_of(double x) {
    return 1 / std::sqrt(x);
}

template <double F(double)>
double f(double x) {
    return F(x);
}

const std::vector<smooth_function>& smooth_functions() {
    static const std::vector<smooth_function> list{
        {"acos", -0.9, 0.9, [](const bounds&) { return 2.4; }, falling<f<std::acos>>},
        {"asin", -0.9, 0.9, [](const bounds&) { return 2.4; }, rising<f<std::asin>>},
        {"acosh", 1.1, 20, [](const bounds&) { return 2.3; }, rising<f<std::acosh>>},
        {"asinh", -100, 100, one, rising<f<std::asinh>>},
        {"atan", -100, 100, one, rising<f<std::atan>>},
        {"atanh", -0.9, 0.9, [](const bounds&) { return 5.5; }, rising<f<std::atanh>>},
        {"cos", -30, 30, one,
         [](const bounds&) {
             return bounds{-1, 1, 0, false};
         }},
        {"sin", -30, 30, one,
         [](const bounds&) {
             return bounds{-1, 1, 0, false};
         }},
        {"tan", -1.2, 1.2, [](const bounds&) { return 8.0; }, rising<f<std::tan>>},
        {"cosh", -4, 4, [](const bounds& r) { return std::sinh(r.mag()) + 0.1; },
         [](const bounds& r) {
             return bounds{1, std::cosh(r.mag()), 0, false};
         }},
        {"sinh", -4, 4, [](const bounds& r) { return std::cosh(r.mag()); }, rising<f<std::sinh>>},
        {"tanh", -50, 50, one, rising<f<std::tanh>>},
        {"exp", -20, 5, [](const bounds& r) { return std::exp(r.hi); }, rising<f<std::exp>>},
        {"log", 0.1, 1000, inverse_of_low, rising<f<std::log>>},
        {"log2", 0.1, 1000, [](const bounds& r) { return 1.45 / r.lo; }, rising<f<std::log2>>},
        {"erf", -10, 10, [](const bounds&) { return 1.2; }, rising<erf_of>},
        {"sqrt", 0.05, 1000, [](const bounds& r) { return 0.5 / std::sqrt(r.lo); },
         rising<f<std::sqrt>>},
        {"rsqrt", 0.1, 1000, [](const bounds& r) { return 0.5 / (r.lo * std::sqrt(r.lo)); },
         falling<rsqrt_of>},
        {"sigmoid", -50, 50, [](const bounds&) { return 0.25; }, rising<logistic>},
    };
    return list;
}

void smooth(grower& w, const smooth_function& f) {
    auto x = w.precise(w.tensor(is_float));
    x = w.within(x, f.lo, f.hi);
    auto r = w.range_of(x);
    // The domain with its error: slopes are taken where a target's operand may lie.
    bounds wide{r.lo - r.err, r.hi + r.err, 0, false};
    wide.lo = std::max(wide.lo, f.lo - 0.3 * std::fabs(f.lo));
    if (r.err > 0.2 * (r.lo > 0 ? r.lo : 1))
        throw unsuitable();
    auto y = f.result(r);
    // A point may be one of the ends, computed here in double.
    y.err = r.err * f.slope(wide);
    w.add_rounded(f.name, {}, {x}, y, 10);
}

void recip(grower& w) {
    auto x = w.precise(w.tensor(is_float));
    x = w.within(x, 0.1, 50);
    const auto r = w.range_of(x);
    if (r.err > 0.02)
        throw unsuitable();
    w.add_rounded("recip", {}, {x},
                  {1 / r.hi, 1 / r.lo, r.err / ((r.lo - r.err) * (r.lo - r.err)), false});
}

void absolute(grower& w) {
    const auto x = w.tensor(number_type);
    const auto r = w.range_of(x);
    // The lowest integer has no positive counterpart.
    if (not is_float(w.type_of(x)) and r.lo <= type_bounds(w.type_of(x)).lo) {
        w.add("abs", {}, {x}, type_bounds(w.type_of(x)));
        return;
    }
    w.add("abs", {}, {x},
          {r.lo <= 0 and r.hi >= 0 ? 0 : std::min(std::fabs(r.lo), std::fabs(r.hi)), r.mag(), r.err,
           r.whole});
}
void negate(grower& w) {
    const auto x = w.tensor(number_type);
    const auto r = w.range_of(x);
    w.add("neg", {}, {x}, {-r.hi, -r.lo, r.err, r.whole});
}
void relu(grower& w) {
    const auto x = w.tensor(number_type);
    const auto r = w.range_of(x);
    w.add("relu", {}, {x}, {std::max(0.0, r.lo), std::max(0.0, r.hi), r.err, r.whole});
}
void same_value(grower& w) {
    w.move("identity", {}, {w.tensor(any)});
}

template <int Kind>
void rounded_to_whole(grower& w) {
    constexpr const char* names[] = {"floor", "ceil", "nearbyint"};
    const auto x = w.exact(w.tensor(number_type));
    const auto r = w.range_of(x);
    w.add(names[Kind], {}, {x}, {std::floor(r.lo), std::ceil(r.hi), 0, true});
}
void sign(grower& w) {
    w.add("sign", {}, {w.exact(w.tensor(number_type))}, {-1, 1, 0, true});
}
void logical_not(grower& w) {
    w.add("not", {}, {w.exact(w.tensor(any))}, {0, 1, 0, true});
}
void is_nan(grower& w) {
    w.add("isnan", {}, {w.tensor(is_float)}, {0, 0, 0, true});
}
void is_inf(grower& w) {
    w.add("isinf", {}, {w.tensor(is_float)}, {0, 0, 0, true});
}

template <bool Elu>
void slope_below_zero(grower& w) {
    auto x = w.precise(w.tensor(is_float));
    if (Elu)
        x = w.within(x, -20, 100);
    const double alpha = w.random.of(std::vector<double>{0.01, 0.25, 1, 1.5});
    const auto r = w.range_of(x);
    const auto f = [&](double v) { return v < 0 ? alpha * (Elu ? std::expm1(v) : v) : v; };
    w.add_rounded(Elu ? "elu" : "leaky_relu", {{"alpha", alpha}}, {x},
                  {f(r.lo), f(r.hi), r.err * std::max(1.0, alpha), false}, 8);
}

// Integers through a function of doubles, cut off. Where a target computes in another way, results
// that are whole in exact arithmetic could come out one lower.
void integer_function(grower& w) {
    const auto x = w.within(w.tensor([](type_t t) { return shape::is_integral(t); }), 0, 60);
    const auto name = w.random.of(
        std::vector<std::string>{"exp", "sin", "cos", "tanh", "atan", "sigmoid", "erf"});
    const auto top = name == "exp" ? std::exp(std::min(w.range_of(x).hi, 40.0)) : 2.0;
    w.add(name, {}, {name == "exp" ? w.within(x, 0, 40) : x}, {-1, top, 0, true});
}

// ---- two operands

struct pair_of {
    id a, b;
    bounds x, y;
};
pair_of operands(grower& w, bool (*wanted)(type_t), bool exact = false) {
    auto a = w.tensor(wanted);
    if (exact)
        a = w.exact(a);
    const auto t = w.type_of(a);
    const auto lens = w.lens_of(a);
    auto b = w.random.chance(0.08) ? a : exact ? w.exact_like(t, lens) : w.like(t, lens);
    if (w.random.chance(0.3))
        std::swap(a, b);
    return {a, b, w.range_of(a), w.range_of(b)};
}

bounds product_bounds(const bounds& x, const bounds& y) {
    const double c[] = {x.lo * y.lo, x.lo * y.hi, x.hi * y.lo, x.hi * y.hi};
    return {*std::min_element(c, c + 4), *std::max_element(c, c + 4),
            x.mag() * y.err + y.mag() * x.err + x.err * y.err, x.whole and y.whole};
}

void sum(grower& w) {
    const auto [a, b, x, y] = operands(w, number_type);
    w.add_rounded("add", {}, {a, b},
                  {x.lo + y.lo, x.hi + y.hi, x.err + y.err, x.whole and y.whole});
}
void difference(grower& w) {
    const auto [a, b, x, y] = operands(w, number_type);
    auto r = bounds{x.lo - y.hi, x.hi - y.lo, x.err + y.err, x.whole and y.whole};
    // The operands' own rounding counts, not that of a small difference.
    if (is_float(w.type_of(a)) and not(r.whole and r.exact()))
        r.err += unit_roundoff(w.type_of(a)) * (x.mag() + y.mag());
    w.add_rounded("sub", {}, {a, b}, r);
}
void product(grower& w) {
    auto [a, b, x, y] = operands(w, number_type);
    if (is_float(w.type_of(a)) and x.mag() * y.mag() > 2000) {
        a = w.limited(w.precise(a), 8);
        b = w.limited(w.precise(b), 8);
    }
    auto r = product_bounds(w.range_of(a), w.range_of(b));
    if (a == b)
        r.lo = is_float(w.type_of(a)) ? std::max(r.lo, 0.0) : r.lo;
    w.add_rounded("mul", {}, {a, b}, r);
}
void quotient(grower& w) {
    auto [a, b, x, y] = operands(w, number_type);
    if (not is_float(w.type_of(a))) {
        const auto top = std::max(x.mag(), 1.0);
        w.add("div", {}, {a, b}, {-top, top, 0, true});
        return;
    }
    b = w.within(w.precise(b), 0.25, 20);
    y = w.range_of(b);
    if (y.err > 0.1 * y.lo)
        throw unsuitable();
    const double low = y.lo - y.err;
    auto r = product_bounds(x, {1 / y.hi, 1 / y.lo, y.err / (low * low), false});
    w.add_rounded("div", {}, {a, b}, r, 6);
}
template <bool Max>
void extreme(grower& w) {
    const auto [a, b, x, y] = operands(w, any);
    w.add(Max ? "max" : "min", {}, {a, b},
          {Max ? std::max(x.lo, y.lo) : std::min(x.lo, y.lo),
           Max ? std::max(x.hi, y.hi) : std::min(x.hi, y.hi), std::max(x.err, y.err),
           x.whole and y.whole});
}
void power(grower& w) {
    auto [a, b, x, y] = operands(w, number_type);
    const auto t = w.type_of(a);
    if (not is_float(t)) {
        b = w.within(b, t == shape::bool_type ? 0 : -1, 3);
        w.add("pow", {}, {a, b}, type_bounds(t));
        return;
    }
    a = w.within(w.precise(a), 0.3, 4);
    b = w.within(w.precise(b), -2, 2);
    x = w.range_of(a);
    y = w.range_of(b);
    const double top = std::pow(std::max(x.hi, 1 / x.lo), y.mag());
    const double err =
        top *
        (y.mag() / x.lo * x.err +
         std::max(std::fabs(std::log(x.lo)), std::log(std::max(x.hi, 1.0))) * y.err) *
        1.5;
    w.add_rounded("pow", {}, {a, b}, {1 / top, top, err, false}, 12);
}
// Small whole exponents, which passes and targets treat in other ways.
void constant_power(grower& w) {
    auto a = w.limited(w.precise(w.tensor(is_float)), 4);
    const auto t = w.type_of(a);
    const auto lens = w.lens_of(a);
    const double n = w.random.of(std::vector<double>{0, 1, 2, 3});
    const auto r = w.range_of(a);
    const double top = std::pow(r.mag(), n);
    w.add_rounded("pow", {}, {a, *w.stretched(w.number(t, n), lens)},
                  {-std::max(top, 1.0), std::max(top, 1.0),
                   n * std::pow(r.mag() + r.err, std::max(n - 1, 0.0)) * r.err, false},
                  12);
}
template <bool Floored>
void remainder(grower& w) {
    auto [a, b, x, y] = operands(w, number_type, true);
    if (is_float(w.type_of(a))) {
        a = w.fresh(w.type_of(a), w.lens_of(a), 50);
        b = w.within(w.fresh(w.type_of(b), w.lens_of(a), 8), 1, 8);
        if (not w.range_of(a).whole or not w.range_of(b).whole or not w.range_of(b).exact())
            throw unsuitable();
        y = w.range_of(b);
    }
    const auto t = w.type_of(a);
    const auto top = is_float(t) ? y.mag() : std::max({x.mag(), y.mag(), 1.0});
    w.add(Floored ? "mod" : "fmod", {}, {a, b}, {-top, top, 0, true});
}
void squared_difference(grower& w) {
    auto [a, b, x, y] = operands(w, number_type);
    if (is_float(w.type_of(a))) {
        a = w.limited(w.precise(a), 8);
        b = w.limited(w.precise(b), 8);
    }
    x = w.range_of(a);
    y = w.range_of(b);
    bounds d{x.lo - y.hi, x.hi - y.lo, x.err + y.err, x.whole and y.whole};
    if (is_float(w.type_of(a)) and not(d.whole and d.exact()))
        d.err += unit_roundoff(w.type_of(a)) * (x.mag() + y.mag());
    auto r = product_bounds(d, d);
    if (is_float(w.type_of(a)))
        r.lo = 0;
    w.add_rounded("sqdiff", {}, {a, b}, r);
}
void prelu(grower& w) {
    auto [a, b, x, y] = operands(w, number_type);
    if (is_float(w.type_of(a))) {
        a = w.limited(w.precise(a), 30);
        b = w.limited(w.precise(b), 8);
    }
    x = w.range_of(a);
    y = w.range_of(b);
    const bounds below{std::min(x.lo, 0.0), 0, x.err, x.whole};
    const bounds above{0, std::max(x.hi, 0.0), x.err, x.whole};
    auto r = united(product_bounds(below, y), above);
    r.err = std::max(r.err, std::max(1.0, y.mag() + y.err) * x.err + x.mag() * y.err);
    w.add_rounded("prelu", {}, {a, b}, r);
}
template <int Kind>
void compare(grower& w) {
    constexpr const char* names[] = {"equal",       "greater",    "less",
                                     "logical_and", "logical_or", "logical_xor"};
    const auto [a, b, x, y] = operands(w, any, true);
    w.add(names[Kind], {}, {a, b}, {0, 1, 0, true});
}
void bits_and(grower& w) {
    const auto [a, b, x, y] =
        operands(w, [](type_t t) { return shape::is_integral(t) or t == shape::bool_type; });
    w.add("bitwise_and", {}, {a, b}, type_bounds(w.type_of(a)));
}

// ---- three operands, conversions

void select(grower& w) {
    const auto [a, b, x, y] = operands(w, any);
    const auto ct = w.random.chance(0.7) ? shape::bool_type : w.some_integer();
    auto cond = w.exact_like(ct, w.lens_of(a));
    if (ct == shape::bool_type and w.random.chance(0.6)) {
        const auto p = operands(w, any, true);
        if (w.lens_of(p.a) == w.lens_of(a))
            cond = w.to_type(w.add("less", {}, {p.a, p.b}, {0, 1, 0, true}), ct);
    }
    w.add("where", {}, {cond, a, b}, united(x, y));
}
void clip(grower& w) {
    const auto x = w.tensor(number_type);
    const auto t = w.type_of(x);
    const auto lens = w.lens_of(x);
    const auto lo = w.like(t, lens), hi = w.like(t, lens);
    const auto a = w.range_of(x), l = w.range_of(lo), h = w.range_of(hi);
    // min(max(lo, x), hi)
    const bounds up{std::max(a.lo, l.lo), std::max(a.hi, l.hi), 0, false};
    w.add("clip", {}, {x, lo, hi},
          {std::min(up.lo, h.lo), std::min(up.hi, h.hi), std::max({a.err, l.err, h.err}),
           a.whole and l.whole and h.whole});
}
void convert(grower& w) {
    w.to_type(w.tensor(any), w.some_type());
}

// There and back: what a pass may only drop where nothing is lost.
void convert_twice(grower& w) {
    const auto x = w.tensor(is_float);
    w.to_type(w.to_type(x, w.some_float()), w.type_of(x));
}

void cast_bits(grower& w) {
    const auto x = w.exact(w.tensor([](type_t t) {
        return t == shape::float_type or t == shape::int32_type or t == shape::uint32_type;
    }));
    if (w.type_of(x) == shape::float_type)
        w.add("bit_cast", {{"target_type", shape::int32_type}}, {x},
              type_bounds(shape::int32_type));
    else if (w.type_of(x) == shape::int32_type)
        w.add("bit_cast", {{"target_type", shape::uint32_type}}, {x},
              type_bounds(shape::uint32_type));
    else
        w.add("bit_cast", {{"target_type", shape::int32_type}}, {x},
              type_bounds(shape::int32_type));
}

// x / scale + zero, rounded. A target's x may fall on the other side of a tie: one step then.
void quantised_pair(grower& w) {
    const auto t = w.random.chance(0.7) ? shape::float_type : shape::half_type;
    auto x = w.precise(
        w.tensor([](type_t u) { return u == shape::float_type or u == shape::half_type; }));
    x = w.to_type(x, t);
    const auto lens = w.lens_of(x);
    const double step = std::exp2(double(w.random.between(-6, -1)));
    const auto q = w.random.chance(0.6) ? shape::int8_type : shape::uint8_type;
    const double zero = q == shape::uint8_type ? double(w.random.between(0, 255))
                        : w.random.chance(0.5) ? 0
                                               : double(w.random.between(-20, 20));
    const auto scale = *w.stretched(w.number(t, step), lens);
    std::vector<id> in{x, scale};
    value attributes = value::object{};
    const bool with_zero = zero != 0 or w.random.chance(0.4);
    if (with_zero)
        in.push_back(*w.stretched(w.number(q, zero), lens));
    else
        attributes = {{"out_type", q}};
    const auto r = w.range_of(x);
    const auto all = type_bounds(q);
    const double z = with_zero ? zero : 0;
    bounds quantised{std::clamp(std::floor(r.lo / step) + z, all.lo, all.hi),
                     std::clamp(std::ceil(r.hi / step) + z, all.lo, all.hi),
                     r.exact() ? 0 : std::ceil(r.err / step + 0.5), true};
    const auto y = w.add("quantizelinear", attributes, in, quantised);
    if (w.random.chance(0.2))
        return;
    std::vector<id> back{y, scale};
    if (with_zero)
        back.push_back(in[2]);
    w.add("dequantizelinear", {}, back,
          {(quantised.lo - z) * step, (quantised.hi - z) * step, quantised.err * step, false});
}

} // namespace

void add_pointwise_recipes(std::vector<recipe>& to) {
    to.insert(to.end(), {
                            {"smooth function", 9,
                             [](grower& w) { smooth(w, w.random.of(smooth_functions())); }},
                            {"recip", 1, recip},
                            {"abs", 1, absolute},
                            {"neg", 1, negate},
                            {"relu", 2, relu},
                            {"identity", 0.5, same_value},
                            {"floor", 0.5, rounded_to_whole<0>},
                            {"ceil", 0.5, rounded_to_whole<1>},
                            {"nearbyint", 0.5, rounded_to_whole<2>},
                            {"sign", 0.5, sign},
                            {"not", 0.5, logical_not},
                            {"isnan", 0.2, is_nan},
                            {"isinf", 0.2, is_inf},
                            {"elu", 0.5, slope_below_zero<true>},
                            {"leaky_relu", 0.5, slope_below_zero<false>},
                            {"integer function", 0.5, integer_function},
                            {"add", 6, sum},
                            {"sub", 4, difference},
                            {"mul", 6, product},
                            {"div", 2, quotient},
                            {"max", 1, extreme<true>},
                            {"min", 1, extreme<false>},
                            {"pow", 1, power},
                            {"pow with a constant", 0.7, constant_power},
                            {"mod", 0.5, remainder<true>},
                            {"fmod", 0.5, remainder<false>},
                            {"sqdiff", 0.7, squared_difference},
                            {"prelu", 0.7, prelu},
                            {"equal", 0.7, compare<0>},
                            {"greater", 0.7, compare<1>},
                            {"less", 0.7, compare<2>},
                            {"logical_and", 0.4, compare<3>},
                            {"logical_or", 0.4, compare<4>},
                            {"logical_xor", 0.4, compare<5>},
                            {"bitwise_and", 0.4, bits_and},
                            {"where", 2, select},
                            {"clip", 1.5, clip},
                            {"convert", 2, convert},
                            {"convert twice", 0.5, convert_twice},
                            {"bit_cast", 0.3, cast_bits},
                            {"quantised pair", 1.5, quantised_pair},
                        });
}

} // namespace fuzz
