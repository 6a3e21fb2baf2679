// SPDX-License-Identifier: MIT
// resample(x, sizes or scales[, roi]): the ONNX Resize with what `resize` lacks: antialiasing,
// excluded borders, crops, kept proportions.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/resize_axis.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct resample_op {
    std::string mode = "nearest";
    std::string coordinate_transformation_mode = "half_pixel";
    std::string nearest_mode = "round_prefer_floor";
    float cubic_coeff_a = -0.75f;
    bool exclude_outside = false;
    bool antialias = false;
    float extrapolation_value = 0;
    std::string keep_aspect_ratio_policy = "stretch";
    std::vector<int64_t> axes;

    static constexpr auto name = "resample";
    static constexpr auto summary = "Resampling to run-time sizes or by scales, with filters";
    static void fields(field_list<resample_op>& f) {
        f.add("mode", &resample_op::mode, "nearest, linear or cubic");
        f.add("coordinate_transformation_mode", &resample_op::coordinate_transformation_mode,
              "those of resize, half_pixel_symmetric or tf_crop_and_resize");
        f.add("nearest_mode", &resample_op::nearest_mode,
              "floor, ceil, round_prefer_floor or round_prefer_ceil");
        f.add("cubic_coeff_a", &resample_op::cubic_coeff_a, "parameter of the cubic kernel");
        f.add("exclude_outside", &resample_op::exclude_outside,
              "positions outside have no weight, instead of the edge's value");
        f.add("antialias", &resample_op::antialias, "wider filters where the result is smaller");
        f.add("extrapolation_value", &resample_op::extrapolation_value,
              "what tf_crop_and_resize sees outside of the data");
        f.add("keep_aspect_ratio_policy", &resample_op::keep_aspect_ratio_policy,
              "sizes are exact (stretch) or bounds: not_larger, not_smaller");
        f.axis("axes", &resample_op::axes, "what sizes, scales and roi stand for; all when empty");
    }

    std::vector<std::size_t> resized_axes(std::size_t rank) const {
        std::vector<std::size_t> result(axes.begin(), axes.end());
        for (std::size_t d = 0; axes.empty() and d < rank; ++d)
            result.push_back(d);
        return result;
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3}).tensor().axes(axes);
        if (mode != "nearest" and mode != "linear" and mode != "cubic")
            fail_shape("mode: nearest, linear or cubic was expected, got '" + mode + "'");
        if (keep_aspect_ratio_policy != "stretch" and keep_aspect_ratio_policy != "not_larger" and
            keep_aspect_ratio_policy != "not_smaller")
            fail_shape(
                "keep_aspect_ratio_policy: stretch, not_larger or not_smaller was expected, got '" +
                keep_aspect_ratio_policy + "'");
        const auto resized = resized_axes(in[0].ndim());
        const auto expect_numbers = [&](std::size_t i, std::size_t n) {
            if (in[i].dynamic() or in[i].ndim() != 1 or in[i].elements() != n)
                fail_shape(str(n, " values were expected for input ", i, ", got ", in[i]));
        };
        expect_numbers(1, resized.size());
        if (not is_absent(in, 2))
            expect_numbers(2, 2 * resized.size());
        else if (coordinate_transformation_mode == "tf_crop_and_resize")
            fail_shape("a roi was expected for tf_crop_and_resize, got none");
        auto dims = dims_of(demote_to_range(in[0]));
        for (auto d : resized)
            dims[d] = unknown_dims(1).front();
        return {in[0].type(), dims};
    }

    // Lengths and scales of all dimensions.
    struct target {
        std::vector<std::size_t> lens;
        std::vector<float> scales;
    };
    target measure(const shape& x, const std::vector<argument>& in) const {
        target t{x.lens(), {}};
        const auto from = t.lens;
        t.scales.assign(from.size(), 1);
        const auto resized = resized_axes(from.size());
        const auto scale_for = [&](std::size_t len, std::size_t d) {
            return from[d] == 0 ? 1.0f : static_cast<float>(len) / static_cast<float>(from[d]);
        };
        if (not shape::is_integral(in[1].get_shape().type())) {
            const auto factors = in[1].to_vector<float>();
            for (std::size_t i = 0; i < resized.size(); ++i) {
                const auto d = resized[i];
                if (not(factors.at(i) > 0))
                    fail_shape(str("scales above 0 were expected, got ", factors[i]));
                t.scales[d] = factors[i];
                t.lens[d] = resized_length(from[d], factors[i]);
            }
            return t;
        }
        const auto sizes = read_sizes(in[1], "sizes");
        for (std::size_t i = 0; i < resized.size(); ++i) {
            t.lens[resized[i]] = sizes.at(i);
            t.scales[resized[i]] = scale_for(sizes[i], resized[i]);
        }
        if (keep_aspect_ratio_policy == "stretch" or resized.empty())
            return t;
        auto common = t.scales[resized.front()];
        for (auto d : resized)
            common = keep_aspect_ratio_policy == "not_larger" ? std::min(common, t.scales[d])
                                                              : std::max(common, t.scales[d]);
        for (auto d : resized) {
            t.scales[d] = common;
            t.lens[d] = static_cast<std::size_t>(
                std::floor(static_cast<double>(common) * static_cast<double>(from[d]) + 0.5));
        }
        return t;
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }
    shape resolve(const std::vector<argument>& in) const {
        const auto t = measure(in[0].get_shape(), in);
        checked_elements(t.lens);
        return {in[0].get_shape().type(), t.lens};
    }

    // Weights of the positions around x, which are positions base + first, base + first + 1, …
    resize_taps filter_at(const std::vector<float>& coordinates, float scale,
                          std::size_t in) const {
        const double radius = mode == "linear" ? 1 : 2;
        const double shrink = antialias ? std::min(static_cast<double>(scale), 1.0) : 1.0;
        const auto weight_at = [&](double distance) {
            distance *= shrink;
            return mode == "linear" ? std::max(0.0, 1 - std::fabs(distance))
                                    : cubic_kernel(distance, static_cast<double>(cubic_coeff_a));
        };
        const auto first = static_cast<int64_t>(std::floor(-radius / shrink)) + 1;
        const auto last = static_cast<double>(in - 1);
        resize_taps t;
        t.taps = static_cast<std::size_t>(2 - 2 * first);
        for (const double x : coordinates) {
            const auto base = std::ceil(x) - 1;
            std::vector<double> weights;
            double sum = 0;
            for (std::size_t k = 0; k < t.taps; ++k) {
                const auto p = base + static_cast<double>(first) + static_cast<double>(k);
                const bool outside = p < 0 or p > last;
                weights.push_back(outside and exclude_outside ? 0 : weight_at(p - x));
                sum += weights.back();
                t.position.push_back(static_cast<std::size_t>(std::clamp(p, 0.0, last)));
            }
            for (auto& w : weights)
                t.weight.push_back((antialias or exclude_outside) and sum != 0 ? w / sum : w);
        }
        return t;
    }
    resize_taps taps_of(const std::vector<float>& coordinates, float scale, std::size_t in) const {
        if (mode != "nearest")
            return filter_at(coordinates, scale, in);
        resize_taps t;
        t.taps = 1;
        for (auto x : coordinates) {
            t.position.push_back(nearest_position(nearest_mode, x, in));
            t.weight.push_back(1);
        }
        return t;
    }

    std::vector<resampled_axis> changed_axes(const shape& x,
                                             const std::vector<argument>& in) const {
        const auto t = measure(x, in);
        const auto& from = x.lens();
        const bool crops = coordinate_transformation_mode == "tf_crop_and_resize";
        const auto roi = crops ? in[2].to_vector<float>() : std::vector<float>{};
        const auto resized = resized_axes(from.size());
        std::vector<resampled_axis> result;
        for (std::size_t i = 0; i < resized.size(); ++i) {
            const auto d = resized[i];
            if (from[d] == 0)
                fail_shape("elements to resample were expected, got an empty dimension");
            const float begin = crops ? roi[i] : 0, end = crops ? roi[i + resized.size()] : 1;
            if (t.scales[d] == 1 and t.lens[d] == from[d] and begin == 0 and end == 1)
                continue;
            std::vector<float> coordinates;
            resampled_axis a{d, t.lens[d], {}, {}};
            for (std::size_t p = 0; p < t.lens[d]; ++p) {
                const auto at = resize_coordinate(coordinate_transformation_mode, p, t.scales[d],
                                                  from[d], t.lens[d], begin, end);
                // A roi of any numbers may come: what is no position lies outside.
                coordinates.push_back(std::isfinite(at) ? at : -1.0f);
                if (crops)
                    a.outside.push_back(coordinates[p] < 0 or
                                        coordinates[p] > static_cast<float>(from[d] - 1));
            }
            a.taps = taps_of(coordinates, t.scales[d], from[d]);
            result.push_back(std::move(a));
        }
        return result;
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        if (out.get_shape().elements() == 0)
            return;
        numbers<double> x{in[0]};
        for (const auto& a : changed_axes(in[0].get_shape(), in)) {
            x = resampled(x, a.axis, a.length, a.taps);
            if (not a.outside.empty())
                extrapolate(x, a);
        }
        if (shape::is_integral(out.get_shape().type()))
            for (auto& v : x.data)
                v = std::nearbyint(v);
        store(out, x.data);
    }
    void extrapolate(numbers<double>& x, const resampled_axis& a) const {
        for_each_line(x.lens, a.axis, [&](std::size_t start, std::size_t step, std::size_t len) {
            for (std::size_t i = 0; i < len; ++i)
                if (a.outside[i])
                    x.data[start + i * step] = static_cast<double>(extrapolation_value);
        });
    }
};

const registered_op<resample_op> resample_registered;

} // namespace

std::vector<resampled_axis> resampled_axes(const operation& op, const shape& x, const shape& out,
                                           const std::vector<argument>& in) {
    if (op.name() == "resize")
        return axes_of_resize(op, x, out, in);
    resample_op r;
    r.mode = op.get<std::string>("mode");
    r.coordinate_transformation_mode = op.get<std::string>("coordinate_transformation_mode");
    r.nearest_mode = op.get<std::string>("nearest_mode");
    r.cubic_coeff_a = op.get<float>("cubic_coeff_a");
    r.exclude_outside = op.get<bool>("exclude_outside");
    r.antialias = op.get<bool>("antialias");
    r.keep_aspect_ratio_policy = op.get<std::string>("keep_aspect_ratio_policy");
    r.axes = op.get_vector<int64_t>("axes");
    return r.changed_axes(x, in);
}

} // namespace migraphx
