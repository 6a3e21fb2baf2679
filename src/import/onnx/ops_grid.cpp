// SPDX-License-Identifier: MIT
// GridSample: pixels of an image at positions that a grid gives, and AffineGrid, which makes such a
// grid.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <array>
#include <cmath>

namespace migraphx::onnx {

namespace {

using grid_ints = std::vector<int64_t>;

enum class border { zeros, clamp, reflect };

class grid_sampler {
public:
    grid_sampler(node_reader& reader, bool corners, border outside)
        : n(reader), align(corners), padding(outside) {
        const auto& s = n.shape_of(0);
        if (s.ndim() != 4 or n.rank_of(1) != 4)
            n.unsupported(str("data and grid of four dimensions were expected, got ", s, " and ",
                              n.shape_of(1)));
        if (n.known_size(n.input(1), 3) != 2)
            n.malformed(str("a grid (N, H, W, 2) was expected, got ", n.shape_of(1)));
        height = length_of(2);
        width = length_of(3);
        // (N, H, W, C), so that a position picks all channels.
        data = n.add(make_op("transpose", {{"permutation", grid_ints{0, 2, 3, 1}}}), {n.input(0)});
        x = pixels(0, width);
        y = pixels(1, height);
    }

    instruction_ref nearest() {
        return to_channels_first(pick(n.add("nearbyint", x), n.add("nearbyint", y)));
    }

    instruction_ref linear() {
        const auto x0 = n.add("floor", x), y0 = n.add("floor", y);
        const std::array wx = linear_weights(x, x0), wy = linear_weights(y, y0);
        return blend<2>(x0, y0, 0, wx, wy);
    }

    instruction_ref cubic() {
        const auto x0 = n.add("floor", x), y0 = n.add("floor", y);
        const auto wx = cubic_weights(n.add("sub", x, x0)), wy = cubic_weights(n.add("sub", y, y0));
        return blend<4>(x0, y0, -1, wx, wy);
    }

private:
    instruction_ref number(const char* op, instruction_ref v, double c) {
        return n.with_number(op, v, c);
    }
    instruction_ref with(const char* op, instruction_ref v, instruction_ref one) {
        return n.add(op, v, n.broadcast_like(one, v));
    }

    // A size of the data as a scalar of the grid's type.
    instruction_ref length_of(std::size_t axis) {
        const auto t = n.shape_of(1).type();
        const auto lo = n.shape_of(0).min_lens()[axis], hi = n.shape_of(0).max_lens()[axis];
        if (lo == hi)
            return n.scalar(t, double(hi));
        const auto size =
            n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}), {n.input(0)});
        return n.convert(n.add(make_op("squeeze", {{"axes", grid_ints{0}}}), {size}), t);
    }

    // Coordinate -1 … 1 of the grid as a pixel position.
    instruction_ref pixels(int64_t part, instruction_ref length) {
        auto v = n.add(make_op("slice", {{"axes", grid_ints{3}},
                                         {"starts", grid_ints{part}},
                                         {"ends", grid_ints{part + 1}}}),
                       {n.input(1)});
        v = n.add(make_op("squeeze", {{"axes", grid_ints{3}}}), {v});
        v = number("add", v, 1);
        if (align)
            return with("mul", v, number("mul", number("sub", length, 1), 0.5));
        return number("sub", with("mul", v, number("mul", length, 0.5)), 0.5);
    }

    // Inside of 0 … length - 1, by reflection at the border or by the nearest pixel.
    instruction_ref inside(instruction_ref v, instruction_ref length) {
        const auto last = number("sub", length, 1);
        if (padding == border::reflect) {
            // |v - low| folded into a zigzag of twice the span, which is kept off 0.
            const double low = align ? 0 : -0.5;
            const auto period = number("mul", number("max", align ? last : length, 1e-3), 2);
            const auto d = with("mod", n.add("abs", number("sub", v, low)), period);
            const auto flipped = number("mul", with("sub", d, period), -1);
            v = number("add", n.add("min", d, flipped), low);
        }
        return with("min", number("max", v, 0), last);
    }

    // All channels at whole positions (N, H, W) → (N, H, W, C).
    instruction_ref pick(instruction_ref px, instruction_ref py) {
        const auto cx = inside(px, width), cy = inside(py, height);
        const auto as_index = [&](instruction_ref v) {
            return n.add(make_op("unsqueeze", {{"axes", grid_ints{3}}}),
                         {n.convert(v, shape::int64_type)});
        };
        const auto index = n.add(make_op("concat", {{"axis", 3}}), {as_index(cy), as_index(cx)});
        auto v = n.add(make_op("gathernd", {{"batch_dims", 1}}), {data, index});
        if (padding != border::zeros)
            return v;
        const auto same = [&](instruction_ref a, instruction_ref b) {
            return n.convert(n.add("equal", a, b), shape::bool_type);
        };
        const auto known = n.add("logical_and", same(px, cx), same(py, cy));
        const auto mask =
            n.broadcast_like(n.add(make_op("unsqueeze", {{"axes", grid_ints{3}}}), {known}), v);
        return n.add("where", mask, v, n.broadcast_like(n.scalar(v->get_shape().type(), 0), v));
    }

    std::array<instruction_ref, 2> linear_weights(instruction_ref v, instruction_ref whole) {
        const auto fraction = n.add("sub", v, whole);
        return {number("mul", number("sub", fraction, 1), -1), fraction};
    }
    // Keys' kernel with a = -0.75 at distances 1 + t, t, 1 - t, 2 - t.
    std::array<instruction_ref, 4> cubic_weights(instruction_ref t) {
        constexpr double a = -0.75;
        const auto near = [&](instruction_ref d) {
            const auto q = number("sub", number("mul", d, a + 2), a + 3);
            return number("add", n.add("mul", n.add("mul", q, d), d), 1);
        };
        const auto far = [&](instruction_ref d) {
            const auto q =
                number("add", n.add("mul", number("sub", number("mul", d, a), 5 * a), d), 8 * a);
            return number("sub", n.add("mul", q, d), 4 * a);
        };
        const auto rest = number("mul", number("sub", t, 1), -1);
        return {far(number("add", t, 1)), near(t), near(rest), far(number("add", rest, 1))};
    }
    template <std::size_t Taps>
    instruction_ref blend(instruction_ref x0, instruction_ref y0, int first,
                          const std::array<instruction_ref, Taps>& wx,
                          const std::array<instruction_ref, Taps>& wy) {
        std::optional<instruction_ref> sum;
        for (std::size_t j = 0; j < Taps; j++)
            for (std::size_t i = 0; i < Taps; i++) {
                const auto v = pick(number("add", x0, double(i) + first),
                                    number("add", y0, double(j) + first));
                const auto w = n.add(make_op("unsqueeze", {{"axes", grid_ints{3}}}),
                                     {n.add("mul", wx[i], wy[j])});
                const auto part =
                    n.add("mul", v, n.broadcast_like(n.convert(w, v->get_shape().type()), v));
                sum = sum ? n.add("add", *sum, part) : part;
            }
        return to_channels_first(*sum);
    }
    instruction_ref to_channels_first(instruction_ref v) {
        return n.add(make_op("transpose", {{"permutation", grid_ints{0, 3, 1, 2}}}), {v});
    }

    node_reader& n;
    bool align;
    border padding;
    instruction_ref height, width, data, x, y;
};

