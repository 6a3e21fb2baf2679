// SPDX-License-Identifier: MIT
// Reductions over axes, which stay as dimensions of 1. Without axes as an attribute they are the
// second operand; an empty list of those reduces nothing.
#include "ops/elementwise.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/op/reduce_all.hpp>
#include <migraphx/op/reduce_any.hpp>
#include <migraphx/op/reduce_max.hpp>
#include <migraphx/op/reduce_mean.hpp>
#include <migraphx/op/reduce_min.hpp>
#include <migraphx/op/reduce_prod.hpp>
#include <migraphx/op/reduce_sum.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

enum class reduction { sum, mean, prod, max, min, all, any };

struct reduction_row {
    const char* name;
    const char* summary;
    reduction kind;
};

constexpr reduction_row sum_row{"reduce_sum", "Sum over the axes", reduction::sum};
constexpr reduction_row mean_row{"reduce_mean", "Mean over the axes; integers truncate toward zero",
                                 reduction::mean};
constexpr reduction_row prod_row{"reduce_prod", "Product over the axes", reduction::prod};
constexpr reduction_row max_row{"reduce_max", "Largest element over the axes; NaN if one is",
                                reduction::max};
constexpr reduction_row min_row{"reduce_min", "Smallest element over the axes; NaN if one is",
                                reduction::min};
constexpr reduction_row all_row{"reduce_all", "1 where all elements are nonzero", reduction::all};
constexpr reduction_row any_row{"reduce_any", "1 where some element is nonzero", reduction::any};

// acc[position of the element with its reduced axes at 0] = f(acc[...], element) for every element
// in logical order. Reduced axes are those of 1 in `reduced`.
template <class T, class F>
void accumulate(std::vector<T>& acc, const argument& in, const std::vector<std::size_t>& reduced,
                F f) {
    const auto& lens = in.get_shape().lens();
    std::vector<std::size_t> steps(lens.size(), 0), index(lens.size(), 0);
    std::size_t stride = 1;
    for (std::size_t d = lens.size(); d-- > 0; stride *= reduced[d])
        if (reduced[d] == lens[d])
            steps[d] = stride;
    std::vector<T> part(elementwise_part);
    std::size_t at = 0;
    const auto n = in.get_shape().elements();
    for (std::size_t first = 0; first < n; first += elementwise_part) {
        const auto count = std::min(elementwise_part, n - first);
        load(in, first, count, part.data());
        for (std::size_t i = 0; i < count; ++i) {
            acc[at] = f(acc[at], part[i]);
            for (std::size_t d = lens.size(); d-- > 0;) {
                at += steps[d];
                if (++index[d] < lens[d])
                    break;
                at -= steps[d] * lens[d];
                index[d] = 0;
            }
        }
    }
}

// What the maximum (or minimum) of no elements is.
template <class T>
T extreme_of_none(shape::type_t t, bool of_max) {
    if constexpr (std::is_same_v<T, double>)
        return of_max ? -std::numeric_limits<double>::infinity()
                      : std::numeric_limits<double>::infinity();
    else {
        if (t == shape::bool_type)
            return of_max ? T{0} : T{1};
        T result{};
        shape::visit(t, [&](auto as) {
            if constexpr (std::is_integral_v<typename decltype(as)::type>)
                result = static_cast<T>(of_max ? as.min() : as.max());
        });
        return result;
    }
}

template <class T>
bool is_nan_number(T x) {
    if constexpr (std::is_same_v<T, double>)
        return std::isnan(x);
    else
        return false;
}

