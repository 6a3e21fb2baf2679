// SPDX-License-Identifier: MIT
// argmax and argmin: where along an axis the extreme element is. NaN counts as the extreme.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/op/argmax.hpp>
#include <migraphx/op/argmin.hpp>

#include <cmath>

namespace migraphx {

namespace {

// x is further out than y; neither of two equal ones is.
template <class T>
bool beats(T x, T y, bool largest) {
    if constexpr (std::is_same_v<T, double>)
        if (std::isnan(x) or std::isnan(y))
            return std::isnan(x) and not std::isnan(y);
    return largest ? x > y : x < y;
}

void find_extremes(const argument& out, const argument& in, std::size_t axis, bool largest,
                   bool last) {
    with_number(in.get_shape().type(), [&](auto zero) {
        const auto x = load<decltype(zero)>(in);
        std::vector<int64_t> result;
        for_each_line(in.get_shape().lens(), axis,
                      [&](std::size_t first, std::size_t stride, std::size_t n) {
                          std::size_t best = 0;
                          for (std::size_t i = 1; i < n; ++i) {
                              const auto candidate = x[first + i * stride];
                              const auto held = x[first + best * stride];
                              if (beats(candidate, held, largest) or
                                  (last and not beats(held, candidate, largest)))
                                  best = i;
                          }
                          result.push_back(static_cast<int64_t>(best));
                      });
        store(out, result);
    });
}

template <class Attributes, bool Largest>
struct arg_op : Attributes {
    static constexpr auto name = Largest ? "argmax" : "argmin";
    static constexpr auto summary = Largest ? "Position of the largest element along an axis"
                                            : "Position of the smallest element along an axis";
    static void fields(field_list<arg_op>& f) {
        f.axis("axis", &arg_op::axis, "dimension to search");
        f.add("select_last_index", &arg_op::select_last_index, "the last of equal elements");
    }
    static void traits(op_info& info) { info.type = &typeid(Attributes); }
    value attributes() const { return {{"reduce", true}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axis(this->axis);
        const auto n = static_cast<std::size_t>(this->axis);
        expect(in).that(in[0].max_lens()[n] != 0, "an axis with elements was expected, got none");
        return reduce_shape(in[0], {this->axis}, shape::int64_type);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto n = static_cast<std::size_t>(this->axis);
        find_extremes(out, in[0], n, Largest, this->select_last_index);
    }
};

const registered_op<arg_op<op::argmax, true>> argmax_registered;
const registered_op<arg_op<op::argmin, false>> argmin_registered;

} // namespace

} // namespace migraphx
