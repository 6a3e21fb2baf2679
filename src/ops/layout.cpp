// SPDX-License-Identifier: MIT
// layout: the same tensor copied into another order in memory.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include <migraphx/permutation.hpp>

namespace migraphx {

namespace {

struct layout_op {
    std::vector<int64_t> permutation;

    static constexpr auto name = "layout";
    static constexpr auto summary = "The same tensor in another memory order, as a copy";
    static void fields(field_list<layout_op>& f) {
        f.add("permutation", &layout_op::permutation, "dimensions from the slowest to the fastest");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto& x = in[0];
        if (not is_permutation_of_axes(permutation, x.ndim()))
            fail_shape(str("a permutation of ", x.ndim(), " axes was expected, got another list"));
        return x.dynamic() ? shape::from_permutation(x.type(), x.dyn_dims(), permutation)
                           : shape::from_permutation(x.type(), x.lens(), permutation);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_elements(out, in[0]);
    }
};

const registered_op<layout_op> layout_registered;

} // namespace

} // namespace migraphx