// T is the class of the numbers; sums and products of integers wrap.
template <class T>
std::vector<T> reduce_numbers(reduction kind, const argument& in,
                              const std::vector<std::size_t>& lens, std::size_t n) {
    using wide = std::conditional_t<std::is_same_v<T, double>, double, uint64_t>;
    const auto type = in.get_shape().type();
    const auto with = [&](auto init, auto f) {
        std::vector<decltype(init)> acc(n, init);
        accumulate(acc, in, lens, f);
        return std::vector<T>(acc.begin(), acc.end());
    };
    switch (kind) {
    case reduction::sum:
    case reduction::mean: {
        auto sums = with(wide{0}, [](wide a, wide x) { return a + x; });
        if (kind == reduction::mean) {
            const auto count = n == 0 ? 0 : in.get_shape().elements() / n;
            for (auto& x : sums)
                if constexpr (std::is_same_v<T, double>)
                    x /= static_cast<double>(count);
                else
                    x = count == 0 ? 0 : x / static_cast<T>(count);
        }
        return sums;
    }
    case reduction::prod:
        return with(wide{1}, [](wide a, wide x) { return a * x; });
    case reduction::max:
        return with(extreme_of_none<T>(type, true), [](T a, T x) {
            return is_nan_number(a) or not(is_nan_number(x) or x > a) ? a : x;
        });
    case reduction::min:
        return with(extreme_of_none<T>(type, false), [](T a, T x) {
            return is_nan_number(a) or not(is_nan_number(x) or x < a) ? a : x;
        });
    case reduction::all:
        return with(T{1}, [](T a, T x) { return T(a != 0 and x != 0 ? 1 : 0); });
    case reduction::any:
        return with(T{0}, [](T a, T x) { return T(a != 0 or x != 0 ? 1 : 0); });
    }
    return {};
}

void compute_reduction(reduction kind, const argument& out, const argument& in) {
    with_number(in.get_shape().type(), [&](auto zero) {
        store(out, reduce_numbers<decltype(zero)>(kind, in, out.get_shape().lens(),
                                                  out.get_shape().elements()));
    });
}

shape reduction_shape(const std::vector<shape>& in, const std::vector<int64_t>& axes) {
    const expect check(in);
    if (not axes.empty()) {
        check.count(1).tensor().axes(axes);
        return reduce_shape(in[0], axes);
    }
    check.count(2).tensor();
    if (shape_input_size(in[1], "axes") == 0)
        return reduce_shape(in[0], {});
    std::vector<shape::dynamic_dimension> dims;
    const auto least = in[0].min_lens(), most = in[0].max_lens();
    for (std::size_t i = 0; i < most.size(); ++i)
        dims.emplace_back(std::min<std::size_t>(1, least[i]), std::max<std::size_t>(1, most[i]));
    return {in[0].type(), dims};
}

template <class Attributes, const reduction_row& Row>
struct reduction_op : Attributes {
    static constexpr auto name = Row.name;
    static constexpr auto summary = Row.summary;
    static void fields(field_list<reduction_op>& f) {
        f.axis("axes", &reduction_op::axes, "dimensions to reduce; none: the second operand");
    }
    static void traits(op_info& info) { info.type = &typeid(Attributes); }
    value attributes() const { return {{"reduce", true}}; }
    static std::vector<std::size_t> shape_inputs() { return {1}; }

    shape infer(const std::vector<shape>& in) const { return reduction_shape(in, this->axes); }
    shape resolve(const std::vector<argument>& in) const {
        const auto shapes = to_shapes(in);
        const auto stated = infer(shapes);
        return in.size() == 1 ? stated : reduce_shape(shapes[0], read_integers(in[1]));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        compute_reduction(Row.kind, out, in[0]);
    }
};

const registered_op<reduction_op<op::reduce_sum, sum_row>> reduce_sum_registered;
const registered_op<reduction_op<op::reduce_mean, mean_row>> reduce_mean_registered;
const registered_op<reduction_op<op::reduce_prod, prod_row>> reduce_prod_registered;
const registered_op<reduction_op<op::reduce_max, max_row>> reduce_max_registered;
const registered_op<reduction_op<op::reduce_min, min_row>> reduce_min_registered;
const registered_op<reduction_op<op::reduce_all, all_row>> reduce_all_registered;
const registered_op<reduction_op<op::reduce_any, any_row>> reduce_any_registered;

} // namespace

} // namespace migraphx
