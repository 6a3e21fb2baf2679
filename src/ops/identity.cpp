// SPDX-License-Identifier: MIT
// identity: the input itself, a tensor or a tuple.
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct identity_op {
    static constexpr auto name = "identity";
    static constexpr auto summary = "The input itself";
    static void traits(op_info& info) {
        info.is_pointwise = true;
        info.takes_boxed = true;
    }
    value attributes() const { return {{"point_op", "${0}"}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1);
        return in[0];
    }
    argument view(const shape&, const std::vector<argument>& in) const { return in[0]; }
};

const registered_op<identity_op> identity_registered;

} // namespace

} // namespace migraphx
