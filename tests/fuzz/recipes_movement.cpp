// SPDX-License-Identifier: MIT
// Operators that change dimensions or order.
#include "recipes.hpp"

#include <numeric>

namespace fuzz {

using namespace migraphx;

namespace {

using id = grower::id;
using axes_t = std::vector<std::int64_t>;

bool any(type_t) {
    return true;
}

std::int64_t signed_axis(grower& w, std::size_t axis, std::size_t rank) {
    return w.random.chance(0.25) ? std::int64_t(axis) - std::int64_t(rank) : std::int64_t(axis);
}
axes_t some_axes(grower& w, std::size_t rank, std::size_t most) {
    axes_t all(rank);
    std::iota(all.begin(), all.end(), std::int64_t{0});
    for (std::size_t i = rank; i > 1; --i)
        std::swap(all[i - 1], all[w.random.below(i)]);
    all.resize(1 + w.random.below(std::min(rank, most)));
    return all;
}

// The same number of elements in other dimensions: neighbours merged, or one split.
lens_t other_lens(grower& w, lens_t lens) {
    for (auto steps = 1 + w.random.below(3); steps > 0; --steps) {
        const auto at = w.random.below(lens.size());
        if (lens.size() > 1 and w.random.chance(0.5)) {
            const auto i = std::min(at, lens.size() - 2);
            lens[i] *= lens[i + 1];
            lens.erase(lens.begin() + std::ptrdiff_t(i) + 1);
        } else if (lens.size() < 6) {
            std::vector<std::size_t> divisors;
            for (std::size_t d = 1; d <= lens[at]; ++d)
                if (lens[at] % d == 0)
                    divisors.push_back(d);
            const auto d = w.random.of(divisors);
            lens[at] /= d;
            lens.insert(lens.begin() + std::ptrdiff_t(at), d);
        }
    }
    return lens;
}

void reshape(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto to = other_lens(w, w.lens_of(x));
    axes_t dims(to.begin(), to.end());
    if (w.random.chance(0.3))
        dims[w.random.below(dims.size())] = -1;
    for (std::size_t i = 0; i < dims.size() and i < w.rank_of(x); ++i)
        if (dims[i] == std::int64_t(w.lens_of(x)[i]) and w.random.chance(0.2))
            dims[i] = 0;
    w.move("reshape", {{"dims", dims}}, {x});
}
void reshape_lazy(grower& w) {
    const auto found = w.present([&](id i) {
        return w.rank_of(i) > 0 and w.shape_of(i).elements() > 0 and w.shape_of(i).standard() and
               not w.shape_of(i).broadcasted();
    });
    if (not found)
        throw unsuitable();
    w.move("reshape_lazy", {{"dims", other_lens(w, w.lens_of(*found))}}, {*found});
}
void as_shape(grower& w) {
    const auto found = w.present([&](id i) {
        return w.rank_of(i) > 0 and w.shape_of(i).elements() > 0 and w.shape_of(i).standard() and
               not w.shape_of(i).broadcasted();
    });
    if (not found)
        throw unsuitable();
    const auto t = w.type_of(*found);
    w.move("as_shape", {{"shape", to_value(shape{t, other_lens(w, w.lens_of(*found))})}}, {*found});
}
void flatten(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto r = std::int64_t(w.rank_of(x));
    w.move("flatten", {{"axis", w.random.between(-r, r)}}, {x});
}
void transpose(grower& w) {
    const auto x = w.tensor(any, 2);
    axes_t order(w.rank_of(x));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (w.random.chance(0.5))
        std::swap(order.back(), order[order.size() - 2]);
    else
        for (auto i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[w.random.below(i)]);
    w.move("transpose", {{"permutation", order}}, {x});
}
void layout(grower& w) {
    const auto x = w.tensor(any, 2);
    axes_t order(w.rank_of(x));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    for (auto i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[w.random.below(i)]);
    w.move("layout", {{"permutation", order}}, {x});
}
void contiguous(grower& w) {
    w.move("contiguous", {}, {w.tensor(any)});
}
void squeeze(grower& w) {
    const auto found = w.present([&](id i) {
        const auto& l = w.lens_of(i);
        return std::count(l.begin(), l.end(), 1u) > 0;
    });
    if (not found or w.rank_of(*found) < 2)
        throw unsuitable();
    axes_t axes;
    const auto& lens = w.lens_of(*found);
    for (std::size_t d = 0; d < lens.size(); ++d)
        if (lens[d] == 1 and w.random.chance(0.6))
            axes.push_back(signed_axis(w, d, lens.size()));
    w.move("squeeze", {{"axes", axes}}, {*found});
}
void unsqueeze(grower& w) {
    const auto x = w.tensor(any, 1, 5);
    const auto r = w.rank_of(x);
    const auto n = 1 + w.random.below(std::min<std::size_t>(2, 6 - r));
    if (n == 1 and w.random.chance(0.25)) {
        const auto axis = w.random.below(r);
        const auto len = w.lens_of(x)[axis];
        std::vector<std::int64_t> divisors;
        for (std::size_t d = 1; d <= len; ++d)
            if (len % d == 0)
                divisors.push_back(std::int64_t(d));
        if (not w.shape_of(x).scalar()) {
            w.move("unsqueeze",
                   {{"axes", axes_t{std::int64_t(axis)}}, {"steps", axes_t{w.random.of(divisors)}}},
                   {x});
            return;
        }
    }
    auto axes = some_axes(w, r + n, n);
    for (auto& a : axes)
        if (w.random.chance(0.2))
            a -= std::int64_t(r + axes.size());
    for (auto& a : axes)
        if (a >= std::int64_t(r + axes.size()))
            throw unsuitable();
    std::vector<bool> seen(r + axes.size());
    for (auto a : axes) {
        const auto at = std::size_t(a < 0 ? a + std::int64_t(seen.size()) : a);
        if (seen[at])
            throw unsuitable();
        seen[at] = true;
    }
    w.move("unsqueeze", {{"axes", axes}}, {x});
}
void slice(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto axes = some_axes(w, w.rank_of(x), 3);
    axes_t starts, ends, written;
    for (auto a : axes) {
        const auto n = std::int64_t(w.lens_of(x)[std::size_t(a)]);
        const auto from = w.random.between(0, std::max<std::int64_t>(0, n - 1));
        const auto to = w.random.between(std::min(from + 1, n), n);
        starts.push_back(w.random.chance(0.3) ? from - n : from);
        ends.push_back(to == n and w.random.chance(0.4)  ? n + 100
                       : to < n and w.random.chance(0.3) ? to - n
                                                         : to);
        written.push_back(signed_axis(w, std::size_t(a), w.rank_of(x)));
    }
    w.move("slice", {{"axes", written}, {"starts", starts}, {"ends", ends}}, {x});
}
// Neighbouring parts of one tensor, as importers make them of Split.
void split(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto axis = w.random.below(w.rank_of(x));
    const auto n = w.lens_of(x)[axis];
    if (n < 2)
        throw unsuitable();
    const auto parts = std::min<std::size_t>(n, 2 + w.random.below(2));
    for (std::size_t i = 0; i < parts; ++i)
        w.move("slice",
               {{"axes", axes_t{std::int64_t(axis)}},
                {"starts", axes_t{std::int64_t(i * n / parts)}},
                {"ends", axes_t{std::int64_t((i + 1) * n / parts)}}},
               {x});
}
void step(grower& w) {
    const auto x = w.tensor(any, 1);
    auto axes = some_axes(w, w.rank_of(x), 2);
    axes_t steps;
    for (auto& a : axes) {
        steps.push_back(w.random.between(1, 4));
        a = signed_axis(w, std::size_t(a), w.rank_of(x));
    }
    w.move("step", {{"axes", axes}, {"steps", steps}}, {x});
}
void reverse(grower& w) {
    const auto x = w.tensor(any, 1);
    auto axes = some_axes(w, w.rank_of(x), 3);
    for (auto& a : axes)
        a = signed_axis(w, std::size_t(a), w.rank_of(x));
    w.move("reverse", {{"axes", axes}}, {x});
}
void concat(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto axis = w.random.below(w.rank_of(x));
    std::vector<id> in{x};
    auto r = w.range_of(x);
    for (auto n = 1 + w.random.below(3); n > 0; --n) {
        auto lens = w.lens_of(x);
        if (w.random.chance(0.6))
            lens[axis] = w.some_size();
        if (not grower::fits(lens))
            throw unsuitable();
        in.push_back(w.random.chance(0.15) ? x : w.like(w.type_of(x), lens));
        r = united(r, w.range_of(in.back()));
    }
    for (std::size_t i = in.size(); i > 1; --i)
        std::swap(in[i - 1], in[w.random.below(i)]);
    w.add("concat", {{"axis", signed_axis(w, axis, w.rank_of(x))}}, in, r);
}
void pad(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto rank = w.rank_of(x);
    const auto mode = w.random.chance(0.6) ? 0 : w.random.between(1, 3);
    axes_t pads(2 * rank);
    auto lens = w.lens_of(x);
    for (std::size_t i = 0; i < pads.size(); ++i) {
        pads[i] = w.random.chance(0.5) ? 0 : w.random.between(mode == 0 ? -1 : 0, 3);
        auto& n = lens[i % rank];
        if (std::int64_t(n) + pads[i] < 1)
            pads[i] = 0;
        n = std::size_t(std::int64_t(n) + pads[i]);
    }
    if (not grower::fits(lens))
        throw unsuitable();
    const double value = mode == 0 and w.random.chance(0.4) ? double(w.random.between(-3, 3)) : 0;
    auto r = w.range_of(x);
    if (mode == 0) {
        // Saturated in the element's type.
        const auto t = w.type_of(x);
        double v = value;
        if (not is_float(t))
            v = t == shape::bool_type ? double(value != 0) : std::max(v, type_bounds(t).lo);
        r = united(r, {v, v, 0, true});
    }
    w.add("pad", {{"mode", mode}, {"pads", pads}, {"value", value}}, {x}, r);
}
void stretch(grower& w) {
    const auto x = w.tensor(any, 1, 4);
    auto lens = w.lens_of(x);
    for (auto& n : lens)
        if (n == 1 and w.random.chance(0.7))
            n = w.some_size();
    for (auto n = w.random.below(3); n > 0 and lens.size() < 6; --n)
        lens.insert(lens.begin(), w.some_size());
    if (not w.stretched(x, lens))
        throw unsuitable();
}
void broadcast(grower& w) {
    const auto x = w.tensor(any, 1, 3);
    auto lens = w.lens_of(x);
    const auto before = w.random.below(3), after = w.random.below(3);
    for (std::size_t i = 0; i < before; ++i)
        lens.insert(lens.begin(), w.some_size());
    for (std::size_t i = 0; i < after; ++i)
        lens.push_back(w.some_size());
    if (not grower::fits(lens))
        throw unsuitable();
    w.move("broadcast", {{"axis", before}, {"out_lens", lens}}, {x});
}
void fixed_pad(grower& w) {
    w.move("fixed_pad", {}, {w.tensor(any, 1)});
}
void resize(grower& w) {
    const bool nearest = w.random.chance(0.5);
    auto x = w.tensor([](type_t t) { return is_float(t); }, 1, 4);
    if (not nearest)
        x = w.limited(w.precise(x), 100);
    auto sizes = w.lens_of(x);
    for (std::size_t d = sizes.size() > 2 ? sizes.size() - 2 : 0; d < sizes.size(); ++d)
        sizes[d] = std::max<std::size_t>(
            1, w.random.chance(0.5) ? sizes[d] * 2 : w.random.below(2 * sizes[d] + 1));
    if (not grower::fits(sizes))
        throw unsuitable();
    static const std::vector<std::string> coordinates{"half_pixel", "pytorch_half_pixel",
                                                      "align_corners", "asymmetric"};
    static const std::vector<std::string> rounding{"floor", "ceil", "round_prefer_floor",
                                                   "round_prefer_ceil"};
    const auto mode = nearest ? "nearest" : w.random.chance(0.7) ? "linear" : "cubic";
    auto r = w.range_of(x);
    const double spread = nearest ? 1 : mode == std::string("linear") ? 1 : 2;
    if (spread > 1)
        r = {-spread * r.mag(), spread * r.mag(), spread * r.err, false};
    const value attributes{{"sizes", sizes},
                           {"mode", mode},
                           {"nearest_mode", w.random.of(rounding)},
                           {"coordinate_transformation_mode", w.random.of(coordinates)}};
    if (nearest)
        w.add("resize", attributes, {x}, r);
    else {
        r.whole = false;
        // Coordinates are single precision on all targets: their error is a share of the slope.
        r.err += 64 * 0x1p-24 * double(*std::max_element(sizes.begin(), sizes.end())) * r.mag();
        w.add_rounded("resize", attributes, {x}, r, 8);
    }
}

} // namespace

void add_movement_recipes(std::vector<recipe>& to) {
    to.insert(to.end(), {
                            {"reshape", 6, reshape},
                            {"reshape_lazy", 1, reshape_lazy},
                            {"as_shape", 0.5, as_shape},
                            {"flatten", 0.7, flatten},
                            {"transpose", 6, transpose},
                            {"layout", 0.5, layout},
                            {"contiguous", 1, contiguous},
                            {"squeeze", 2, squeeze},
                            {"unsqueeze", 2, unsqueeze},
                            {"slice", 5, slice},
                            {"split", 1.5, split},
                            {"step", 1.5, step},
                            {"reverse", 1, reverse},
                            {"concat", 4, concat},
                            {"pad", 2, pad},
                            {"multibroadcast", 2, stretch},
                            {"broadcast", 1, broadcast},
                            {"fixed_pad", 0.2, fixed_pad},
                            {"resize", 1, resize},
                        });
}

} // namespace fuzz
