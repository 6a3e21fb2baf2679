// SPDX-License-Identifier: MIT
// fill: writes one value to every element of a buffer, which is the result.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct fill_op {
    static constexpr auto name = "fill";
    static constexpr auto summary = "One value written to every element of a buffer, in place";
    static void traits(op_info& info) { info.has_side_effect = true; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().same_type();
        if (in[0].dynamic() or in[0].elements() != 1)
            fail_shape(str("a value of one element was expected, got ", in[0]));
        return in[1];
    }
    std::vector<std::size_t> alias(const std::vector<shape>&) const { return {1}; }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        fill_elements(in[1], in[0].data());
        return in[1];
    }
};

const registered_op<fill_op> fill_registered;

} // namespace

} // namespace migraphx
