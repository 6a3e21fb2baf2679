// SPDX-License-Identifier: MIT
// step: every steps[i]-th position along axes[i].
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

namespace migraphx {

namespace {

struct step_op {
    std::vector<int64_t> axes;
    std::vector<int64_t> steps;

    static constexpr auto name = "step";
    static constexpr auto summary = "Every n-th position along some axes, over the same memory";
    static void fields(field_list<step_op>& f) {
        f.axis("axes", &step_op::axes, "dimensions to walk through in steps");
        f.add("steps", &step_op::steps, "step along each of the axes");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axes(axes);
        if (steps.size() != axes.size())
            fail_shape(str("as many steps as axes were expected, got ", steps.size(), " for ",
                           axes.size()));
        for (auto s : steps)
            if (s < 1)
                fail_shape(str("steps above 0 were expected, got ", s));
        const auto& x = in[0];
        if (not x.dynamic()) {
            auto lens = x.lens();
            auto strides = x.strides();
            apply(lens, strides, [](auto n) { return n; });
            return {x.type(), lens, strides};
        }
        auto dims = x.dyn_dims();
        if (x.symbolic()) {
            auto strides = x.dyn_strides();
            apply(dims, strides, [](auto n) { return static_cast<int64_t>(n); });
            return {x.type(), dims, strides};
        }
        std::vector<std::size_t> unused(dims.size());
        apply(dims, unused, [](auto n) { return n; });
        return {x.type(), dims};
    }
    template <class Dims, class Strides, class Number>
    void apply(Dims& dims, Strides& strides, Number number) const {
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const auto axis = static_cast<std::size_t>(axes[i]);
            const auto n = static_cast<std::size_t>(steps[i]);
            dims[axis] = (dims[axis] + (n - 1)) / n;
            strides[axis] = strides[axis] * number(n);
        }
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<step_op> step_registered;

} // namespace

} // namespace migraphx
