// SPDX-License-Identifier: MIT
// contiguous: a copy in row-major order.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

struct contiguous_op {
    static constexpr auto name = "contiguous";
    static constexpr auto summary = "A copy in row-major order";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        return in[0].as_standard();
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_elements(out, in[0]);
    }
};

const registered_op<contiguous_op> contiguous_registered;

} // namespace

} // namespace migraphx
