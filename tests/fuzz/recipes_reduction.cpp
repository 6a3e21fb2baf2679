// SPDX-License-Identifier: MIT
// Reductions, running sums, softmax and normalisations.
#include "recipes.hpp"

#include <numeric>

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

std::vector<std::int64_t> some_axes(grower& w, std::size_t rank) {
    std::vector<std::int64_t> axes;
    for (std::size_t d = 0; d < rank; ++d)
        if (w.random.chance(rank < 3 ? 0.6 : 0.4))
            axes.push_back(w.random.chance(0.25) ? std::int64_t(d) - std::int64_t(rank)
                                                 : std::int64_t(d));
    if (axes.empty())
        axes.push_back(w.random.chance(0.5) ? -1 : std::int64_t(w.random.below(rank)));
    return axes;
}
double reduced_count(grower& w, id x, const std::vector<std::int64_t>& axes) {
    double n = 1;
    for (auto a : axes)
        n *= double(w.lens_of(x)[std::size_t(a < 0 ? a + std::int64_t(w.rank_of(x)) : a)]);
    return n;
}

// A sum of n terms of this size in any order: errors of the partial sums add up like a random walk,
// on all targets in at least single precision, and the result is rounded once.
double sum_error(type_t t, double n, double mag) {
    if (not is_float(t))
        return 0;
    const double inner = t == shape::double_type ? 0x1p-53 : 0x1p-24;
    return (4 + 4 * std::sqrt(n)) * inner * n * mag + 4 * unit_roundoff(t) * n * mag;
}

