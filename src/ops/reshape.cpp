// SPDX-License-Identifier: MIT
// reshape: the elements in the same order, seen with other dimensions, as a copy.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/reshape_dims.hpp"
#include "ops/shape_input.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/op/reshape.hpp>

namespace migraphx {

namespace {

struct reshape_op : op::reshape {
    static constexpr auto name = "reshape";
    static constexpr auto summary = "The same elements in the same order with other dimensions";
    static void fields(field_list<reshape_op>& f) {
        f.add("dims", &op::reshape::dims,
              "0 copies the dimension of the input, one -1 is inferred");
    }
    static void traits(op_info& info) { info.type = &typeid(op::reshape); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2}).tensor();
        const auto& x = in[0];
        if (in.size() == 2) {
            if (not x.dynamic() and not in[1].dynamic() and x.elements() != in[1].elements())
                fail_shape(str("a buffer of ", x.elements(), " elements was expected, got ",
                               in[1].elements()));
            expect(in).same_type();
            return in[1];
        }
        if (x.dynamic())
            return reshape_shape(
                x, dynamic_shape(x, x.type(), reshaped_dims(x.dyn_dims(), dims)).dyn_dims());
        return reshape_shape(x, reshaped_lens(x.lens(), dims));
    }
    std::vector<std::size_t> alias(const std::vector<shape>& in) const {
        return in.size() == 2 ? std::vector<std::size_t>{1} : std::vector<std::size_t>{};
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        auto out = in.size() == 2
                       ? in[1]
                       : argument::uninitialized(output.dynamic() ? infer(to_shapes(in)) : output);
        copy_in_order(out, in[0]);
        return out;
    }
};

const registered_op<reshape_op> reshape_registered;

} // namespace

} // namespace migraphx
