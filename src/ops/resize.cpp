// SPDX-License-Identifier: MIT
// resize: nearest, linear or cubic resampling of any number of dimensions, one after another.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/resize_axis.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct resize_op {
    std::vector<float> scales;
    std::vector<std::size_t> sizes;
    std::string nearest_mode = "floor";
    std::string mode = "nearest";
    std::string coordinate_transformation_mode;
    float cubic_coeff_a = -0.75f;

    static constexpr auto name = "resize";
    static constexpr auto summary = "Resampling to other sizes: nearest, linear or cubic";
    static void fields(field_list<resize_op>& f) {
        f.add("scales", &resize_op::scales, "factor of each dimension");
        f.add("sizes", &resize_op::sizes, "length of each dimension of the result");
        f.add("nearest_mode", &resize_op::nearest_mode,
              "floor, ceil, round_prefer_floor or round_prefer_ceil");
        f.add("mode", &resize_op::mode, "nearest, linear or cubic");
        f.add("coordinate_transformation_mode", &resize_op::coordinate_transformation_mode,
              "half_pixel, pytorch_half_pixel, align_corners, asymmetric or tf_half_pixel_for_nn");
        f.add("cubic_coeff_a", &resize_op::cubic_coeff_a, "parameter of the cubic kernel");
    }

    static shape::dynamic_dimension scaled(const shape::dynamic_dimension& d, float scale) {
        if (scale == 1)
            return d;
        if (scale == std::floor(scale) and scale > 0 and scale < 1e6f)
            return d * static_cast<std::size_t>(scale);
        const auto r = d.get_interval();
        const auto limit = [&](std::size_t n) {
            return static_cast<double>(n) * static_cast<double>(scale) > 1e15
                       ? unlimited_size
                       : resized_length(n, scale);
        };
        return {limit(r.min), limit(r.max)};
    }
    void check_scales(const std::vector<float>& s, std::size_t rank) const {
        if (s.size() != rank)
            fail_shape(
                str("a scale for each of ", rank, " dimensions was expected, got ", s.size()));
        for (auto x : s)
            if (not(x > 0))
                fail_shape(str("scales above 0 were expected, got ", x));
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2}).tensor();
        const auto& x = in[0];
        if (mode != "nearest" and mode != "linear" and mode != "cubic")
            fail_shape("mode: nearest, linear or cubic was expected, got '" + mode + "'");
        if (in.size() == 2) {
            if (in[1].dynamic() or in[1].ndim() != 1 or in[1].elements() != x.ndim())
                fail_shape(str("a size or scale for each of ", x.ndim(),
                               " dimensions was expected, got ", in[1]));
            return {x.type(), unknown_dims(x.ndim())};
        }
        if (sizes.empty() == scales.empty())
            fail_shape("either sizes or scales were expected, got " +
                       std::string(sizes.empty() ? "neither" : "both"));
        if (not sizes.empty()) {
            if (sizes.size() != x.ndim())
                fail_shape(str("a size for each of ", x.ndim(), " dimensions was expected, got ",
                               sizes.size()));
            return {x.type(), sizes};
        }
        check_scales(scales, x.ndim());
        if (not x.dynamic()) {
            auto lens = x.lens();
            for (std::size_t d = 0; d < lens.size(); ++d)
                lens[d] = resized_length(lens[d], scales[d]);
            return {x.type(), lens};
        }
        auto dims = x.dyn_dims();
        for (std::size_t d = 0; d < dims.size(); ++d)
            dims[d] = scaled(dims[d], scales[d]);
        return dynamic_shape(x, x.type(), dims);
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }
    shape resolve(const std::vector<argument>& in) const {
        if (in.size() == 1)
            return infer(to_shapes(in));
        const auto& x = in[0].get_shape();
        if (shape::is_integral(in[1].get_shape().type()))
            return {x.type(), read_sizes(in[1], "sizes")};
        const auto factors = in[1].to_vector<float>();
        check_scales(factors, x.ndim());
        auto lens = x.lens();
        for (std::size_t d = 0; d < lens.size(); ++d)
            lens[d] = resized_length(lens[d], factors[d]);
        return {x.type(), lens};
    }

    std::vector<float> factors(const shape& x, const shape& out,
                               const std::vector<argument>& in) const {
        if (in.size() == 2 and not shape::is_integral(in[1].get_shape().type()))
            return in[1].to_vector<float>();
        if (in.size() == 1 and not scales.empty())
            return scales;
        const auto& to = out.lens();
        const auto& from = x.lens();
        std::vector<float> result;
        for (std::size_t d = 0; d < to.size(); ++d)
            result.push_back(
                from[d] == 0 ? 1.0f : static_cast<float>(to[d]) / static_cast<float>(from[d]));
        return result;
    }
    // Of all axes, also those that stay as they are.
    std::vector<resampled_axis> all_axes(const shape& x, const shape& out,
                                         const std::vector<argument>& in) const {
        const auto &from = x.lens(), &to = out.lens();
        const auto scale = factors(x, out, in);
        std::vector<resampled_axis> result;
        for (std::size_t d = 0; d < to.size(); ++d) {
            resampled_axis a{d, to[d], {}, {}};
            if (mode == "nearest") {
                const auto at = nearest_positions(coordinate_transformation_mode, nearest_mode,
                                                  scale[d], from[d], to[d]);
                a.taps = {1, {at.begin(), at.end()}, std::vector<double>(at.size(), 1)};
            } else if (mode == "linear")
                a.taps = linear_taps(coordinate_transformation_mode, scale[d], from[d], to[d]);
            else
                a.taps = cubic_taps(coordinate_transformation_mode, scale[d], from[d], to[d],
                                    static_cast<double>(cubic_coeff_a));
            result.push_back(std::move(a));
        }
        return result;
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& from = in[0].get_shape().lens();
        if (out.get_shape().elements() == 0)
            return;
        const auto axes = all_axes(in[0].get_shape(), out.get_shape(), in);
        if (mode == "nearest") {
            axis_sources sources;
            for (const auto& a : axes)
                sources.emplace_back(a.taps.position.begin(), a.taps.position.end());
            return copy_by_axis(out, in[0], sources);
        }
        numbers<double> x{in[0]};
        for (const auto& a : axes)
            if (a.length != from[a.axis] or not a.taps.is_identity())
                x = resampled(x, a.axis, a.length, a.taps);
        if (shape::is_integral(out.get_shape().type()))
            for (auto& v : x.data)
                v = std::nearbyint(v);
        store(out, x.data);
    }
};

const registered_op<resize_op> resize_registered;

} // namespace

std::vector<resampled_axis> axes_of_resize(const operation& op, const shape& x, const shape& out,
                                           const std::vector<argument>& in) {
    resize_op r;
    r.scales = op.get_vector<float>("scales");
    r.nearest_mode = op.get<std::string>("nearest_mode");
    r.mode = op.get<std::string>("mode");
    r.coordinate_transformation_mode = op.get<std::string>("coordinate_transformation_mode");
    r.cubic_coeff_a = op.get<float>("cubic_coeff_a");
    std::vector<resampled_axis> result;
    for (auto& a : r.all_axes(x, out, in))
        if (a.length != x.lens()[a.axis] or not a.taps.is_identity())
            result.push_back(std::move(a));
    return result;
}

} // namespace migraphx
