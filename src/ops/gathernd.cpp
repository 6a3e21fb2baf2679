// SPDX-License-Identifier: MIT
// gathernd: the last dimension of the indices holds k leading positions of a slice of the data; the
// first `batch_dims` dimensions of both are walked through together.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/indices.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <cstring>

namespace migraphx {

namespace {

struct gathernd_op {
    int batch_dims = 0;

    static constexpr auto name = "gathernd";
    static constexpr auto summary = "Slices of the data, each chosen by a tuple of indices";
    static void fields(field_list<gathernd_op>& f) {
        f.add("batch_dims", &gathernd_op::batch_dims, "leading dimensions that both inputs share");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().rank_at_least(1).only(1, 2).integral();
        const auto last = dims_of(in[1]).back();
        if (not last.is_fixed())
            fail_shape(
                str("a last dimension of the indices that is known was expected, got ", last));
        const auto k = last.get_interval().max;
        const auto r = in[0].ndim(), q = in[1].ndim();
        if (batch_dims < 0 or static_cast<std::size_t>(batch_dims) >= std::min(r, q))
            fail_shape(str("batch_dims below the ranks ", r, " and ", q, " was expected, got ",
                           batch_dims));
        const auto b = static_cast<std::size_t>(batch_dims);
        if (k < 1 or b + k > r)
            fail_shape(str("indices of 1 to ", r - b, " positions were expected, got ", k));
        const auto join = [&](const auto& data, const auto& index) {
            auto dims = index;
            dims.pop_back();
            dims.insert(dims.end(), data.begin() + static_cast<std::ptrdiff_t>(b + k), data.end());
            for (std::size_t i = 0; i < b; ++i)
                check_batch(data[i], index[i]);
            return dims;
        };
        const auto kinds = align_kinds(in);
        return kinds[0].dynamic()
                   ? tensor_shape(in[0].type(), join(kinds[0].dyn_dims(), kinds[1].dyn_dims()))
                   : tensor_shape(in[0].type(), join(kinds[0].lens(), kinds[1].lens()));
    }
    static void check_batch(std::size_t data, std::size_t index) {
        if (data != index)
            fail_shape(str("equal batch dimensions were expected, got ", data, " and ", index));
    }
    static void check_batch(const shape::dynamic_dimension& data,
                            const shape::dynamic_dimension& index) {
        const auto a = data.get_interval(), b = index.get_interval();
        if (a.max < b.min or b.max < a.min)
            fail_shape(str("equal batch dimensions were expected, got ", data, " and ", index));
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& data_shape = in[0].get_shape();
        const auto dense = argument::uninitialized(data_shape.as_standard());
        copy_elements(dense, in[0]);
        const auto& lens = data_shape.lens();
        const auto& index_lens = in[1].get_shape().lens();
        const auto b = static_cast<std::size_t>(batch_dims), k = index_lens.back();
        std::size_t batches = 1, slice = data_shape.type_size();
        for (std::size_t i = 0; i < b; ++i)
            batches *= lens[i];
        for (auto i = b + k; i < lens.size(); ++i)
            slice *= lens[i];
        const auto indices = load<int64_t>(in[1]);
        const auto result = argument::uninitialized(out.get_shape().as_standard());
        const auto tuples = indices.size() / k;
        for (std::size_t t = 0; t < tuples; ++t) {
            std::size_t at = t / (tuples / batches);
            for (std::size_t j = 0; j < k; ++j)
                at = at * lens[b + j] + position_of(indices[t * k + j], lens[b + j]);
            std::memcpy(result.data() + t * slice, dense.data() + at * slice, slice);
        }
        copy_elements(out, result);
    }
};

const registered_op<gathernd_op> gathernd_registered;

} // namespace

} // namespace migraphx
