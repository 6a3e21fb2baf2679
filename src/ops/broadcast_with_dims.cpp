// SPDX-License-Identifier: MIT
// broadcast_with_dims: x repeated to dimensions that a second input gives; a dimension of 1 in
// either gives way to the other.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

#include <migraphx/common_shape.hpp>

#include <algorithm>

namespace migraphx {

namespace {

struct broadcast_with_dims_op {
    static constexpr auto name = "broadcast_with_dims";
    static constexpr auto summary = "The input repeated to dimensions given at run time";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor();
        const auto n = shape_input_size(in[1], "dims");
        return {in[0].type(), unknown_dims(std::max({in[0].ndim(), n, std::size_t{1}}))};
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }
    shape resolve(const std::vector<argument>& in) const {
        const auto& x = in[0].get_shape();
        const auto lens = compute_broadcasted_lens(x.lens(), read_sizes(in[1], "dims"));
        checked_elements(lens);
        return make_bcast_shape(x, lens);
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<broadcast_with_dims_op> broadcast_with_dims_registered;

} // namespace

} // namespace migraphx
