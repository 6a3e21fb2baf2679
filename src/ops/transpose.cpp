// SPDX-License-Identifier: MIT
// transpose: out[i] = in[permutation[i]] for dimensions and strides alike.
#include "ops/expect.hpp"
#include "ops/op.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct transpose_op {
    std::vector<int64_t> permutation;

    static constexpr auto name = "transpose";
    static constexpr auto summary = "The dimensions in another order, over the same memory";
    static void fields(field_list<transpose_op>& f) {
        f.add("permutation", &transpose_op::permutation,
              "source dimension of each dimension of the result");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        return transpose_shape(in[0], permutation);
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<transpose_op> transpose_registered;

} // namespace

} // namespace migraphx
