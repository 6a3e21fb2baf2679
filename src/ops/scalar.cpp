// SPDX-License-Identifier: MIT
// scalar: one element seen as a tensor of any dimensions, all strides 0.
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct scalar_op {
    std::vector<std::size_t> lens;

    static constexpr auto name = "scalar";
    static constexpr auto summary = "One element repeated to given dimensions";
    static void fields(field_list<scalar_op>& f) {
        f.add("scalar_bcst_dims", &scalar_op::lens, "dimensions of the result");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().rank(1).static_shapes();
        if (in[0].elements() != 1)
            fail_shape(str("one element was expected, got ", in[0].elements()));
        return {in[0].type(), lens, std::vector<std::size_t>(lens.size(), 0)};
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<scalar_op> scalar_registered;

} // namespace

} // namespace migraphx
