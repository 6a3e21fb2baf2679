// SPDX-License-Identifier: MIT
// allocate: fresh zero-filled memory of a given shape, or of dimensions known at run time.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/type_field.hpp"

namespace migraphx {

namespace {

struct allocate_op {
    std::optional<shape> given;
    std::optional<shape::type_t> buf_type;

    static constexpr auto name = "allocate";
    static constexpr auto summary = "Fresh memory of a given shape or of run-time dimensions";
    static void fields(field_list<allocate_op>& f) {
        f.add("shape", &allocate_op::given, "shape of the memory");
        type_field(f, "buf_type", &allocate_op::buf_type,
                   "element type when an input gives the dimensions");
    }
    // Two allocations are never the same memory, so they are neither merged nor folded.
    static void traits(op_info& info) { info.has_side_effect = true; }

    shape infer(const std::vector<shape>& in) const {
        if (given.has_value() == buf_type.has_value())
            fail_shape("either shape or buf_type was expected, got " +
                       std::string(given ? "both" : "neither"));
        if (given) {
            expect(in).count(0);
            return *given;
        }
        expect(in).count(1);
        return tensor_shape(*buf_type, unknown_dims(shape_input_size(in[0], "dims")));
    }
    static std::vector<std::size_t> shape_inputs() { return {0}; }
    shape resolve(const std::vector<argument>& in) const {
        return in.empty() ? infer({}) : tensor_shape(buf_type.value(), read_sizes(in[0], "dims"));
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        const auto s = output.any_of_dynamic() ? resolve(in) : output;
        if (s.any_of_dynamic())
            fail_shape(str("a shape whose size is known was expected, got ", s));
        return argument{s};
    }
};

const registered_op<allocate_op> allocate_registered;

} // namespace

} // namespace migraphx
