// SPDX-License-Identifier: MIT
// bit_cast: the bits of each element as another type of the same size, over the same memory.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/type_field.hpp"

#include <optional>

namespace migraphx {

namespace {

struct bit_cast_op {
    std::optional<shape::type_t> target_type;

    static constexpr auto name = "bit_cast";
    static constexpr auto summary = "The bits of each element as another type of the same size";
    static void fields(field_list<bit_cast_op>& f) {
        type_field(f, "target_type", &bit_cast_op::target_type, "element type of the result");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        if (not target_type or *target_type == shape::tuple_type)
            fail_shape("target_type: an element type was expected, got none");
        if (in[0].type_size() != shape{*target_type}.type_size())
            fail_shape(str("a type of ", in[0].type_size(), " byte(s) was expected, got ",
                           shape::name(*target_type)));
        return in[0].with_type(*target_type);
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<bit_cast_op> bit_cast_registered;

} // namespace

} // namespace migraphx
