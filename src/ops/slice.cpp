// SPDX-License-Identifier: MIT
// slice: positions start..end-1 of some axes, over the same memory. Each of starts, ends and axes
// is an attribute or, in that order, an input.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/slice_bounds.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct slice_op {
    std::vector<int64_t> axes;
    std::vector<int64_t> starts;
    std::vector<int64_t> ends;

    static constexpr auto name = "slice";
    static constexpr auto summary = "Part of a tensor, over the same memory";
    static void fields(field_list<slice_op>& f) {
        f.axis("axes", &slice_op::axes, "dimensions to cut");
        f.normalized("starts", &slice_op::starts, "first positions; negative: from the end",
                     normalize_kind::slice_bound);
        f.normalized("ends", &slice_op::ends, "positions after the last; clipped to the dimension",
                     normalize_kind::slice_bound);
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(1).only(0, 1).tensor();
        const auto& x = in[0];
        expect(in).axes(axes);
        if (in.size() > 1)
            return infer_unknown(in);
        if (starts.size() != axes.size() or ends.size() != axes.size())
            fail_shape(str("as many starts and ends as axes were expected, got ", starts.size(),
                           " and ", ends.size(), " for ", axes.size()));
        check_distinct(axes);
        if (not x.dynamic())
            return cut(x, axes, starts, ends);
        auto dims = x.dyn_dims();
        for (std::size_t i = 0; i < axes.size(); ++i) {
            auto& d = dims[static_cast<std::size_t>(axes[i])];
            d = slice_dimension(d, starts[i], ends[i]);
        }
        if (x.symbolic()) {
            bool known = true;
            for (const auto& d : dims)
                known = known and (d.is_symbolic() or d.is_fixed());
            if (known)
                return {x.type(), dims, x.dyn_strides()};
        }
        return {x.type(), dims};
    }

    // Bounds that come from inputs: any length up to the whole.
    shape infer_unknown(const std::vector<shape>& in) const {
        const auto given =
            std::size_t{starts.empty()} + std::size_t{ends.empty()} + std::size_t{axes.empty()};
        if (in.size() != given + 1)
            fail_shape(
                str("each of starts, ends and axes as an attribute or an input was expected, "
                    "got ",
                    in.size() - 1, " inputs for ", given, " missing attributes"));
        std::size_t count = unlimited_size;
        const auto agree = [&](std::size_t n) {
            if (count != unlimited_size and count != n)
                fail_shape(str("starts, ends and axes of one length were expected, got ", count,
                               " and ", n));
            count = n;
        };
        for (const auto* list : {&starts, &ends, &axes})
            if (not list->empty())
                agree(list->size());
        for (std::size_t i = 1; i < in.size(); ++i)
            agree(shape_input_size(in[i], str("input ", i)));
        auto dims = demote_to_range(in[0]).dyn_dims();
        const auto unknown = up_to_dims(in[0]);
        if (axes.empty())
            dims = unknown;
        for (auto a : axes)
            dims[static_cast<std::size_t>(a)] = unknown[static_cast<std::size_t>(a)];
        return {in[0].type(), dims};
    }

    static void check_distinct(std::vector<int64_t> at) {
        std::sort(at.begin(), at.end());
        if (std::adjacent_find(at.begin(), at.end()) != at.end())
            fail_shape("different axes were expected, got one twice");
    }
    static shape cut(const shape& x, const std::vector<int64_t>& at,
                     const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
        auto lens = x.lens();
        for (std::size_t i = 0; i < at.size(); ++i) {
            const auto axis = static_cast<std::size_t>(at[i]);
            lens[axis] = slice_positions(x.lens()[axis], from[i], to[i]).len;
        }
        return {x.type(), lens, x.strides()};
    }

    // All bounds as attributes of a copy of this.
    slice_op with_bounds(const std::vector<argument>& in) const {
        slice_op s = *this;
        std::size_t next = 1;
        for (auto* list : {&s.starts, &s.ends, &s.axes})
            if (list->empty() and next < in.size())
                *list = read_integers(in[next++]);
        const auto& x = in[0].get_shape();
        for (auto& a : s.axes)
            a = static_cast<int64_t>(normalize_axis(a, x.ndim(), "slice"));
        if (s.starts.size() != s.axes.size() or s.ends.size() != s.axes.size())
            fail_shape("as many starts and ends as axes were expected, got others");
        check_distinct(s.axes);
        return s;
    }
    static std::vector<std::size_t> shape_inputs() { return {1, 2, 3}; }
    shape resolve(const std::vector<argument>& in) const {
        const auto s = with_bounds(in);
        return cut(in[0].get_shape(), s.axes, s.starts, s.ends);
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        const auto s = with_bounds(in);
        const auto& x = in[0].get_shape();
        std::size_t offset = 0;
        for (std::size_t i = 0; i < s.axes.size(); ++i) {
            const auto axis = static_cast<std::size_t>(s.axes[i]);
            offset +=
                slice_positions(x.lens()[axis], s.starts[i], s.ends[i]).start * x.strides()[axis];
        }
        return in[0].view(out, out.elements() == 0 ? 0 : offset * x.type_size());
    }
};

const registered_op<slice_op> slice_registered;

} // namespace

} // namespace migraphx
