// SPDX-License-Identifier: MIT
// GridSample: pixels of an image at positions that a grid gives, and AffineGrid, which makes such a
// grid.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

using grid_ints = std::vector<int64_t>;

enum class border { zeros, clamp, reflect };

// Samples data (N, C, D1 … Dk) at the positions of a grid (N, P1 … Pk, k), whose last dimension
// counts the coordinates from Dk to D1.
class grid_sampler {
public:
    grid_sampler(node_reader& reader, bool corners, border outside)
        : n(reader), align(corners), padding(outside), rank(n.rank_of(0)) {
        if (rank < 3 or n.rank_of(1) != rank)
            n.malformed(str("data and grid of three or more dimensions were expected, got ",
                            n.shape_of(0), " and ", n.shape_of(1)));
        const auto spatial = rank - 2;
        if (n.known_size(n.input(1), -1) != int64_t(spatial))
            n.malformed(
                str("a grid of ", spatial, " coordinates was expected, got ", n.shape_of(1)));
        // Channels come last, so that a position picks all of them.
        grid_ints perm{0};
        for (std::size_t d = 2; d < rank; d++)
            perm.push_back(int64_t(d));
        perm.push_back(1);
        data = n.add(make_op("transpose", {{"permutation", perm}}), {n.input(0)});
        for (std::size_t d = 0; d < spatial; d++) {
            lengths.push_back(length_of(d + 2));
            positions.push_back(pixels(int64_t(spatial - 1 - d), lengths[d]));
        }
    }

    instruction_ref nearest() {
        instructions at;
        for (auto v : positions)
            at.push_back(n.add("nearbyint", v));
        return to_channels_first(pick(at));
    }

    instruction_ref linear() {
        return blend(0, [&](instruction_ref t) { return instructions{opposite(t), t}; });
    }

