// SPDX-License-Identifier: MIT
// as_shape: the same memory under a given shape.
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct as_shape_op {
    shape target;

    static constexpr auto name = "as_shape";
    static constexpr auto summary = "The memory of the input under another shape";
    static void fields(field_list<as_shape_op>& f) {
        f.add("shape", &as_shape_op::target, "shape of the result");
    }

    void check(const shape& x) const {
        if (target.dynamic() or x.dynamic())
            return;
        if (x.type() != shape::tuple_type and x.type() != target.type())
            fail_shape(
                str("a shape of ", x.type_string(), " was expected, got ", target.type_string()));
        if (target.element_space() > x.element_space())
            fail_shape(str("a shape inside the memory of ", x.element_space(),
                           " elements was expected, got ", target));
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).standard().not_range_dynamic();
        if (target.dynamic() and not target.symbolic())
            fail_shape(str("a static or symbolic target was expected, got ", target));
        check(in[0]);
        return target;
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        if (out.element_space() > in[0].get_shape().element_space())
            fail_shape(str("a shape inside the memory of the input was expected, got ", out));
        return in[0].view(out, 0);
    }
};

const registered_op<as_shape_op> as_shape_registered;

} // namespace

} // namespace migraphx
