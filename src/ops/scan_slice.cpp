// SPDX-License-Identifier: MIT
// scan_slice: position `idx` of an axis, kept as a dimension of 1, over the same memory.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct scan_slice_op {
    int64_t axis = 0;
    int64_t direction = 0;

    static constexpr auto name = "scan_slice";
    static constexpr auto summary = "One position of an axis, its number known at run time";
    static void fields(field_list<scan_slice_op>& f) {
        f.axis("axis", &scan_slice_op::axis, "dimension to cut");
        f.add("direction", &scan_slice_op::direction, "1: the index counts from the end");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().axis(axis).only(1, 2).integral();
        if (direction != 0 and direction != 1)
            fail_shape(str("direction 0 or 1 was expected, got ", direction));
        if (not in[1].dynamic() and in[1].elements() != 1)
            fail_shape(str("an index of one element was expected, got ", in[1].elements()));
        if (in[0].dynamic()) {
            auto dims = in[0].dyn_dims();
            dims[static_cast<std::size_t>(axis)] = shape::dynamic_dimension{1, 1};
            return in[0].symbolic() ? shape{in[0].type(), dims_of(shape{in[0].type(), dims}, true),
                                            in[0].dyn_strides()}
                                    : shape{in[0].type(), dims};
        }
        auto lens = in[0].lens();
        lens[static_cast<std::size_t>(axis)] = 1;
        return {in[0].type(), lens, in[0].strides()};
    }
    std::vector<std::size_t> alias(const std::vector<shape>&) const { return {0}; }
    // No `view`: where the result begins depends on a value.
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto& x = in[0].get_shape();
        const auto len = static_cast<int64_t>(x.lens()[static_cast<std::size_t>(axis)]);
        const auto i = load<int64_t>(in[1]).at(0);
        if (i < 0 or i >= len)
            fail_shape(str("index out of bounds: a value in [0, ", len, ") was expected, got ", i));
        const auto position = static_cast<std::size_t>(direction == 1 ? len - 1 - i : i);
        return in[0].view(infer(to_shapes(in)),
                          position * x.strides()[static_cast<std::size_t>(axis)] * x.type_size());
    }
};

const registered_op<scan_slice_op> scan_slice_registered;

} // namespace

} // namespace migraphx