instructions read_grid_sample(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto mode = n.text("mode", n.opset() < 20 ? "bilinear" : "linear");
    const auto padding = n.text("padding_mode", "zeros");
    border outside = border::zeros;
    if (padding == "border")
        outside = border::clamp;
    else if (padding == "reflection")
        outside = border::reflect;
    else if (padding != "zeros")
        n.malformed("padding_mode: zeros, border or reflection was expected, got '" + padding +
                    "'");
    grid_sampler sampler{n, n.integer("align_corners", 0) != 0, outside};
    if (mode == "nearest")
        return {sampler.nearest()};
    if (mode == "linear" or mode == "bilinear")
        return {sampler.linear()};
    if (mode == "cubic" or mode == "bicubic")
        return {sampler.cubic()};
    n.malformed("mode: nearest, linear or cubic was expected, got '" + mode + "'");
}

// Positions -1 … 1 of the centres (or, aligned, the corners) of `count` pixels.
std::vector<double> pixel_centres(std::size_t count, bool corners) {
    std::vector<double> v(count);
    for (std::size_t i = 0; i < count; i++)
        v[i] = corners ? (count == 1 ? 0.0 : 2.0 * double(i) / double(count - 1) - 1)
                       : (2.0 * double(i) + 1) / double(count) - 1;
    return v;
}

// theta (N, 2, 3) or (N, 3, 4) times the homogeneous positions of every pixel.
instructions read_affine_grid(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto size = n.constant_ints(1);
    if (not size)
        n.unsupported("a size that is known at import was expected, got values of a run");
    const auto spatial = size->size() < 2 ? 0 : size->size() - 2;
    if ((spatial != 2 and spatial != 3) or n.rank_of(0) != 3)
        n.malformed(str("(N, C, H, W) or (N, C, D, H, W) was expected as size, got ", *size));
    const bool corners = n.integer("align_corners", 0) != 0;
    std::vector<std::vector<double>> centres;
    std::size_t pixels = 1;
    for (std::size_t d = 0; d < spatial; d++) {
        const auto len = (*size)[d + 2];
        if (len < 1 or len > (1 << 20))
            n.malformed(str("sizes of 1 or more were expected, got ", *size));
        pixels *= std::size_t(len);
        centres.push_back(pixel_centres(std::size_t(len), corners));
    }
    if (pixels > (std::size_t{1} << 24))
        n.unsupported("a grid that fits the memory was expected, got more");
    std::vector<double> homogeneous((spatial + 1) * pixels, 1);
    for (std::size_t p = 0; p < pixels; p++) {
        auto rest = p;
        for (std::size_t d = spatial; d-- > 0; rest /= centres[d].size())
            homogeneous[(spatial - 1 - d) * pixels + p] = centres[d][rest % centres[d].size()];
    }
    const auto t = n.shape_of(0).type();
    const auto grid = n.literal(migraphx::literal{shape{t, {1, spatial + 1, pixels}}, homogeneous});
    auto y = n.expand("dot", {n.input(0), grid});
    y = n.add(make_op("transpose", {{"permutation", grid_ints{0, 2, 1}}}), {y});
    grid_ints dims{(*size)[0]};
    dims.insert(dims.end(), size->begin() + 2, size->end());
    dims.push_back(int64_t(spatial));
    return {n.add(make_op("reshape", {{"dims", dims}}), {y})};
}

const operators grid_operators{{"GridSample", read_grid_sample},
                               {"GridSample", read_grid_sample, "com.microsoft"},
                               {"AffineGrid", read_affine_grid}};

} // namespace

} // namespace migraphx::onnx
