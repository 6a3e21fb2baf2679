// SPDX-License-Identifier: MIT
// Small operators of their own kind.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <cmath>

namespace migraphx::onnx {

namespace {

using extra_ints = std::vector<int64_t>;

// x * scale + bias, with a bias for each channel.
instructions read_image_scaler(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    const auto bias = n.reals("bias");
    const auto t = n.shape_of(0).type();
    const auto b = n.literal(migraphx::literal{shape{t, {bias.size()}}, bias});
    const auto scaled = n.with_number("mul", x, double(n.real("scale", 1)));
    return {n.add("add", scaled, n.stretch_along(b, 1, x))};
}

// ATen embedding_bag: rows of a table that indices pick, reduced to one.
instructions read_aten(node_reader& n) {
    if (n.text("operator", "") != "embedding_bag")
        n.unsupported("operator: embedding_bag was expected, got '" + n.text("operator", "") + "'");
    n.expect_inputs(2, 4);
    if (n.has(2) and (n.shape_of(2).dynamic() or n.shape_of(2).elements() != 1))
        n.unsupported(str("one offset was expected, got ", n.shape_of(2)));
    const auto mode = n.integer("mode", 0);
    if (mode < 0 or mode > 2)
        n.malformed(str("mode of 0 to 2 was expected, got ", mode));
    const char* reduce[] = {"reduce_sum", "reduce_mean", "reduce_max"};
    const auto rows = n.add(make_op("gather", {{"axis", 0}}), {n.input(0), n.input(1)});
    return {n.add(make_op(reduce[mode], {{"axes", extra_ints{0}}}), {rows})};
}

instructions read_bit_shift(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto direction = n.text("direction", "");
    if (direction != "LEFT" and direction != "RIGHT")
        n.malformed("direction: LEFT or RIGHT was expected, got '" + direction + "'");
    // 2^y in the type of x, as a product or a truncating quotient; beyond its bits nothing is left.
    const auto t = n.shape_of(0).type();
    const auto two = n.scalar(t, 2);
    const auto power = n.add_common("pow", {two, n.input(1)});
    const auto shifted = n.add_common(direction == "LEFT" ? "mul" : "div", {n.input(0), power});
    const auto bits = double(8 * shape{t}.type_size());
    const auto amount = n.broadcast_like(n.input(1), shifted);
    const auto all = n.broadcast_like(n.scalar(t, bits - 1), shifted);
    const auto gone = n.convert(n.add("greater", amount, all), shape::bool_type);
    return {n.add("where", gone, n.broadcast_like(n.scalar(t, 0), shifted), shifted)};
}

// Cosine windows: a0 - a1 cos(2 pi i / m) + a2 cos(4 pi i / m), m = size when periodic, else size - 1.
instructions read_window(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto size = n.constant_ints(0);
    if (not size or size->size() != 1)
        n.unsupported("a size that is known at import was expected, got values of a run");
    if (size->front() < 0 or size->front() > (int64_t{1} << 24))
        n.malformed(str("a size that fits the memory was expected, got ", size->front()));
    double a0 = 0.5, a1 = 0.5, a2 = 0;
    if (n.op_type() == "HammingWindow") {
        a0 = 25.0 / 46;
        a1 = 1 - a0;
    } else if (n.op_type() == "BlackmanWindow") {
        a0 = 0.42;
        a2 = 0.08;
    }
    const auto count = std::size_t(size->front());
    const double period = n.integer("periodic", 1) != 0 ? double(count) : double(count) - 1;
    std::vector<double> v(count);
    for (std::size_t i = 0; i < count; i++) {
        const double angle = period == 0 ? 0 : 2 * M_PI * double(i) / period;
        v[i] = a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle);
    }
    const auto dtype = n.integer("output_datatype", 1);
    const auto t = dtype == 11 ? shape::double_type : dtype == 10 ? shape::half_type : dtype == 16 ? shape::bf16_type : shape::float_type;
    return {n.literal(migraphx::literal{shape{t, {count}}, v})};
}

// Cut or padded with 0 around the middle to the sizes asked for.
instructions read_center_crop_pad(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto target = n.constant_ints(1);
    const auto& s = n.shape_of(0);
    if (not target or s.dynamic())
        n.unsupported("sizes that are known at import were expected, got values of a run");
    auto axes = n.integers("axes");
    if (axes.empty())
        for (std::size_t d = 0; d < s.ndim(); d++)
            axes.push_back(int64_t(d));
    if (axes.size() != target->size())
        n.malformed(str("a size for each of ", axes.size(), " axes was expected, got ", target->size()));
    extra_ints pads(2 * s.ndim(), 0);
    for (std::size_t i = 0; i < axes.size(); i++) {
        const auto d = n.axis(axes[i], s.ndim());
        const auto grow = (*target)[i] - int64_t(s.lens()[d]);
        // Cutting starts at the floor of half of what goes, padding too.
        const auto half = grow >= 0 ? grow / 2 : -((-grow) / 2);
        pads[d] = half;
        pads[d + s.ndim()] = grow - half;
    }
    return {n.add(make_op("pad", {{"pads", pads}}), {n.input(0)})};
}

const operators extra_operators{{"ImageScaler", read_image_scaler},
                                {"ATen", read_aten},
                                {"ATen", read_aten, "org.pytorch.aten"},
                                {"BitShift", read_bit_shift},
                                {"HannWindow", read_window},
                                {"HammingWindow", read_window},
                                {"BlackmanWindow", read_window},
                                {"CenterCropPad", read_center_crop_pad}};

} // namespace

} // namespace migraphx::onnx