    instruction_ref cubic() {
        return blend(-1, [&](instruction_ref t) { return cubic_weights(t); });
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
        const grid_ints last{int64_t(rank) - 1};
        auto v = n.add(
            make_op("slice",
                    {{"axes", last}, {"starts", grid_ints{part}}, {"ends", grid_ints{part + 1}}}),
            {n.input(1)});
        v = n.add(make_op("squeeze", {{"axes", last}}), {v});
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

    instruction_ref with_channel(instruction_ref v) {
        return n.add(make_op("unsqueeze", {{"axes", grid_ints{int64_t(rank) - 1}}}), {v});
    }

    // All channels at whole positions: coordinates (N, P…) → (N, P…, C).
    instruction_ref pick(const instructions& at) {
        instructions index;
        std::optional<instruction_ref> known;
        for (std::size_t d = 0; d < at.size(); d++) {
            const auto near = inside(at[d], lengths[d]);
            index.push_back(with_channel(n.convert(near, shape::int64_type)));
            const auto same = n.convert(n.add("equal", at[d], near), shape::bool_type);
            known = known ? n.add("logical_and", *known, same) : same;
        }
        const auto all =
            index.size() == 1 ? index[0] : n.add(make_op("concat", {{"axis", rank - 1}}), index);
        auto v = n.add(make_op("gathernd", {{"batch_dims", 1}}), {data, all});
        if (padding != border::zeros)
            return v;
        const auto mask = n.broadcast_like(with_channel(*known), v);
        return n.add("where", mask, v, n.broadcast_like(n.scalar(v->get_shape().type(), 0), v));
    }

    instruction_ref opposite(instruction_ref t) { return number("mul", number("sub", t, 1), -1); }
    // Keys' kernel with a = -0.75 at distances 1 + t, t, 1 - t, 2 - t.
    instructions cubic_weights(instruction_ref t) {
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
        const auto rest = opposite(t);
        return {far(number("add", t, 1)), near(t), near(rest), far(number("add", rest, 1))};
    }
    // The sum over all taps around each position; weights_of(part after the whole position) gives
    // those along one dimension, of the positions floor + first, floor + first + 1, …
    template <class F>
    instruction_ref blend(int first, F weights_of) {
        instructions whole;
        std::vector<instructions> weights;
        for (auto v : positions) {
            whole.push_back(n.add("floor", v));
            weights.push_back(weights_of(n.add("sub", v, whole.back())));
        }
        const auto taps = weights[0].size();
        std::size_t count = 1;
        for (std::size_t d = 0; d < positions.size(); d++)
            count *= taps;
        std::optional<instruction_ref> sum;
        for (std::size_t i = 0; i < count; i++) {
            instructions at = whole;
            std::optional<instruction_ref> weight;
            auto rest = i;
            for (auto d = positions.size(); d-- > 0; rest /= taps) {
                const auto tap = rest % taps;
                at[d] = number("add", whole[d], double(tap) + first);
                weight = weight ? n.add("mul", weights[d][tap], *weight) : weights[d][tap];
            }
            const auto v = pick(at);
            const auto w = with_channel(n.convert(*weight, v->get_shape().type()));
            const auto part = n.add("mul", v, n.broadcast_like(w, v));
            sum = sum ? n.add("add", *sum, part) : part;
        }
        return to_channels_first(*sum);
    }
    instruction_ref to_channels_first(instruction_ref v) {
        grid_ints perm{0, int64_t(rank) - 1};
        for (std::size_t d = 1; d + 1 < rank; d++)
            perm.push_back(int64_t(d));
        return n.add(make_op("transpose", {{"permutation", perm}}), {v});
    }

    node_reader& n;
    bool align;
    border padding;
    std::size_t rank;
    instruction_ref data;
    instructions lengths, positions; // of each spatial dimension: its size, the pixel positions
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

// Positions -1 … 1 of the centres (or, aligned, the corners) of as many pixels as `count` says.
instruction_ref pixel_centres(node_reader& n, instruction_ref count, bool corners) {
    const auto t = n.shape_of(0).type();
    const auto i = n.convert(n.add("dynamic_range", n.scalar(shape::int64_type, 0), count,
                                   n.scalar(shape::int64_type, 1)),
                             t);
    const auto length = n.convert(count, t);
    const auto last = n.with_number("sub", length, 1);
    const auto twice = n.with_number("mul", i, 2);
    // The corner of one pixel is its centre.
    const auto span = corners ? n.with_number("max", last, 1) : length;
    return n.add("div", n.add("sub", twice, n.broadcast_like(last, twice)),
                 n.broadcast_like(span, twice));
}

// theta (N, k, k + 1) times the homogeneous positions of every pixel of (N, C, D1 … Dk).
instructions read_affine_grid(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto& s = n.shape_of(1);
    const auto spatial = s.dynamic() or s.elements() < 2 ? 0 : s.elements() - 2;
    if ((spatial != 2 and spatial != 3) or n.rank_of(0) != 3)
        n.malformed(str("(N, C, H, W) or (N, C, D, H, W) was expected as size, got ", s));
    const bool corners = n.integer("align_corners", 0) != 0;
    const auto size = n.convert(n.input(1), shape::int64_type);
    const auto part = [&](std::size_t from, std::size_t to) {
        return n.add(make_op("slice", {{"axes", grid_ints{0}},
                                       {"starts", grid_ints{int64_t(from)}},
                                       {"ends", grid_ints{int64_t(to)}}}),
                     {size});
    };
    const auto pixels = part(2, 2 + spatial);
    // Coordinates count from the last dimension to the first; 1 follows.
    const auto over_pixels = [&](instruction_ref v) {
        return n.add(make_op("unsqueeze", {{"axes", grid_ints{int64_t(spatial)}}}),
                     {n.add("broadcast_with_dims", v, pixels)});
    };
    instructions columns;
    for (auto d = spatial; d-- > 0;) {
        const auto centres = pixel_centres(n, n.to_scalar(part(d + 2, d + 3)), corners);
        columns.push_back(over_pixels(n.along_axis(centres, d, spatial)));
    }
    columns.push_back(over_pixels(n.scalar(n.shape_of(0).type(), 1)));
    auto grid = n.add(make_op("concat", {{"axis", spatial}}), columns);
    grid = n.add(make_op("reshape", {{"dims", grid_ints{1, -1, int64_t(spatial) + 1}}}), {grid});
    const auto theta =
        n.add(make_op("transpose", {{"permutation", grid_ints{0, 2, 1}}}), {n.input(0)});
    const auto y = n.expand("dot", {grid, theta});
    const auto coordinates =
        n.literal({shape{shape::int64_type, {1}}, grid_ints{int64_t(spatial)}});
    return {n.add("reshape_dynamic", y,
                  n.add(make_op("concat", {{"axis", 0}}), {part(0, 1), pixels, coordinates}))};
}

const operators grid_operators{{"GridSample", read_grid_sample},
                               {"GridSample", read_grid_sample, "com.microsoft"},
                               {"AffineGrid", read_affine_grid}};

} // namespace

} // namespace migraphx::onnx
