// SPDX-License-Identifier: MIT
#include "grower.hpp"
#include "recipes.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/permutation.hpp>

#include "base/str.hpp"
#include "ops/tensor.hpp"

#include <numeric>

namespace fuzz {

using namespace migraphx;

namespace {

constexpr std::size_t most_elements = 20000;

// Larger values are not made, so that nothing overflows.
double most_magnitude(type_t t) {
    return t == shape::half_type ? 2e4 : 1e12;
}

// Distance of the smallest numbers, below which an error is no longer relative.
double smallest_step(type_t t) {
    return t == shape::half_type ? 0x1p-24 : t == shape::double_type ? 1e-300 : 1e-36;
}

} // namespace

bounds united(const bounds& a, const bounds& b) {
    return {std::min(a.lo, b.lo), std::max(a.hi, b.hi), std::max(a.err, b.err),
            a.whole and b.whole};
}

std::size_t grower::product(const lens_t& lens) {
    return std::accumulate(lens.begin(), lens.end(), std::size_t{1}, std::multiplies<>{});
}
bool grower::fits(const lens_t& lens) {
    return product(lens) <= most_elements;
}

bool grower::is_tensor(id i) const {
    return shape_of(i).type() != shape::tuple_type;
}

grower::id grower::parameter(const shape& s) {
    node n;
    n.kind = node::parameter;
    n.name = "p" + std::to_string(names++);
    n.out = s;
    n.range = parameter_bounds(s.type());
    g.nodes.push_back(std::move(n));
    return g.nodes.size() - 1;
}

grower::id grower::literal(type_t t, const lens_t& lens, const std::vector<double>& values) {
    node n;
    n.kind = node::literal;
    n.out = lens.empty() ? shape{t} : shape{t, lens};
    n.value = argument::uninitialized(n.out);
    store(n.value, values);
    const auto stored = load<double>(n.value);
    if (not stored.empty())
        n.range = {
            *std::min_element(stored.begin(), stored.end()),
            *std::max_element(stored.begin(), stored.end()), 0,
            std::all_of(stored.begin(), stored.end(), [](double x) { return x == std::floor(x); })};
    g.nodes.push_back(std::move(n));
    return g.nodes.size() - 1;
}

grower::id grower::number(type_t t, double x) {
    return literal(t, {}, {x});
}

grower::id grower::add(const std::string& name, const value& attributes,
                       const std::vector<id>& inputs, bounds range) {
    node n;
    n.op = attributes.empty() ? make_op(name) : make_op(name, attributes);
    n.inputs = inputs;
    std::vector<shape> shapes;
    for (auto i : inputs)
        shapes.push_back(shape_of(i));
    n.out = n.op.compute_shape(shapes);
    n.range = range;
    const auto t = n.out.type();
    if (is_float(t)) {
        if (not(range.mag() + range.err <= most_magnitude(t)))
            throw unsuitable();
    } else if (t != shape::tuple_type) {
        // Integers wrap round; 2^63 and 2^64 are the largest values of their types as doubles as
        // well.
        const auto all = type_bounds(t);
        n.range.whole = true;
        // Of integers that may differ nothing is known that jumps, nor when they wrap.
        const bool differ = std::any_of(inputs.begin(), inputs.end(), [&](id i) {
            return is_tensor(i) and not range_of(i).exact() and not is_float(type_of(i));
        });
        if (differ and
            (range.err == 0 or range.lo - range.err < all.lo or range.hi + range.err > all.hi))
            throw unsuitable();
        if (range.lo < all.lo or range.hi > all.hi or range.hi >= 0x1p63) {
            n.range.lo = all.lo;
            n.range.hi = all.hi;
        }
    }
    if (t != shape::tuple_type and not fits(n.out.lens()))
        throw unsuitable();
    g.nodes.push_back(std::move(n));
    return g.nodes.size() - 1;
}

grower::id grower::add_rounded(const std::string& name, const value& attributes,
                               const std::vector<id>& inputs, bounds range, double slack) {
    const auto t = type_of(inputs.front());
    // Sums and products of small whole numbers are exact.
    const bool stays = range.whole and range.err == 0 and range.mag() <= whole_limit(t);
    if (is_float(t) and not stays) {
        range.err += slack * unit_roundoff(t) * (range.mag() + range.err) + smallest_step(t);
        range.whole = false;
    }
    return add(name, attributes, inputs, range);
}

grower::id grower::move(const std::string& name, const value& attributes,
                        const std::vector<id>& inputs) {
    return add(name, attributes, inputs, range_of(inputs.front()));
}

grower::id grower::element_of(id tuple, std::size_t i, bounds range) {
    return add("get_tuple_elem", {{"index", i}}, {tuple}, range);
}

type_t grower::some_float() {
    const auto r = random.below(100);
    return r < 62   ? shape::float_type
           : r < 78 ? shape::half_type
           : r < 90 ? shape::bf16_type
                    : shape::double_type;
}

type_t grower::some_integer() {
    static const std::vector<type_t> types{
        shape::int32_type,  shape::int32_type,  shape::int64_type,  shape::int64_type,
        shape::int8_type,   shape::int8_type,   shape::uint8_type,  shape::int16_type,
        shape::uint16_type, shape::uint32_type, shape::uint64_type, shape::bool_type};
    return random.of(types);
}

type_t grower::some_type() {
    return random.chance(0.65) ? some_float() : some_integer();
}

std::size_t grower::some_size() {
    static const std::vector<std::size_t> sizes{1, 1, 1, 2, 2,  3,  3,  4,  4, 5,
                                                6, 7, 8, 9, 12, 16, 17, 31, 33};
    return random.of(sizes);
}

lens_t grower::some_lens(std::size_t min_rank, std::size_t max_rank) {
    static const std::vector<std::size_t> ranks{0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 6};
    std::size_t rank = 0;
    do
        rank = random.of(ranks);
    while (rank < min_rank or rank > max_rank);
    const std::size_t room = random.chance(0.04) ? most_elements : 1500;
    lens_t lens(rank);
    do
        for (auto& n : lens)
            n = some_size();
    while (product(lens) > room);
    if (rank > 0 and random.chance(0.01))
        lens[random.below(rank)] = 0;
    return lens;
}

std::optional<grower::id> grower::present(const std::function<bool(id)>& wanted) {
    std::vector<id> found;
    for (id i = 0; i < g.nodes.size(); ++i)
        if (is_tensor(i) and wanted(i))
            found.push_back(i);
    if (found.empty())
        return std::nullopt;
    const double u = random.real(0, 1);
    return found[found.size() - 1 - std::size_t(u * u * double(found.size()))];
}

grower::id grower::tensor(const std::function<bool(type_t)>& wanted, std::size_t min_rank,
                          std::size_t max_rank) {
    const auto suits = [&](id i) {
        return wanted(type_of(i)) and rank_of(i) >= min_rank and rank_of(i) <= max_rank and
               shape_of(i).elements() > 0;
    };
    if (random.chance(0.85))
        if (auto found = present(suits))
            return *found;
    type_t t{};
    do
        t = some_type();
    while (not wanted(t));
    auto lens = some_lens(min_rank, max_rank);
    if (product(lens) == 0)
        lens.assign(lens.size(), 2);
    return fresh(t, lens);
}

grower::id grower::fresh(type_t t, const lens_t& lens, double top) {
    const auto n = product(lens);
    if (n <= 300 and random.chance(0.3)) {
        std::vector<double> values(n);
        const bool whole = not is_float(t) or random.chance(0.5);
        const auto all = is_float(t) ? bounds{} : type_bounds(t);
        const bool wide = not is_float(t) and random.chance(0.2);
        for (auto& x : values) {
            x = random.real(-top, top);
            if (whole)
                x = std::round(x);
            if (wide)
                x = random.chance(0.3)   ? all.lo
                    : random.chance(0.4) ? all.hi
                                         : random.real(all.lo, all.hi);
            if (not is_float(t))
                x = std::clamp(x, all.lo, all.hi);
        }
        return literal(t, lens, values);
    }
    shape s = lens.empty() ? shape{t} : shape{t, lens};
    if (lens.size() > 1 and random.chance(0.2)) {
        std::vector<std::int64_t> order(lens.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        s = shape::from_permutation(t, lens, order);
    }
    const auto p = parameter(s);
    if (not is_float(t) or random.chance(0.5))
        return p;
    top = std::exp2(std::floor(std::log2(top))); // The product is exact.
    const auto scaled =
        add("mul", {}, {p, *stretched(number(t, top), lens_of(p))}, {-top, top, 0, false});
    return add(random.chance(0.5) ? "floor" : "nearbyint", {}, {scaled}, {-top, top, 0, true});
}

std::optional<grower::id> grower::stretched(id x, const lens_t& lens) {
    const auto& from = lens_of(x);
    if (from == lens)
        return x;
    if (lens.empty() or not fits(lens))
        return std::nullopt;
    bool right_aligned = from.size() <= lens.size();
    for (std::size_t i = 0; right_aligned and i < from.size(); ++i) {
        const auto n = lens[lens.size() - from.size() + i];
        right_aligned = from[i] == n or from[i] == 1;
    }
    if (from.size() == 1 and from[0] == 1 and random.chance(0.2))
        return move("scalar", {{"scalar_bcst_dims", lens}}, {x});
    if (right_aligned) {
        if (random.chance(0.15))
            if (auto other = present([&](id i) { return i != x and lens_of(i) == lens; }))
                return move("multibroadcast", {}, {x, *other});
        return move("multibroadcast", {{"out_lens", lens}}, {x});
    }
    // Somewhere inside.
    for (std::size_t axis = 0; axis + from.size() <= lens.size(); ++axis)
        if (std::equal(from.begin(), from.end(), lens.begin() + std::ptrdiff_t(axis)))
            return move("broadcast", {{"axis", axis}, {"out_lens", lens}}, {x});
    return std::nullopt;
}

grower::id grower::like(type_t t, const lens_t& lens) {
    const auto choice = random.below(10);
    if (choice < 4) {
        if (auto found = present([&](id i) { return type_of(i) == t and lens_of(i) == lens; }))
            return *found;
    } else if (choice < 6) {
        if (auto found =
                present([&](id i) { return type_of(i) == t and shape_of(i).elements() > 0; }))
            if (auto wide = stretched(*found, lens))
                return *wide;
    } else if (choice < 7 and not lens.empty()) {
        if (auto found = present(
                [&](id i) { return type_of(i) == t and shape_of(i).elements() == product(lens); }))
            return lens_of(*found) == lens ? *found : move("reshape", {{"dims", lens}}, {*found});
    } else if (choice < 8) {
        if (auto found = present([&](id i) { return type_of(i) != t and lens_of(i) == lens; }))
            return to_type(*found, t);
    }
    // Smaller, and stretched.
    if (not lens.empty() and random.chance(0.3)) {
        auto small = lens;
        for (auto& n : small)
            if (random.chance(0.5))
                n = 1;
        if (random.chance(0.5))
            while (small.size() > 1 and small.front() == 1)
                small.erase(small.begin());
        if (auto wide = stretched(fresh(t, small), lens))
            return *wide;
    }
    return fresh(t, lens);
}

grower::id grower::exact_like(type_t t, const lens_t& lens) {
    return exact(like(t, lens));
}

grower::id grower::exact(id x) {
    if (range_of(x).exact())
        return x;
    const auto t = type_of(x);
    const auto lens = lens_of(x);
    if (random.chance(0.6))
        if (auto found = present([&](id i) {
                return type_of(i) == t and lens_of(i) == lens and range_of(i).exact();
            }))
            return *found;
    return fresh(t, lens);
}

grower::id grower::to_type(id x, type_t t) {
    if (type_of(x) == t)
        return x;
    const bool from_float = is_float(type_of(x)), to_float = is_float(t);
    if (not to_float and from_float)
        x = exact(x);
    if (to_float)
        x = limited(x, 1000);
    auto r = range_of(x);
    const value attributes{{"target_type", t}};
    if (to_float) {
        if (not(r.whole and r.exact() and r.mag() <= whole_limit(t)) and
            not(from_float and unit_roundoff(t) <= unit_roundoff(type_of(x))))
            r.err += unit_roundoff(t) * r.mag() + smallest_step(t);
        return add("convert", attributes, {x}, r);
    }
    // Cut off, saturated.
    const auto all = type_bounds(t);
    if (t == shape::bool_type)
        return add("convert", attributes, {x}, {0, 1, 0, true});
    return add("convert", attributes, {x},
               {std::clamp(std::trunc(r.lo), all.lo, all.hi),
                std::clamp(std::trunc(r.hi), all.lo, all.hi), r.err, true});
}

grower::id grower::within(id x, double lo, double hi) {
    const auto r = range_of(x);
    if (r.lo >= lo and r.hi <= hi)
        return x;
    const auto t = type_of(x);
    const auto lens = lens_of(x);
    if (not is_float(t) or r.whole or random.chance(0.6)) {
        const auto low = number(t, is_float(t) ? lo : std::ceil(lo)),
                   high = number(t, is_float(t) ? hi : std::floor(hi));
        const auto l = range_of(low).lo, h = range_of(high).lo;
        const auto a = stretched(low, lens), b = stretched(high, lens);
        return add("clip", {}, {x, *a, *b},
                   {std::clamp(r.lo, l, h), std::clamp(r.hi, l, h), r.err,
                    r.whole and range_of(low).whole and range_of(high).whole});
    }
    const double middle = (lo + hi) / 2, half = (hi - lo) / 2 * 0.98;
    const auto squashed = add_rounded("tanh", {}, {x}, {-1, 1, r.err, false}, 8);
    const auto e = range_of(squashed).err;
    const auto scaled = add_rounded("mul", {}, {squashed, *stretched(number(t, half), lens)},
                                    {-half, half, e * half, false});
    return add_rounded("add", {}, {scaled, *stretched(number(t, middle), lens)},
                       {middle - half, middle + half, range_of(scaled).err, false});
}

grower::id grower::precise(id x, double share) {
    const auto r = range_of(x);
    if (r.err <= share * std::max(r.mag(), 0.1))
        return x;
    return fresh(type_of(x), lens_of(x));
}

} // namespace fuzz
