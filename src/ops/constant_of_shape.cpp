// SPDX-License-Identifier: MIT
// constant_of_shape: one value in dimensions that are known at run time.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

namespace migraphx {

namespace {

struct constant_of_shape_op {
    shape::type_t dtype = shape::float_type;
    value number = 0.0;

    static constexpr auto name = "constant_of_shape";
    static constexpr auto summary = "One value in run-time dimensions";
    static void fields(field_list<constant_of_shape_op>& f) {
        type_field(f, "dtype", &constant_of_shape_op::dtype, "element type of the result");
        f.add("value", &constant_of_shape_op::number, "the number, whole ones exact to 64 bits");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1);
        if (not shape::is_computable(dtype))
            fail_shape("dtype: a type of numbers was expected, got " + shape::name(dtype));
        return tensor_shape(dtype, unknown_dims(shape_input_size(in[0], "dims")));
    }
    static std::vector<std::size_t> shape_inputs() { return {0}; }
    shape resolve(const std::vector<argument>& in) const {
        return tensor_shape(dtype, read_sizes(in[0], "dims"));
    }
    void compute(const argument& out, const std::vector<argument>&) const {
        const argument element{shape{dtype}};
        with_number(dtype, [&](auto tag) {
            store(element, std::vector<decltype(tag)>{number.to<decltype(tag)>()});
        });
        fill_elements(out, element.data());
    }
};

const registered_op<constant_of_shape_op> constant_of_shape_registered;

} // namespace

} // namespace migraphx
