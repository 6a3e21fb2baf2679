// SPDX-License-Identifier: MIT
// Block scaling with a power of two for each block and elements of four bits (fp4 e2m1).
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

using block_ints = std::vector<int64_t>;

struct blocked {
    instruction_ref x;       ///< (…, blocks, 32, …) with the block at axis + 1
    instruction_ref scale;   ///< a power of two for each block, stretched to x
    instruction_ref compact; ///< the same as (…, blocks, …)
    int64_t axis;
};

constexpr int64_t block_length = 32;

// scale = 2^(floor(log2(largest magnitude)) - 2), so that the largest of a block needs the largest
// exponent of e2m1; 1 for blocks of zeros.
blocked in_blocks(node_reader& n, int64_t axis_attribute) {
    const auto& s = n.shape_of(0);
    if (s.dynamic())
        n.unsupported(str("a static shape was expected, got ", s));
    blocked b;
    b.axis = int64_t(n.axis(axis_attribute, s.ndim()));
    block_ints dims(s.lens().begin(), s.lens().end());
    if (dims[std::size_t(b.axis)] % block_length != 0)
        n.unsupported(str("a multiple of ", block_length, " elements along axis ", b.axis,
                          " was expected, got ", s));
    dims[std::size_t(b.axis)] /= block_length;
    dims.insert(dims.begin() + b.axis + 1, block_length);
    b.x = n.add(make_op("reshape", {{"dims", dims}}), {n.input(0)});
    const auto top =
        n.add(make_op("reduce_max", {{"axes", block_ints{b.axis + 1}}}), {n.add("abs", b.x)});
    const auto exponent = n.with_number("sub", n.add("floor", n.add("log2", top)), 2);
    const auto t = s.type();
    const auto power = n.add("pow", n.broadcast_like(n.scalar(t, 2), exponent), exponent);
    const auto empty = n.convert(n.with_number("equal", top, 0), shape::bool_type);
    const auto scale = n.add("where", empty, n.broadcast_like(n.scalar(t, 1), power), power);
    b.scale = n.broadcast_like(scale, b.x);
    b.compact = n.add(make_op("squeeze", {{"axes", block_ints{b.axis + 1}}}), {scale});
    return b;
}

void expect_fp4(node_reader& n, const char* name, std::string_view expected) {
    if (n.has_attribute(name) and n.find(name)->type == attribute_type::string_value and
        n.text(name, "") != expected)
        n.unsupported(str(name, ": ", expected, " was expected, got '", n.text(name, ""), "'"));
}

// Rounded to what a block of four-bit numbers can hold.
instructions read_quantize_dequantize(node_reader& n) {
    n.expect_inputs(1, 1);
    expect_fp4(n, "element_dtype", "fp4_e2m1");
    if (n.integer("block_size", block_length) != block_length)
        n.unsupported(
            str("block_size of ", block_length, " was expected, got ", n.integer("block_size")));
    if (n.integer("rounding_mode", 2) != 2)
        n.unsupported(str("rounding_mode of 2 was expected, got ", n.integer("rounding_mode")));
    const auto b = in_blocks(n, n.integer("axis", 1));
    const auto packed =
        n.add(make_op("pack_fp4", {{"axis", b.axis + 1}}), {n.add("div", b.x, b.scale)});
    const auto rounded = n.convert(n.add(make_op("unpack_fp4", {{"axis", b.axis + 1}}), {packed}),
                                   n.shape_of(0).type());
    return {n.add(make_op("reshape", {{"dims", n.shape_of(0).lens()}}),
                  {n.add("mul", rounded, b.scale)})};
}

// The scales alone.
instructions read_dynamic_scale(node_reader& n) {
    n.expect_inputs(1, 1);
    if (n.integer("group_size", block_length) != block_length)
        n.unsupported(
            str("group_size of ", block_length, " was expected, got ", n.integer("group_size")));
    return {in_blocks(n, n.integer("group_dim", n.integer("axis", -1))).compact};
}

const operators microscaling_operators{{"MXFixNeuron", read_quantize_dequantize},
                                       {"MXQuantizeDequantize", read_quantize_dequantize},
                                       {"DynamicScale", read_dynamic_scale}};

} // namespace

} // namespace migraphx::onnx
