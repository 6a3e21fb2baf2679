// SPDX-License-Identifier: MIT
// flatten: two dimensions, the product of those before `axis` and of those from it on.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct flatten_op {
    int64_t axis = 1;

    static constexpr auto name = "flatten";
    static constexpr auto summary = "A matrix of the dimensions before `axis` and those from it on";
    static void fields(field_list<flatten_op>& f) {
        f.normalized("axis", &flatten_op::axis, "first dimension of the second half",
                     normalize_kind::axis_end);
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto& x = in[0];
        const auto split = static_cast<std::size_t>(axis);
        const auto halves = [&](const auto& dims, auto one) {
            std::vector result{one, one};
            for (std::size_t i = 0; i < dims.size(); ++i)
                result[i < split ? 0 : 1] = result[i < split ? 0 : 1] * dims[i];
            return result;
        };
        if (not x.dynamic())
            return {x.type(), halves(x.lens(), std::size_t{1})};
        return dynamic_shape(x, x.type(), halves(x.dyn_dims(), shape::dynamic_dimension{1, 1}));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_in_order(out, in[0]);
    }
};

const registered_op<flatten_op> flatten_registered;

} // namespace

} // namespace migraphx
