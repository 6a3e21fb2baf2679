// SPDX-License-Identifier: MIT
// Operators that take elements by their index, put them there, or find where they are.
#include "recipes.hpp"

#include <migraphx/make_op.hpp>

namespace fuzz {

using namespace migraphx;

namespace {

using id = grower::id;

bool any(type_t) {
    return true;
}

// Indices of a dimension of n, a constant or not; negative ones count from the end.
id indices(grower& w, const lens_t& lens, const std::vector<std::size_t>& limits) {
    const auto t = w.random.chance(0.7) ? shape::int64_type : shape::int32_type;
    const auto least = *std::min_element(limits.begin(), limits.end());
    if (least >= 2 and w.random.chance(0.3))
        return w.parameter(lens.empty() ? shape{t} : shape{t, lens}); // 0 and 1
    std::vector<double> values(grower::product(lens));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto n = std::int64_t(limits[i % limits.size()]);
        values[i] = double(w.random.between(w.random.chance(0.3) ? -n : 0, n - 1));
    }
    return w.literal(t, lens, values);
}

id data(grower& w) {
    return w.tensor(any, 1, 4);
}

void gather(grower& w) {
    const auto x = data(w);
    const auto axis = w.random.below(w.rank_of(x));
    auto lens = w.some_lens(0, 2);
    for (auto& n : lens)
        n = std::max<std::size_t>(1, std::min<std::size_t>(n, 9));
    w.move("gather",
           {{"axis", w.random.chance(0.2) ? std::int64_t(axis) - std::int64_t(w.rank_of(x))
                                          : std::int64_t(axis)}},
           {x, indices(w, lens, {w.lens_of(x)[axis]})});
}
void gather_elements(grower& w) {
    const auto x = data(w);
    const auto axis = w.random.below(w.rank_of(x));
    auto lens = w.lens_of(x);
    lens[axis] = 1 + w.random.below(6);
    w.move("gather_elements", {{"axis", axis}}, {x, indices(w, lens, {w.lens_of(x)[axis]})});
}
void gathernd(grower& w) {
    const auto x = data(w);
    const auto k = 1 + w.random.below(w.rank_of(x));
    const auto batch = w.random.chance(0.3) and k < w.rank_of(x) ? 1 : 0;
    auto lens = lens_t{1 + w.random.below(6), k};
    if (batch == 1)
        lens = {w.lens_of(x)[0], 1 + w.random.below(4), std::min(k, w.rank_of(x) - 1)};
    const auto begin = w.lens_of(x).begin() + batch;
    w.move("gathernd", {{"batch_dims", batch}},
           {x, indices(w, lens, {begin, begin + std::ptrdiff_t(lens.back())})});
}

bounds scattered(const std::string& how, const bounds& data, const bounds& updates,
                 std::size_t times) {
    auto r = united(data, updates);
    if (how == "add")
        r = {data.lo + double(times) * std::min(updates.lo, 0.0),
             data.hi + double(times) * std::max(updates.hi, 0.0),
             data.err + double(times) * updates.err, data.whole and updates.whole};
    if (how == "mul") {
        const auto top = data.mag() * std::pow(std::max(updates.mag(), 1.0), double(times));
        r = {-top, top,
             (data.err + double(times) * updates.err * std::max(data.mag(), 1.0)) *
                 std::pow(std::max(updates.mag(), 1.0), double(times)),
             data.whole and updates.whole};
    }
    return r;
}
void scatter(grower& w) {
    static const std::vector<std::string> kinds{"none", "add", "mul", "min", "max"};
    const auto how = w.random.of(kinds);
    auto x = data(w);
    if (is_float(w.type_of(x)) and (how == "add" or how == "mul"))
        x = w.limited(w.precise(x), 2);
    const auto axis = w.random.below(w.rank_of(x));
    auto lens = w.lens_of(x);
    lens[axis] = 1 + w.random.below(std::min<std::size_t>(3, lens[axis]));
    // Of the updates of one element the last counts: they must differ.
    std::vector<double> at(grower::product(lens));
    std::size_t inner = 1;
    for (auto d = axis + 1; d < lens.size(); ++d)
        inner *= lens[d];
    const auto n = w.lens_of(x)[axis];
    const auto first = w.random.below(n);
    for (std::size_t i = 0; i < at.size(); ++i) {
        const auto row = i / inner % lens[axis];
        at[i] = how == "none" ? double((first + row) % n) - (w.random.chance(0.3) ? double(n) : 0)
                              : double(w.random.between(-std::int64_t(n), std::int64_t(n) - 1));
    }
    const auto index = w.literal(shape::int64_type, lens, at);
    auto updates = w.like(w.type_of(x), lens);
    if (is_float(w.type_of(x)) and (how == "add" or how == "mul"))
        updates = w.limited(w.precise(updates), 2);
    const auto r = scattered(how, w.range_of(x), w.range_of(updates), lens[axis]);
    w.add_rounded("scatter_" + how, {{"axis", axis}}, {x, index, updates}, r,
                  how == "add" or how == "mul" ? 6 : 0);
}
void scatternd(grower& w) {
    static const std::vector<std::string> kinds{"none", "add", "mul", "min", "max"};
    const auto how = w.random.of(kinds);
    auto x = data(w);
    if (is_float(w.type_of(x)) and (how == "add" or how == "mul"))
        x = w.limited(w.precise(x), 2);
    const auto k = 1 + w.random.below(w.rank_of(x));
    const auto count = 1 + w.random.below(std::min<std::size_t>(3, w.lens_of(x)[0]));
    std::vector<double> at;
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < k; ++j) {
            const auto n = w.lens_of(x)[j];
            at.push_back(j == 0 and how == "none"
                             ? double(i)
                             : double(w.random.between(-std::int64_t(n), std::int64_t(n) - 1)));
        }
    lens_t lens{count};
    lens.insert(lens.end(), w.lens_of(x).begin() + std::ptrdiff_t(k), w.lens_of(x).end());
    auto updates = w.like(w.type_of(x), lens);
    if (is_float(w.type_of(x)) and (how == "add" or how == "mul"))
        updates = w.limited(w.precise(updates), 2);
    const auto index = w.literal(shape::int64_type, {count, k}, at);
    w.add_rounded("scatternd_" + how, {}, {x, index, updates},
                  scattered(how, w.range_of(x), w.range_of(updates), count),
                  how == "add" or how == "mul" ? 6 : 0);
}
void onehot(grower& w) {
    auto lens = w.some_lens(1, 3);
    if (grower::product(lens) > 300)
        throw unsuitable();
    const auto depth = 1 + w.random.below(6);
    const auto t = w.some_type();
    const auto values =
        w.literal(t, {2}, {0, t == shape::bool_type ? 1.0 : double(w.random.between(1, 5))});
    w.add("onehot", {{"axis", w.random.between(-1, std::int64_t(lens.size()))}, {"depth", depth}},
          {indices(w, lens, {depth}), values}, w.range_of(values));
}
void topk(grower& w) {
    const auto x = w.exact(data(w));
    const auto axis = w.random.below(w.rank_of(x));
    const auto n = w.lens_of(x)[axis];
    const auto k = 1 + w.random.below(n);
    const auto top = w.add("topk", {{"k", k}, {"axis", axis}, {"largest", w.random.chance(0.6)}},
                           {x}, w.range_of(x));
    if (w.random.chance(0.8))
        w.element_of(top, 0, w.range_of(x));
    if (w.random.chance(0.6))
        w.element_of(top, 1, {0, double(n - 1), 0, true});
}
void nonzero(grower& w) {
    const auto x = w.exact(w.tensor(any, 1, 3));
    const auto n = double(*std::max_element(w.lens_of(x).begin(), w.lens_of(x).end()));
    w.add("nonzero", {}, {x}, {0, n, 0, true});
}
template <bool Max>
void arg_extreme(grower& w) {
    const auto x = w.exact(data(w));
    const auto axis = w.random.below(w.rank_of(x));
    w.add(Max ? "argmax" : "argmin", {{"axis", axis}, {"select_last_index", w.random.chance(0.4)}},
          {x}, {0, double(w.lens_of(x)[axis] - 1), 0, true});
}
void dimensions_of(grower& w) {
    const auto x = w.tensor(any, 1);
    const auto start = w.random.below(w.rank_of(x));
    const auto end = start + 1 + w.random.below(w.rank_of(x) - start);
    w.add("dimensions_of", {{"start", start}, {"end", end}}, {x}, {0, 20000, 0, true});
}
void pack(grower& w) {
    const auto x =
        w.tensor([](type_t t) { return t == shape::int8_type or t == shape::uint8_type; }, 1, 4);
    const auto axis = w.random.below(w.rank_of(x));
    const auto all = type_bounds(w.type_of(x));
    if (w.random.chance(0.5)) {
        w.add("unpack_int4", {{"axis", axis}}, {w.exact(x)}, {-8, 15, 0, true});
        return;
    }
    if (w.lens_of(x)[axis] % 2 != 0)
        throw unsuitable();
    w.add("pack_int4", {{"axis", axis}}, {w.exact(x)}, all);
}

} // namespace

void add_indexing_recipes(std::vector<recipe>& to) {
    to.insert(to.end(), {
                            {"gather", 3, gather},
                            {"gather_elements", 1, gather_elements},
                            {"gathernd", 1, gathernd},
                            {"scatter", 2, scatter},
                            {"scatternd", 1.5, scatternd},
                            {"onehot", 0.5, onehot},
                            {"topk", 1, topk},
                            {"nonzero", 0.4, nonzero},
                            {"argmax", 0.7, arg_extreme<true>},
                            {"argmin", 0.7, arg_extreme<false>},
                            {"dimensions_of", 0.2, dimensions_of},
                            {"packed int4", 0.4, pack},
                        });
}

} // namespace fuzz
