// SPDX-License-Identifier: MIT
// reshape_dynamic: reshape with dimensions that are known at run time.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/reshape_dims.hpp"
#include "ops/shape_input.hpp"

namespace migraphx {

namespace {

struct reshape_dynamic_op {
    bool allowzero = false;

    static constexpr auto name = "reshape_dynamic";
    static constexpr auto summary = "reshape(x, dims) with run-time dimensions";
    static void fields(field_list<reshape_dynamic_op>& f) {
        f.add("allowzero", &reshape_dynamic_op::allowzero,
              "0 in dims means 0 instead of the dimension of the input");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor();
        return tensor_shape(in[0].type(), unknown_dims(shape_input_size(in[1], "dims")));
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }
    shape resolve(const std::vector<argument>& in) const {
        const auto& x = in[0].get_shape();
        return tensor_shape(x.type(), reshaped_lens(x.lens(), read_integers(in[1]), allowzero));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_in_order(out, in[0]);
    }
};

const registered_op<reshape_dynamic_op> reshape_dynamic_registered;

} // namespace

} // namespace migraphx
