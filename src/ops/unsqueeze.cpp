// SPDX-License-Identifier: MIT
// unsqueeze: inserts dimensions; a step above 1 takes that many parts of the dimension that
// follows.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct unsqueeze_op {
    std::vector<int64_t> axes;
    std::vector<int64_t> steps;

    static constexpr auto name = "unsqueeze";
    static constexpr auto summary = "Inserts dimensions of one element, or splits dimensions";
    static void fields(field_list<unsqueeze_op>& f) {
        f.normalized("axes", &unsqueeze_op::axes, "positions in the result",
                     normalize_kind::axis_output);
        f.add("steps", &unsqueeze_op::steps,
              "lengths of the new dimensions, taken from the dimension that follows");
    }

    // Calls insert(step, old axis that follows) and keep(old axis) for the axes of the result.
    template <class Insert, class Keep>
    void walk(std::size_t rank, Insert insert, Keep keep) const {
        std::size_t from = 0;
        for (std::size_t i = 0; i < rank + axes.size(); ++i) {
            const auto it = std::find(axes.begin(), axes.end(), static_cast<int64_t>(i));
            if (it == axes.end())
                keep(from++);
            else
                insert(steps.empty() ? 1 : steps[static_cast<std::size_t>(it - axes.begin())],
                       from);
        }
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto& x = in[0];
        auto sorted = axes;
        std::sort(sorted.begin(), sorted.end());
        if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
            fail_shape("different axes were expected, got one twice");
        if (not steps.empty() and steps.size() != axes.size())
            fail_shape(str("as many steps as axes were expected, got ", steps.size(), " for ",
                           axes.size()));
        if (std::any_of(steps.begin(), steps.end(), [](int64_t s) { return s < 1; }))
            fail_shape("steps above 0 were expected");
        if (x.dynamic())
            return x.symbolic() ? infer_symbolic(x) : infer_range(x);
        // The one element of a tensor without dimensions.
        if (x.scalar() and x.ndim() == 1 and x.lens()[0] == 1) {
            if (std::any_of(steps.begin(), steps.end(), [](int64_t s) { return s != 1; }))
                fail_shape("steps of 1 were expected for a scalar");
            return {x.type(), std::vector<std::size_t>(std::max<std::size_t>(axes.size(), 1), 1)};
        }
        return infer_static(x);
    }
    shape infer_static(const shape& x) const {
        std::vector<std::size_t> old = x.lens(), lens, strides;
        const auto insert = [&](int64_t step, std::size_t next) {
            const auto n = static_cast<std::size_t>(step);
            if (next < old.size()) {
                if (old[next] % n != 0)
                    fail_shape(str("a step that divides ", old[next], " was expected, got ", n));
                old[next] /= n;
                strides.push_back(x.strides()[next] * old[next]);
            } else {
                if (n != 1)
                    fail_shape(str("a step of 1 was expected after the last dimension, got ", n));
                strides.push_back(1);
            }
            lens.push_back(n);
        };
        walk(x.ndim(), insert, [&](std::size_t from) {
            lens.push_back(old[from]);
            strides.push_back(x.strides()[from]);
        });
        return {x.type(), lens, strides};
    }
    // What is left of the dimension that follows a new one of `step`.
    static void split(std::vector<shape::dynamic_dimension>& old, std::size_t next, int64_t step) {
        if (step == 1)
            return;
        const auto n = static_cast<std::size_t>(step);
        if (next == old.size())
            fail_shape(str("a step of 1 was expected after the last dimension, got ", n));
        if (old[next].is_fixed() and old[next].get_interval().min % n != 0)
            fail_shape(str("a step that divides ", old[next], " was expected, got ", n));
        old[next] /= n;
    }
    shape infer_symbolic(const shape& x) const {
        std::vector<shape::dynamic_dimension> dims;
        std::vector<sym::expr> strides;
        auto old = x.dyn_dims();
        const auto insert = [&](int64_t step, std::size_t next) {
            dims.emplace_back(sym::lit(step));
            split(old, next, step);
            strides.push_back(next < old.size() ? x.dyn_strides()[next] * old[next].sym_expr
                                                : sym::lit(1));
        };
        walk(x.ndim(), insert, [&](std::size_t from) {
            dims.push_back(old[from]);
            strides.push_back(x.dyn_strides()[from]);
        });
        return {x.type(), dims, strides};
    }
    shape infer_range(const shape& x) const {
        auto old = x.dyn_dims();
        std::vector<shape::dynamic_dimension> dims;
        walk(
            x.ndim(),
            [&](int64_t step, std::size_t next) {
                split(old, next, step);
                dims.emplace_back(static_cast<std::size_t>(step), static_cast<std::size_t>(step));
            },
            [&](std::size_t from) { dims.push_back(old[from]); });
        return {x.type(), dims};
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<unsqueeze_op> unsqueeze_registered;

} // namespace

} // namespace migraphx
