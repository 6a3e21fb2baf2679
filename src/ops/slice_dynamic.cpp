// SPDX-License-Identifier: MIT
// slice_dynamic: the ONNX Slice with run-time bounds and steps of either sign, as a copy.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <limits>

namespace migraphx {

namespace {

// The positions start, start + step, ... before `end` of a dimension of `len`.
std::vector<int64_t> stepped_positions(int64_t len, int64_t start, int64_t end, int64_t step) {
    const auto from_end = [&](int64_t p) { return p < 0 ? std::max(p, -len - 1) + len : p; };
    const bool up = step > 0;
    start = std::clamp(from_end(start), up ? int64_t{0} : int64_t{-1}, up ? len : len - 1);
    end = std::clamp(from_end(end), up ? int64_t{0} : int64_t{-1}, up ? len : len - 1);
    std::vector<int64_t> result;
    // The distance that is left bounds the step, so that the sum cannot overflow.
    for (int64_t p = start; up ? p < end : p > end;) {
        result.push_back(p);
        if (up ? step >= end - p : step <= end - p)
            break;
        p += step;
    }
    return result;
}

struct slice_dynamic_op {
    static constexpr auto name = "slice_dynamic";
    static constexpr auto summary = "slice(x, starts, ends[, axes][, steps]) with run-time bounds";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({3, 4, 5}).tensor();
        const auto n = shape_input_size(in[1], "starts");
        for (std::size_t i = 2; i < in.size(); ++i)
            if (not is_absent(in, i) and shape_input_size(in[i], str("input ", i)) != n)
                fail_shape(
                    str(n, " values were expected for input ", i, ", got ", in[i].elements()));
        if (n > in[0].ndim())
            fail_shape(str("at most ", in[0].ndim(), " starts were expected, got ", n));
        return {in[0].type(), up_to_dims(in[0])};
    }
    static std::vector<std::size_t> shape_inputs() { return {1, 2, 3, 4}; }
    static axis_sources positions(const std::vector<argument>& in) {
        const auto& lens = in[0].get_shape().lens();
        auto from = same_positions(lens);
        const auto starts = read_integers(in[1]), ends = read_integers(in[2]);
        std::vector<int64_t> axes, steps(starts.size(), 1);
        for (std::size_t i = 0; i < starts.size(); ++i)
            axes.push_back(static_cast<int64_t>(i));
        if (not is_absent(in, 3))
            axes = read_integers(in[3]);
        if (not is_absent(in, 4))
            steps = read_integers(in[4]);
        std::vector<bool> seen(lens.size(), false);
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const auto axis = normalize_axis(axes.at(i), lens.size(), "axes");
            if (seen[axis])
                fail_shape("different axes were expected, got one twice");
            seen[axis] = true;
            if (steps.at(i) == 0)
                fail_shape("steps other than 0 were expected");
            from[axis] = stepped_positions(static_cast<int64_t>(lens[axis]), starts[i], ends.at(i),
                                           steps[i]);
        }
        return from;
    }
    shape resolve(const std::vector<argument>& in) const {
        std::vector<std::size_t> lens;
        for (const auto& from : positions(in))
            lens.push_back(from.size());
        return {in[0].get_shape().type(), lens};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_by_axis(out, in[0], positions(in));
    }
};

const registered_op<slice_dynamic_op> slice_dynamic_registered;

} // namespace

} // namespace migraphx
