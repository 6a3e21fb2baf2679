// SPDX-License-Identifier: MIT
// convert: elements in another type, in the memory order of the input.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/type_field.hpp"

#include "ir/convert_element.hpp"

namespace migraphx {

namespace {

struct convert_op {
    shape::type_t target_type = shape::half_type;

    static constexpr auto name = "convert";
    static constexpr auto summary = "Elements in another type; saturates, integers are cut off";
    static void fields(field_list<convert_op>& f) {
        type_field(f, "target_type", &convert_op::target_type, "element type of the result");
    }
    static void traits(op_info& info) { info.is_pointwise = true; }
    value attributes() const { return {{"point_op", "${function:convert}<${target_type}>(${0})"}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const shape checks[] = {in[0], shape{target_type}};
        for (const auto& s : checks)
            expect(in).that(
                s.computable() or shape::is_small(s.type()),
                str("a type that can be converted was expected, got ", s.type_string()));
        return in[0].with_type(target_type);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        convert_elements(out, in[0]);
    }
};

const registered_op<convert_op> convert_registered;

} // namespace

} // namespace migraphx
