// SPDX-License-Identifier: MIT
// topk: the k best elements along an axis, best first, and where they were; of equal elements the
// one with the lower index comes first, NaN counts as the largest. topk_dynamic has k as an
// operand.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace migraphx {

namespace {

shape with_axis(const shape& x, shape::type_t t, std::size_t axis, std::size_t k) {
    auto dims = dims_of(x);
    dims[axis] = {k, k};
    if (x.dynamic())
        return {t, x.symbolic() ? dims_of(shape{t, dims}, true) : dims};
    auto lens = x.lens();
    lens[axis] = k;
    return {t, lens};
}

shape topk_shape(const shape& x, std::size_t axis, int64_t k) {
    const auto range = dims_of(x)[axis].get_interval();
    if (k < 0 or static_cast<std::size_t>(k) > range.max)
        fail_shape(str("k must be from 0 to ", range.max, ", got ", k));
    const auto n = static_cast<std::size_t>(k);
    return shape{{with_axis(x, x.type(), axis, n), with_axis(x, shape::int64_type, axis, n)}};
}

template <class T>
bool precedes(T a, T b, bool largest) {
    if constexpr (std::is_same_v<T, double>)
        if (std::isnan(a) or std::isnan(b))
            return largest ? std::isnan(a) and not std::isnan(b)
                           : not std::isnan(a) and std::isnan(b);
    return largest ? a > b : a < b;
}

// `names`: what to report in place of the indices, in the dimensions of x; may be null.
argument find_top(const argument& x, const argument* names, std::size_t axis, int64_t k,
                  bool largest) {
    auto out = argument::uninitialized(topk_shape(x.get_shape(), axis, k));
    const auto subs = out.get_sub_objects();
    const auto reported = names == nullptr ? std::vector<int64_t>{} : load<int64_t>(*names);
    with_number(x.get_shape().type(), [&](auto zero) {
        const auto values = load<decltype(zero)>(x);
        const auto count = static_cast<std::size_t>(k);
        numbers<decltype(zero)> best(subs[0].get_shape().lens());
        numbers<int64_t> where(subs[1].get_shape().lens());
        std::size_t line = 0, inner = 1;
        for (auto d = axis + 1; d < best.lens.size(); ++d)
            inner *= best.lens[d];
        for_each_line(
            x.get_shape().lens(), axis, [&](std::size_t first, std::size_t stride, std::size_t n) {
                const auto to = line / inner * count * inner + line % inner;
                ++line;
                if (count > n)
                    fail_shape(str("k of at most ", n, " was expected, got ", k));
                std::vector<std::size_t> order(n);
                std::iota(order.begin(), order.end(), std::size_t{0});
                std::partial_sort(order.begin(), order.begin() + k, order.end(),
                                  [&](std::size_t a, std::size_t b) {
                                      const auto u = values[first + a * stride];
                                      const auto v = values[first + b * stride];
                                      if (precedes(u, v, largest))
                                          return true;
                                      return not precedes(v, u, largest) and a < b;
                                  });
                for (std::size_t i = 0; i < count; ++i) {
                    const auto from = first + order[i] * stride;
                    best[to + i * inner] = values[from];
                    where[to + i * inner] =
                        names == nullptr ? static_cast<int64_t>(order[i]) : reported[from];
                }
            });
        store(subs[0], best.data);
        store(subs[1], where.data);
    });
    return out;
}

struct topk_op {
    int64_t k = 1;
    int64_t axis = 0;
    bool largest = true;

    static constexpr auto name = "topk";
    static constexpr auto summary = "The k best elements along an axis and their indices";
    static void fields(field_list<topk_op>& f) {
        f.add("k", &topk_op::k, "how many");
        f.axis("axis", &topk_op::axis, "dimension to search");
        f.add("largest", &topk_op::largest, "largest first, else smallest first");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2}).tensor().axis(axis);
        if (in.size() == 2)
            expect(in).same_dims().only(1, 2).integral();
        return topk_shape(in[0], static_cast<std::size_t>(axis), k);
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        return find_top(in[0], in.size() == 2 ? &in[1] : nullptr, static_cast<std::size_t>(axis), k,
                        largest);
    }
};

const registered_op<topk_op> topk_registered;

struct topk_dynamic_op {
    int64_t axis = 0;
    bool largest = true;

    static constexpr auto name = "topk_dynamic";
    static constexpr auto summary = "topk with k as the second operand";
    static void fields(field_list<topk_dynamic_op>& f) {
        f.axis("axis", &topk_dynamic_op::axis, "dimension to search");
        f.add("largest", &topk_dynamic_op::largest, "largest first, else smallest first");
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().axis(axis).only(1, 2).integral();
        if (not in[1].dynamic() and in[1].elements() != 1)
            fail_shape(str("k as one number was expected, got ", in[1]));
        auto dims = dims_of(in[0]);
        auto& d = dims[static_cast<std::size_t>(axis)];
        d = {0, d.get_interval().max};
        return shape{{shape{in[0].type(), dims}, shape{shape::int64_type, dims}}};
    }
    shape resolve(const std::vector<argument>& in) const {
        infer(to_shapes(in));
        return topk_shape(in[0].get_shape(), static_cast<std::size_t>(axis),
                          load<int64_t>(in[1])[0]);
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        return find_top(in[0], nullptr, static_cast<std::size_t>(axis), load<int64_t>(in[1]).at(0),
                        largest);
    }
};

const registered_op<topk_dynamic_op> topk_dynamic_registered;

} // namespace

} // namespace migraphx
