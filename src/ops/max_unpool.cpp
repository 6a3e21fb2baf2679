// SPDX-License-Identifier: MIT
// max_unpool(x, indices[, dims]): the opposite of a maximum pooling: zeros, and each element of x
// where its index says. Indices count the elements of the tensor that the pooling had as its input
// as far as its windows cover it: (n - 1) * stride - padding + lengths along each dimension. A
// result of other dimensions has that tensor at its origin.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct max_unpool_op {
    std::vector<std::size_t> lengths;
    std::vector<std::size_t> stride;
    std::vector<std::size_t> padding;
    std::vector<std::size_t> dims;

    static constexpr auto name = "max_unpool";
    static constexpr auto summary = "Elements put back where a maximum pooling found them";
    static void fields(field_list<max_unpool_op>& f) {
        f.add("lengths", &max_unpool_op::lengths, "taps of a window, per spatial dimension");
        f.add("stride", &max_unpool_op::stride, "step between windows");
        f.add("padding", &max_unpool_op::padding, "elements around the data: begins, then ends");
        f.add("dims", &max_unpool_op::dims,
              "of the result, unless a third input gives them; none: what the windows cover");
    }
    static std::vector<std::size_t> shape_inputs() { return {2}; }

    // Along spatial dimension d, of n windows.
    template <class T>
    T covered(const T& n, std::size_t d) const {
        const auto cut = padding[d] + padding[lengths.size() + d];
        return (n - 1) * stride[d] + lengths[d] - cut;
    }
    std::vector<std::size_t> covered_lens(const shape& x) const {
        auto lens = x.lens();
        for (std::size_t d = 2; d < lens.size(); ++d) {
            const auto cut = padding[d - 2] + padding[lengths.size() + d - 2];
            std::size_t most = 0;
            if (lens[d] == 0 or __builtin_mul_overflow(lens[d] - 1, stride[d - 2], &most) or
                __builtin_add_overflow(most, lengths[d - 2], &most) or most < cut)
                lens[d] = 0;
            else
                lens[d] = most - cut;
        }
        checked_elements(lens);
        return lens;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3}).tensor();
        expect(in).only(0, 2).same_dims().rank_at_least(3);
        expect(in).only(1, 2).integral();
        const auto& x = in[0];
        const auto spatial = x.ndim() - 2;
        if (lengths.size() != spatial or stride.size() != spatial or padding.size() != 2 * spatial)
            fail_shape(str("lengths, strides and paddings of ", spatial,
                           " dimensions were expected, got ", lengths.size(), ", ", stride.size(),
                           " and ", padding.size(), " values"));
        if (in.size() == 3) {
            if (shape_input_size(in[2], "dims") != x.ndim())
                fail_shape(str(x.ndim(), " dimensions were expected, got ", in[2]));
            return {x.type(), unknown_dims(x.ndim())};
        }
        if (not dims.empty() and dims.size() != x.ndim())
            fail_shape(str(x.ndim(), " dimensions were expected, got ", dims.size()));
        if (not dims.empty()) {
            checked_elements(dims);
            return {x.type(), dims};
        }
        if (not x.dynamic())
            return {x.type(), covered_lens(x)};
        auto result = dims_of(x);
        for (std::size_t d = 0; d < spatial; ++d)
            result[d + 2] = covered(result[d + 2], d);
        return dynamic_shape(x, x.type(), result);
    }
    shape resolve(const std::vector<argument>& in) const {
        const auto& x = in[0].get_shape();
        if (in.size() == 3) {
            const auto lens = read_sizes(in[2], "dims");
            checked_elements(lens);
            return {x.type(), lens};
        }
        return {x.type(), dims.empty() ? covered_lens(x) : dims};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto from = covered_lens(in[0].get_shape());
        const auto& to = out.get_shape().lens();
        const auto count = static_cast<int64_t>(checked_elements(from));
        const auto where = load<int64_t>(in[1]);
        with_number(out.get_shape().type(), [&](auto tag) {
            const auto x = load<decltype(tag)>(in[0]);
            std::vector<decltype(tag)> y(out.get_shape().elements());
            for (std::size_t i = 0; i < x.size(); ++i) {
                if (where[i] < 0 or where[i] >= count)
                    fail_shape(str("an index below ", count, " was expected, got ", where[i]));
                auto rest = static_cast<std::size_t>(where[i]);
                if (from != to)
                    rest = moved(rest, from, to);
                y[rest] = x[i];
            }
            store(out, y);
        });
    }

private:
    // Element `at` of a tensor as that of one with other dimensions.
    static std::size_t moved(std::size_t at, const std::vector<std::size_t>& from,
                             const std::vector<std::size_t>& to) {
        std::size_t result = 0, step = 1;
        for (std::size_t d = from.size(); d-- > 0; at /= from[d]) {
            const auto position = at % from[d];
            if (position >= to[d])
                fail_shape(str("a position below ", to[d], " in dimension ", d,
                               " was expected, got ", position));
            result += position * step;
            step *= to[d];
        }
        return result;
    }
};

const registered_op<max_unpool_op> max_unpool_registered;

} // namespace

} // namespace migraphx