template <bool Mean>
void sum(grower& w) {
    auto x = w.tensor(number_type, 1);
    const auto axes = some_axes(w, w.rank_of(x));
    const auto n = reduced_count(w, x, axes);
    if (is_float(w.type_of(x))) {
        x = w.precise(x);
        if (w.range_of(x).mag() * n > 5000)
            x = w.limited(x, 2);
    }
    const auto r = w.range_of(x);
    const auto t = w.type_of(x);
    bounds y{n * r.lo, n * r.hi, n * r.err, r.whole};
    const bool stays = is_float(t) and r.whole and r.exact() and y.mag() <= whole_limit(t);
    if (is_float(t) and not stays) {
        y.err += sum_error(t, n, r.mag());
        y.whole = false;
    }
    if (Mean and is_float(t))
        y = {r.lo, r.hi, (y.err + 4 * unit_roundoff(t) * y.mag()) / n, false};
    // The sum of integers wraps in 64 bits, then is divided.
    if (Mean and not is_float(t))
        y = y.mag() < 0x1p62 ? bounds{r.lo, r.hi, 0, true} : type_bounds(t);
    w.add(Mean ? "reduce_mean" : "reduce_sum", {{"axes", axes}}, {x}, y);
}
void prod(grower& w) {
    auto x = w.tensor(number_type, 1);
    const auto axes = some_axes(w, w.rank_of(x));
    const auto n = reduced_count(w, x, axes);
    const auto t = w.type_of(x);
    if (not is_float(t)) {
        w.add("reduce_prod", {{"axes", axes}}, {x}, type_bounds(t));
        return;
    }
    if (n > 40)
        throw unsuitable();
    x = w.limited(w.precise(x), 1.2);
    const auto r = w.range_of(x);
    const double top = std::pow(std::max(1.0, r.mag()), n);
    w.add_rounded("reduce_prod", {{"axes", axes}}, {x},
                  {-top, top, n * top * (r.err + 2 * 0x1p-24), false}, 4);
}
template <bool Max>
void extreme(grower& w) {
    const auto x = w.tensor(any, 1);
    w.move(Max ? "reduce_max" : "reduce_min", {{"axes", some_axes(w, w.rank_of(x))}}, {x});
}
template <bool All>
void truth(grower& w) {
    const auto x = w.exact(w.tensor(any, 1));
    w.add(All ? "reduce_all" : "reduce_any", {{"axes", some_axes(w, w.rank_of(x))}}, {x},
          {0, 1, 0, true});
}
void scan(grower& w) {
    auto x = w.tensor(number_type, 1);
    const auto axis = w.random.below(w.rank_of(x));
    const auto n = double(w.lens_of(x)[axis]);
    if (is_float(w.type_of(x)))
        x = w.limited(w.precise(x), 8);
    const auto r = w.range_of(x);
    bounds y{std::min(0.0, n * r.lo), std::max(0.0, n * r.hi), n * r.err, r.whole};
    const auto t = w.type_of(x);
    if (is_float(t) and not(r.whole and r.exact() and y.mag() <= whole_limit(t))) {
        y.err += sum_error(t, n, r.mag());
        y.whole = false;
    }
    w.add("prefix_scan_sum",
          {{"axis", axis}, {"exclusive", w.random.chance(0.3)}, {"reverse", w.random.chance(0.3)}},
          {x}, y);
}
template <bool Log>
void softmax(grower& w) {
    auto x = w.limited(w.precise(w.tensor(is_float, 1)), 30);
    const auto r = w.range_of(x);
    const auto axis = w.random.chance(0.5) ? -1 : std::int64_t(w.random.below(w.rank_of(x)));
    const auto n = double(w.lens_of(x)[axis < 0 ? w.rank_of(x) - 1 : std::size_t(axis)]);
    if (r.err > 0.1)
        throw unsuitable();
    const bounds y = Log ? bounds{-2 * r.mag() - std::log(n) - 0.1, 0, 2 * r.err, false}
                         : bounds{0, 1, 1.2 * r.err, false};
    w.add_rounded(Log ? "logsoftmax" : "softmax", {{"axis", axis}}, {x}, y,
                  Log ? 10 : 8 + std::sqrt(n));
}
template <bool Layer>
void norm(grower& w) {
    const auto x = w.limited(w.precise(w.tensor(is_float, 1)), 8);
    const auto t = w.type_of(x);
    const auto rank = w.rank_of(x);
    const auto axis = rank == 1 or w.random.chance(0.7) ? rank - 1 : rank - 2;
    double n = 1;
    for (auto d = axis; d < rank; ++d)
        n *= double(w.lens_of(x)[d]);
    const double epsilon = 0.5;
    std::vector<id> in{x};
    const lens_t tail(w.lens_of(x).begin() + std::ptrdiff_t(axis), w.lens_of(x).end());
    double scale = 1, shift = 0, err = 0;
    // |y| <= sqrt(n); its derivative by one element of x <= 2 / sqrt(epsilon) * (1 + |y|).
    const double top = std::min(std::sqrt(n), 2 * w.range_of(x).mag() / std::sqrt(epsilon)) + 0.1;
    if (w.random.chance(0.6)) {
        in.push_back(w.limited(w.precise(w.like(t, tail)), 4));
        scale = w.range_of(in.back()).mag();
        err += top * w.range_of(in.back()).err;
        if (Layer and w.random.chance(0.7)) {
            in.push_back(w.limited(w.precise(w.like(t, tail)), 4));
            shift = w.range_of(in.back()).mag();
            err += w.range_of(in.back()).err;
        }
    }
    const double inner = t == shape::double_type ? 0x1p-53 : 0x1p-24;
    const double input = w.range_of(x).err + 8 * inner * w.range_of(x).mag();
    err += scale * input * 2 / std::sqrt(epsilon) * (1 + top);
    w.add_rounded(Layer ? "layer_norm" : "rms_norm",
                  {{"axis", std::int64_t(axis) - (w.random.chance(0.4) ? std::int64_t(rank) : 0)},
                   {"epsilon", epsilon}},
                  in, {-top * scale - shift, top * scale + shift, err, false}, 6);
}
void lrn(grower& w) {
    const auto x = w.limited(w.precise(w.tensor(is_float, 4, 4)), 8);
    const auto r = w.range_of(x);
    const double alpha = w.random.real(1e-4, 0.1),
                 beta = w.random.chance(0.6) ? 0.75 : w.random.real(0.2, 1);
    w.add_rounded(
        "lrn", {{"alpha", alpha}, {"beta", beta}, {"bias", 1.0}, {"size", 1 + w.random.below(5)}},
        {x}, {-r.mag(), r.mag(), r.err * (1 + 2 * alpha * beta * r.mag() * r.mag()), false}, 12);
}
void pooling(grower& w) {
    const auto rank = w.random.of(lens_t{3, 4, 4, 4, 5});
    const auto mode = w.random.below(3);
    auto x = w.tensor(mode == 1 and w.random.chance(0.2) ? any : is_float, rank, rank);
    const auto t = w.type_of(x);
    if (mode != 1)
        x = w.limited(w.precise(x), 30);
    lens_t lengths, stride, padding, dilations;
    double taps = 1;
    for (std::size_t d = 2; d < rank; ++d) {
        const auto n = w.lens_of(x)[d];
        lengths.push_back(1 + w.random.below(std::min<std::size_t>(n, 4)));
        dilations.push_back(w.random.chance(0.85) or lengths.back() == 1
                                ? 1
                                : std::max<std::size_t>(1, (n - 1) / (lengths.back() - 1)));
        stride.push_back(1 + w.random.below(3));
        padding.push_back(
            w.random.chance(0.6) or dilations.back() > 1 ? 0 : w.random.below(lengths.back()));
        taps *= double(lengths.back());
    }
    const auto r = w.range_of(x);
    const int lp = int(w.random.between(1, 3));
    const value attributes{{"mode", mode},
                           {"lengths", lengths},
                           {"stride", stride},
                           {"padding", padding},
                           {"dilations", dilations},
                           {"ceil_mode", w.random.chance(0.2)},
                           {"count_include_pad", mode == 0 and w.random.chance(0.4)},
                           {"lp_order", lp}};
    if (mode == 1) {
        w.add("pooling", attributes, {x}, r);
        return;
    }
    bounds y{std::min(r.lo, 0.0), std::max(r.hi, 0.0), r.err, false};
    if (mode == 2) {
        const double grown = std::pow(taps, 1.0 / lp);
        // Near 0 a root multiplies the rounding of its operand.
        y = {0, grown * r.mag(), grown * r.err + (lp > 1 ? 0 : 0), false};
    }
    y.err += is_float(t) ? sum_error(t, taps, mode == 2 ? r.mag() : r.mag() / taps) : 0;
    w.add_rounded("pooling", attributes, {x}, y, 8);
}

} // namespace

void add_reduction_recipes(std::vector<recipe>& to) {
    to.insert(to.end(), {
                            {"reduce_sum", 3, sum<false>},
                            {"reduce_mean", 2, sum<true>},
                            {"reduce_prod", 0.7, prod},
                            {"reduce_max", 1.2, extreme<true>},
                            {"reduce_min", 0.8, extreme<false>},
                            {"reduce_all", 0.4, truth<true>},
                            {"reduce_any", 0.4, truth<false>},
                            {"prefix_scan_sum", 0.8, scan},
                            {"softmax", 1.5, softmax<false>},
                            {"logsoftmax", 0.7, softmax<true>},
                            {"layer_norm", 0.8, norm<true>},
                            {"rms_norm", 0.6, norm<false>},
                            {"lrn", 0.4, lrn},
                            {"pooling", 1.5, pooling},
                        });
}

} // namespace fuzz
