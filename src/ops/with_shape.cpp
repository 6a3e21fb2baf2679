// SPDX-License-Identifier: MIT
// with_shape: an operator whose output shape depends on values, once the shape is known. Evaluates
// `op` and promises `shape`.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include <migraphx/make_op.hpp>

namespace migraphx {
namespace {

struct with_shape {
    operation op;
    shape output;

    static constexpr auto name = "with_shape";
    static constexpr auto summary =
        "The operator `op`, whose result is known to have the shape `shape`";
    static void fields(field_list<with_shape>& f) {
        f.add("op", &with_shape::op, "operator that is evaluated");
        f.add("shape", &with_shape::output, "shape of its result");
    }
    shape infer(const std::vector<shape>&) const { return output; }

    argument evaluate(const shape& out, const std::vector<argument>& in) const {
        std::vector<shape> shapes;
        for (const auto& a : in)
            shapes.push_back(a.get_shape());
        auto result = op.compute(op.compute_shape(shapes), in);
        if (out.type() != result.get_shape().type() or
            (out.type() != shape::tuple_type and result.get_shape().lens() != out.lens()))
            fail_shape(str("a result of shape ", out, " was expected, got ", result.get_shape()));
        return result;
    }
};

const registered_op<with_shape> with_shape_registered;

} // namespace
} // namespace migraphx
