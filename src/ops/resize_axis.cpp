// SPDX-License-Identifier: MIT
// Coordinates are single precision, so that they round as in the engines that models come from.
#include "ops/resize_axis.hpp"

#include "ops/expect.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

std::size_t resized_length(std::size_t len, float scale) {
    const auto n = std::floor(static_cast<double>(scale * static_cast<float>(len)));
    // A limit that keeps later products of the dimensions meaningful.
    if (not(n >= 0) or n > 1e15)
        fail_shape(str("positive scales that fit the address space were expected, got ", scale));
    return static_cast<std::size_t>(n);
}

namespace {

// The length that a scale asks for, of which the result has the whole part.
float asked_length(float scale, std::size_t in, std::size_t out) {
    const auto asked = scale * static_cast<float>(in);
    const auto whole = static_cast<float>(out);
    return std::fabs(asked - whole) < 1e-3f ? whole : asked;
}

} // namespace

float resize_coordinate(const std::string& mode, std::size_t i, float scale, std::size_t in,
                        std::size_t out, float begin, float end) {
    const auto x = static_cast<float>(i);
    const auto last = static_cast<float>(in) - 1;
    if (mode == "half_pixel")
        return (x + 0.5f) / scale - 0.5f;
    if (mode == "pytorch_half_pixel")
        return out > 1 ? (x + 0.5f) / scale - 0.5f : 0.0f;
    if (mode == "align_corners")
        return out > 1 ? x * last / (asked_length(scale, in, out) - 1) : 0.0f;
    if (mode == "asymmetric")
        return x / scale;
    if (mode == "tf_half_pixel_for_nn")
        return (x + 0.5f) / scale;
    if (mode == "half_pixel_symmetric") {
        const auto cut = 1 - static_cast<float>(out) / asked_length(scale, in, out);
        return static_cast<float>(in) / 2 * cut + (x + 0.5f) / scale - 0.5f;
    }
    if (mode == "tf_crop_and_resize")
        return out > 1
                   ? begin * last + x * (end - begin) * last / (asked_length(scale, in, out) - 1)
                   : 0.5f * (begin + end) * last;
    fail_shape("coordinate_transformation_mode: half_pixel, half_pixel_symmetric, "
               "pytorch_half_pixel, align_corners, asymmetric, tf_half_pixel_for_nn or "
               "tf_crop_and_resize was expected, got '" +
               mode + "'");
}

namespace {

float limited(float x, std::size_t in) {
    return std::clamp(x, 0.0f, static_cast<float>(in - 1));
}

void check_source(std::size_t in, std::size_t out) {
    if (in == 0 and out != 0)
        fail_shape("elements to resize were expected, got an empty dimension");
}

} // namespace

double cubic_kernel(double x, double a) {
    x = std::fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return 0;
}

std::size_t nearest_position(const std::string& nearest_mode, float x, std::size_t in) {
    x = limited(x, in);
    float p = 0;
    if (nearest_mode == "floor")
        p = std::floor(x);
    else if (nearest_mode == "ceil")
        p = std::ceil(x);
    else if (nearest_mode == "round_prefer_floor")
        p = std::ceil(x - 0.5f);
    else if (nearest_mode == "round_prefer_ceil")
        // A half that rounding made a little smaller still counts as one.
        p = static_cast<float>(std::floor(static_cast<double>(x) + 0.500001));
    else
        fail_shape("nearest_mode: floor, ceil, round_prefer_floor or round_prefer_ceil was "
                   "expected, got '" +
                   nearest_mode + "'");
    return static_cast<std::size_t>(limited(p, in));
}

std::vector<int64_t> nearest_positions(const std::string& coordinate_mode,
                                       const std::string& nearest_mode, float scale, std::size_t in,
                                       std::size_t out) {
    check_source(in, out);
    std::vector<int64_t> result(out);
    for (std::size_t i = 0; i < out; ++i)
        result[i] = static_cast<int64_t>(nearest_position(
            nearest_mode, resize_coordinate(coordinate_mode, i, scale, in, out), in));
    return result;
}

bool resize_taps::is_identity() const {
    for (std::size_t i = 0; i < position.size(); ++i)
        if (weight[i] != 0 and (weight[i] != 1 or position[i] != i / taps))
            return false;
    return true;
}

resize_taps linear_taps(const std::string& coordinate_mode, float scale, std::size_t in,
                        std::size_t out) {
    check_source(in, out);
    resize_taps t;
    t.taps = 2;
    for (std::size_t i = 0; i < out; ++i) {
        const auto x = limited(resize_coordinate(coordinate_mode, i, scale, in, out), in);
        const auto low = static_cast<std::size_t>(x);
        const auto part = static_cast<double>(x) - static_cast<double>(low);
        t.position.insert(t.position.end(), {low, std::min(low + 1, in - 1)});
        t.weight.insert(t.weight.end(), {1 - part, part});
    }
    return t;
}

resize_taps cubic_taps(const std::string& coordinate_mode, float scale, std::size_t in,
                       std::size_t out, double a) {
    check_source(in, out);
    resize_taps t;
    t.taps = 4;
    for (std::size_t i = 0; i < out; ++i) {
        const auto x = static_cast<double>(resize_coordinate(coordinate_mode, i, scale, in, out));
        const auto low = std::floor(x);
        for (int k = -1; k <= 2; ++k) {
            const auto p = std::clamp(low + k, 0.0, static_cast<double>(in - 1));
            t.position.push_back(static_cast<std::size_t>(p));
            t.weight.push_back(cubic_kernel(x - (low + k), a));
        }
    }
    return t;
}

numbers<double> resampled(const numbers<double>& x, std::size_t axis, std::size_t len,
                          const resize_taps& taps) {
    auto lens = x.lens;
    lens[axis] = len;
    numbers<double> y{lens};
    std::size_t outer = 1, inner = 1;
    for (std::size_t d = 0; d < lens.size(); ++d)
        (d < axis ? outer : inner) *= d == axis ? 1 : lens[d];
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < len; ++i) {
            double* row = &y.data[(o * len + i) * inner];
            for (std::size_t k = 0; k < taps.taps; ++k) {
                const auto w = taps.weight[i * taps.taps + k];
                if (w == 0)
                    continue;
                const double* source =
                    &x.data[(o * x.lens[axis] + taps.position[i * taps.taps + k]) * inner];
                for (std::size_t j = 0; j < inner; ++j)
                    row[j] += w * source[j];
            }
        }
    return y;
}

} // namespace migraphx
