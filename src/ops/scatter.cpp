// SPDX-License-Identifier: MIT
// scatter_none, _add, _mul, _min, _max: out = data, then for each index tuple i,
// out[.., indices[i], ..] (op)= updates[i] along `axis`.
#include "ops/expect.hpp"
#include "ops/indices.hpp"
#include "ops/op.hpp"
#include "ops/scatter_reduction.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <cmath>

namespace migraphx {

namespace {

template <class T>
T reduce_pair(scatter_reduction reduction, T old, T update) {
    switch (reduction) {
    case scatter_reduction::add:
        return static_cast<T>(old + update);
    case scatter_reduction::mul:
        return static_cast<T>(old * update);
    case scatter_reduction::min:
        return update < old or update != update ? update : old;
    case scatter_reduction::max:
        return update > old or update != update ? update : old;
    default:
        return update;
    }
}

} // namespace

void scatter_elements(const argument& out, const argument& updates, const std::vector<int64_t>& to,
                      scatter_reduction reduction) {
    with_number(out.get_shape().type(), [&](auto tag) {
        // Signed sums and products wrap round, as they do in the element type.
        using number =
            std::conditional_t<std::is_same_v<decltype(tag), int64_t>, uint64_t, decltype(tag)>;
        constexpr bool is_signed = std::is_same_v<decltype(tag), int64_t>;
        auto values = load<decltype(tag)>(out);
        const auto changes = load<decltype(tag)>(updates);
        for (std::size_t i = 0; i < to.size(); ++i) {
            if (to[i] < 0)
                continue;
            auto& x = values[static_cast<std::size_t>(to[i])];
            if constexpr (is_signed) {
                if (reduction == scatter_reduction::add or reduction == scatter_reduction::mul)
                    x = static_cast<int64_t>(reduce_pair(reduction, static_cast<number>(x),
                                                         static_cast<number>(changes[i])));
                else
                    x = reduce_pair(reduction, x, changes[i]);
            } else
                x = reduce_pair(reduction, x, changes[i]);
        }
        store(out, values);
    });
}

namespace {

template <scatter_reduction R>
struct scatter_op {
    int64_t axis = 0;
    bool skip_out_of_bounds = false;

    static constexpr const char* names[] = {"scatter_none", "scatter_add", "scatter_mul",
                                            "scatter_min", "scatter_max"};
    static constexpr auto name = names[static_cast<int>(R)];
    static constexpr auto summary = "Updates put at indexed positions along `axis` of a copy";
    static void fields(field_list<scatter_op>& f) {
        f.axis("axis", &scatter_op::axis, "dimension that the indices count in");
        f.add("skip_out_of_bounds", &scatter_op::skip_out_of_bounds,
              "ignore indices out of range instead of failing");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor().same_rank().axis(axis);
        expect(in).only(1, 2).integral();
        expect(in).only(1, 3).same_dims();
        if (in[0].type() != in[2].type())
            fail_shape(str("updates of type ", in[0].type_string(), " were expected, got ",
                           in[2].type_string()));
        return keep_permutation(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_elements(out, in[0]);
        const auto& lens = out.get_shape().lens();
        const auto& from = in[1].get_shape().lens();
        for (std::size_t d = 0; d < lens.size(); ++d)
            if (d != static_cast<std::size_t>(axis) and from[d] > lens[d])
                fail_shape(str("indices inside of the data were expected, got ", from[d],
                               " for a dimension of ", lens[d]));
        const auto indices = load<int64_t>(in[1]);
        std::vector<int64_t> to;
        to.reserve(indices.size());
        std::vector<std::size_t> index(lens.size(), 0);
        for (auto i : indices) {
            auto target = index;
            auto& at = target[static_cast<std::size_t>(axis)];
            const auto len = lens[static_cast<std::size_t>(axis)];
            const bool found =
                skip_out_of_bounds ? find_position(i, len, at) : (at = position_of(i, len), true);
            to.push_back(found ? static_cast<int64_t>(out.get_shape().single(target)) : -1);
            next_index(index, from);
        }
        scatter_elements(out, in[2], to, R);
    }
};

const registered_op<scatter_op<scatter_reduction::none>> scatter_none_registered;
const registered_op<scatter_op<scatter_reduction::add>> scatter_add_registered;
const registered_op<scatter_op<scatter_reduction::mul>> scatter_mul_registered;
const registered_op<scatter_op<scatter_reduction::min>> scatter_min_registered;
const registered_op<scatter_op<scatter_reduction::max>> scatter_max_registered;

} // namespace

} // namespace migraphx
