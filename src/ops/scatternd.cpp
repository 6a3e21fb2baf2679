// SPDX-License-Identifier: MIT
// scatternd_none, _add, _mul, _min, _max: out = data, then for each tuple t of k indices (the last
// dimension of `indices`), the slice out[t] (op)= updates[t].
#include "ops/expect.hpp"
#include "ops/indices.hpp"
#include "ops/op.hpp"
#include "ops/scatter_reduction.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

template <scatter_reduction R>
struct scatternd_op {
    static constexpr const char* names[] = {"scatternd_none", "scatternd_add", "scatternd_mul",
                                            "scatternd_min", "scatternd_max"};
    static constexpr auto name = names[static_cast<int>(R)];
    static constexpr auto summary = "Slices of a copy updated at positions given by index tuples";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor().rank_at_least(1).only(1, 2).integral();
        if (in[0].type() != in[2].type())
            fail_shape(str("updates of type ", in[0].type_string(), " were expected, got ",
                           in[2].type_string()));
        const auto kinds = align_kinds(in);
        const auto data = dims_of(kinds[0]), index = dims_of(kinds[1]), updates = dims_of(kinds[2]);
        if (not index.back().is_fixed())
            fail_shape(str("a last dimension of the indices that is known was expected, got ",
                           index.back()));
        const auto r = data.size(), q = index.size(), k = index.back().get_interval().max;
        if (k < 1 or k > r)
            fail_shape(str("index tuples of 1 to ", r, " positions were expected, got ", k));
        // One element of data leaves no dimension of its own; {1} stands for none.
        const bool single = q + r == k + 1 and updates.size() == 1 and updates[0] == 1;
        if (updates.size() + k + 1 != q + r and not single)
            fail_shape(
                str("updates of rank ", q + r - k - 1, " were expected, got ", updates.size()));
        for (std::size_t i = 0; i < updates.size() and not single; ++i) {
            const auto& wanted = i < q - 1 ? index[i] : data[i - (q - 1) + k];
            const auto a = wanted.get_interval(), b = updates[i].get_interval();
            if (a.max < b.min or b.max < a.min)
                fail_shape(str("dimension ", i, " of the updates was expected to be ", wanted,
                               ", got ", updates[i]));
        }
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_elements(out, in[0]);
        const auto& lens = out.get_shape().lens();
        const auto k = in[1].get_shape().lens().back();
        std::size_t slice = 1;
        for (std::size_t i = k; i < lens.size(); ++i)
            slice *= lens[i];
        const auto indices = load<int64_t>(in[1]);
        std::vector<int64_t> to;
        to.reserve(indices.size() / k * slice);
        for (std::size_t t = 0; t < indices.size(); t += k) {
            std::size_t at = 0;
            for (std::size_t j = 0; j < k; ++j)
                at = at * lens[j] + position_of(indices[t + j], lens[j]);
            for (std::size_t i = 0; i < slice; ++i)
                to.push_back(static_cast<int64_t>(at * slice + i));
        }
        if (to.size() != in[2].get_shape().elements())
            fail_shape(
                str(to.size(), " updates were expected, got ", in[2].get_shape().elements()));
        scatter_elements(out, in[2], to, R);
    }
};

const registered_op<scatternd_op<scatter_reduction::none>> scatternd_none_registered;
const registered_op<scatternd_op<scatter_reduction::add>> scatternd_add_registered;
const registered_op<scatternd_op<scatter_reduction::mul>> scatternd_mul_registered;
const registered_op<scatternd_op<scatter_reduction::min>> scatternd_min_registered;
const registered_op<scatternd_op<scatter_reduction::max>> scatternd_max_registered;

} // namespace

} // namespace migraphx
