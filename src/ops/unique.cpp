// SPDX-License-Identifier: MIT
// unique: the distinct elements (or slices along `axis`), where each first is, which of them each
// element is, and how often each occurs. Sorted, or in order of first occurrence.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

namespace migraphx {

namespace {

// Total order with NaN last; NaNs are equal.
template <class T>
bool unique_less(T a, T b) {
    if constexpr (std::is_same_v<T, double>)
        if (std::isnan(a) or std::isnan(b))
            return not std::isnan(a) and std::isnan(b);
    return a < b;
}

struct unique_groups {
    std::vector<int64_t> first, inverse, counts;
};

struct unique_op {
    std::optional<int64_t> axis;
    bool sorted = true;

    static constexpr auto name = "unique";
    static constexpr auto summary = "Distinct elements or slices, their positions and counts";
    static void fields(field_list<unique_op>& f) {
        f.axis("axis", &unique_op::axis, "dimension of the slices; none: all elements in one list");
        f.add("sorted", &unique_op::sorted, "ascending, else in order of first occurrence");
    }
    static std::vector<std::size_t> shape_inputs() { return {0}; }

    static shape results(shape::type_t t, const std::vector<shape::dynamic_dimension>& y,
                         const shape::dynamic_dimension& found,
                         const shape::dynamic_dimension& all) {
        using dims = std::vector<shape::dynamic_dimension>;
        return shape{std::vector<shape>{{t, y},
                                        {shape::int64_type, dims{found}},
                                        {shape::int64_type, dims{all}},
                                        {shape::int64_type, dims{found}}}};
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto x = demote_to_range(in[0]);
        auto dims = x.dyn_dims();
        if (axis)
            expect(in).axis(*axis);
        shape::dynamic_dimension all{1, 1};
        if (axis)
            all = dims[static_cast<std::size_t>(*axis)];
        else
            for (const auto& d : dims)
                all = all * d;
        const auto range = all.get_interval();
        const shape::dynamic_dimension found{std::min<std::size_t>(1, range.min), range.max};
        if (not axis)
            dims = {found};
        else
            dims[static_cast<std::size_t>(*axis)] = found;
        return results(x.type(), dims, found, all);
    }

    // Number and size of the slices; element j of slice i is at x[i / 1 ...]: see `position`.
    struct slices {
        std::size_t count = 0, size = 0, inner = 1;
        std::size_t position(std::size_t slice, std::size_t j) const {
            return (j / inner * count + slice) * inner + j % inner;
        }
    };
    slices slices_of(const shape& s) const {
        if (not axis)
            return {s.elements(), 1, 1};
        const auto at = static_cast<std::size_t>(*axis);
        slices result;
        result.count = s.lens()[at];
        result.size = result.count == 0 ? 0 : s.elements() / result.count;
        for (std::size_t d = at + 1; d < s.ndim(); ++d)
            result.inner *= s.lens()[d];
        return result;
    }
    unique_groups groups(const argument& a) const {
        return with_number(a.get_shape().type(), [&](auto zero) {
            const auto x = load<decltype(zero)>(a);
            const auto s = slices_of(a.get_shape());
            const auto less = [&](std::size_t p, std::size_t q) {
                for (std::size_t j = 0; j < s.size; ++j) {
                    const auto u = x[s.position(p, j)], v = x[s.position(q, j)];
                    if (unique_less(u, v) or unique_less(v, u))
                        return unique_less(u, v);
                }
                return false;
            };
            std::vector<std::size_t> order(s.count);
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::stable_sort(order.begin(), order.end(), less);
            // Equal slices in a row, the first occurrence in front.
            std::vector<std::vector<std::size_t>> equal;
            for (auto i : order) {
                if (equal.empty() or less(equal.back().front(), i))
                    equal.emplace_back();
                equal.back().push_back(i);
            }
            if (not sorted)
                std::sort(equal.begin(), equal.end());
            unique_groups result;
            result.inverse.resize(s.count);
            for (std::size_t g = 0; g < equal.size(); ++g) {
                result.first.push_back(static_cast<int64_t>(equal[g].front()));
                result.counts.push_back(static_cast<int64_t>(equal[g].size()));
                for (auto i : equal[g])
                    result.inverse[i] = static_cast<int64_t>(g);
            }
            return result;
        });
    }
    shape concrete(const shape& x, std::size_t found) const {
        auto lens = x.lens();
        if (axis)
            lens[static_cast<std::size_t>(*axis)] = found;
        else
            lens = {found};
        using one = std::vector<std::size_t>;
        return shape{std::vector<shape>{{x.type(), lens},
                                        {shape::int64_type, one{found}},
                                        {shape::int64_type, one{slices_of(x).count}},
                                        {shape::int64_type, one{found}}}};
    }
    shape resolve(const std::vector<argument>& in) const {
        infer(to_shapes(in));
        return concrete(in[0].get_shape(), groups(in[0]).first.size());
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto found = groups(in[0]);
        auto out = argument::uninitialized(concrete(in[0].get_shape(), found.first.size()));
        const auto subs = out.get_sub_objects();
        const auto from = slices_of(in[0].get_shape());
        auto to = from;
        to.count = found.first.size();
        with_number(in[0].get_shape().type(), [&](auto zero) {
            const auto x = load<decltype(zero)>(in[0]);
            std::vector<decltype(zero)> y(to.count * to.size);
            for (std::size_t g = 0; g < to.count; ++g)
                for (std::size_t j = 0; j < to.size; ++j)
                    y[to.position(g, j)] =
                        x[from.position(static_cast<std::size_t>(found.first[g]), j)];
            store(subs[0], y);
        });
        store(subs[1], found.first);
        store(subs[2], found.inverse);
        store(subs[3], found.counts);
        return out;
    }
};

const registered_op<unique_op> unique_registered;

} // namespace

} // namespace migraphx
