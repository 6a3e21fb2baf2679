// SPDX-License-Identifier: MIT
// Small operators of their own kind.
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

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

// Shifts as products and truncating quotients with 2^y in the type of x. A right shift of a
// negative x is that of ~x = -1 - x turned round again, so that it keeps the sign; beyond the bits
// nothing is left.
instructions read_bit_shift(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto direction = n.text("direction", "");
    if (direction != "LEFT" and direction != "RIGHT")
        n.malformed("direction: LEFT or RIGHT was expected, got '" + direction + "'");
    const auto t = n.shape_of(0).type();
    if (not shape::is_integral(t) or n.shape_of(1).type() != t)
        n.malformed(
            str("integers of one type were expected, got ", n.shape_of(0), " and ", n.shape_of(1)));
    const auto both = add_common_args(n.mod(), n.inputs());
    const auto x = both[0], y = both[1];
    const auto number = [&](double v) { return n.broadcast_like(n.scalar(t, v), x); };
    const auto test = [&](const char* op, instruction_ref a, instruction_ref b) {
        return n.convert(n.add(op, a, b), shape::bool_type);
    };
    const auto inverse = [&](instruction_ref v) { return n.add("sub", number(-1), v); };
    const auto last = number(double(8 * shape{t}.type_size() - 1));
    const bool is_signed = not shape::is_unsigned(t);
    auto gone = test("greater", y, last);
    if (is_signed)
        gone = n.add("logical_or", gone, test("less", y, number(0)));
    const auto power = n.add("pow", number(2), n.add("where", gone, number(0), y));
    const auto shifted = [&](const char* op, instruction_ref v) {
        return n.add("where", gone, number(0), n.add(op, v, power));
    };
    if (direction == "LEFT")
        return {shifted("mul", x)};
    if (not is_signed)
        return {shifted("div", x)};
    const auto negative = test("less", x, number(0));
    const auto result = shifted("div", n.add("where", negative, inverse(x), x));
    return {n.add("where", negative, inverse(result), result)};
}

const operators extra_operators{{"ImageScaler", read_image_scaler},
                                {"ATen", read_aten},
                                {"ATen", read_aten, "org.pytorch.aten"},
                                {"BitShift", read_bit_shift}};

} // namespace

} // namespace migraphx::onnx
