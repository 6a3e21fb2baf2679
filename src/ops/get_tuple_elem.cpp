// SPDX-License-Identifier: MIT
// get_tuple_elem: one member of a tuple.
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct get_tuple_elem_op {
    std::size_t index = 0;

    static constexpr auto name = "get_tuple_elem";
    static constexpr auto summary = "One member of a tuple";
    static void fields(field_list<get_tuple_elem_op>& f) {
        f.add("index", &get_tuple_elem_op::index, "number of the member");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1);
        if (in[0].type() != shape::tuple_type)
            fail_shape(str("a tuple was expected, got ", in[0]));
        if (index >= in[0].sub_shapes().size())
            fail_shape(
                str("an index below ", in[0].sub_shapes().size(), " was expected, got ", index));
        return in[0].sub_shapes()[index];
    }
    std::vector<std::size_t> alias(const std::vector<shape>&) const { return {0}; }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        return in[0].get_sub_objects().at(index);
    }
};

const registered_op<get_tuple_elem_op> get_tuple_elem_registered;

} // namespace

} // namespace migraphx
