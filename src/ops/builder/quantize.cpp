// SPDX-License-Identifier: MIT
// Recipes of quantizelinear and dequantizelinear: scales and zero points of one number, one for
// each entry of `axis`, or one for each block along `axis`, stretched to the dimensions of x. The
// division is done in `precision` (the type of the scale); what is too large for an 8-bit float
// becomes infinite or NaN when `saturate` is false.
#include "ops/builder/site.hpp"

#include "ir/number_kinds.hpp"

namespace migraphx::op::builder {

namespace {

std::size_t axis_of(const site& s, int64_t axis, std::size_t rank) {
    const auto n = static_cast<int64_t>(rank);
    if (axis < -n or axis >= n)
        s.malformed(str("axis in [", -n, ", ", n - 1, "] was expected, got ", axis));
    return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

// A parameter with one number for each block of `block` positions along `axis`.
instruction_ref stretch_blocks(site& s, instruction_ref p, instruction_ref x, std::size_t axis,
                               int64_t block) {
    const auto& to = x->get_shape();
    const auto& from = p->get_shape();
    if (to.dynamic() or from.dynamic())
        s.malformed(str("static shapes were expected for blocks, got ", to, " and ", from));
    auto lens = from.lens();
    const auto len = to.lens()[axis];
    if (block == 0 and lens[axis] != 0)
        block = static_cast<int64_t>((len + lens[axis] - 1) / lens[axis]);
    const auto width = static_cast<std::size_t>(block);
    for (std::size_t d = 0; d < lens.size(); ++d) {
        const bool fits = d == axis ? width > 0 and lens[d] == (len + width - 1) / width
                                    : lens[d] == to.lens()[d];
        if (not fits)
            s.malformed(str("a parameter for each block of ", block, " in ", to,
                            " was expected, got ", from));
    }
    if (width == 1)
        return p;
    auto split = lens;
    split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, width);
    auto y = s.add(make_op("unsqueeze", {{"axes", std::vector<std::size_t>{axis + 1}}}), {p});
    y = s.add(make_op("multibroadcast", {{"out_lens", split}}), {y});
    lens[axis] *= width;
    y = s.add(make_op("reshape", {{"dims", lens}}), {y});
    if (lens[axis] != len)
        y = s.add(make_op("slice", {{"axes", std::vector<std::size_t>{axis}},
                                    {"starts", std::vector<std::size_t>{0}},
                                    {"ends", std::vector<std::size_t>{len}}}),
                  {y});
    return y;
}

instruction_ref stretch_parameter(site& s, instruction_ref p, instruction_ref x) {
    const auto& from = p->get_shape();
    const auto rank = x->get_shape().ndim();
    if (not from.dynamic() and from.elements() == 1) {
        if (from.ndim() > 1) {
            std::vector<std::size_t> axes(from.ndim());
            for (std::size_t i = 0; i < axes.size(); ++i)
                axes[i] = i;
            p = s.add(make_op("squeeze", {{"axes", axes}}), {p});
        }
        return s.stretch(p, x);
    }
    const auto axis = axis_of(s, s.option<int64_t>("axis", 1), rank);
    if (from.ndim() == 1 and rank > 0)
        return rank == 1 ? p : s.along(p, axis, x);
    if (from.ndim() != rank)
        s.malformed(str("parameters of one dimension or of ", rank, " were expected, got ", from));
    return stretch_blocks(s, p, x, axis, s.option<int64_t>("block_size", 0));
}

instructions build_quantize(site& s) {
    s.expect_operands(2, 3);
    const auto type_option = [&](const char* key, shape::type_t fallback) {
        return shape::type_of_number(s.option<int64_t>(key, fallback));
    };
    const auto from = s.operand(0)->get_shape().type();
    auto precision = s.operand(1)->get_shape().type();
    if (not shape::is_computable(precision))
        precision = shape::is_integral(from) ? shape::float_type : from;
    precision = type_option("precision", precision);
    const auto x = s.convert(s.operand(0), precision);
    const auto scale = stretch_parameter(s, s.convert(s.operand(1), precision), x);
    const auto to =
        s.has(2) ? s.operand(2)->get_shape().type() : type_option("output_type", shape::uint8_type);
    if (not s.option<bool>("saturate", true) and is_fp8(to))
        return {s.add(make_op("cast", {{"target_type", to}, {"saturate", false}}),
                      {s.add("div", x, scale)})};
    instructions in{x, scale};
    if (s.has(2))
        in.push_back(stretch_parameter(s, s.operand(2), x));
    value attributes = value::object{};
    const auto type = s.option<int>("output_type", -1);
    if (type >= 0)
        attributes["out_type"] = type;
    return {s.add(make_op("quantizelinear", attributes), in)};
}

instructions build_dequantize(site& s) {
    s.expect_operands(2, 3);
    const auto x = s.operand(0);
    instructions in{x, stretch_parameter(s, s.operand(1), x)};
    if (s.has(2))
        in.push_back(stretch_parameter(s, s.operand(2), x));
    return {s.add(make_op("dequantizelinear"), in)};
}

const recipes quantize_recipes{{"quantizelinear",
                                build_quantize,
                                {"axis", "block_size", "output_type", "precision", "saturate"}},
                               {"dequantizelinear", build_dequantize, {"axis", "block_size"}}};

} // namespace

} // namespace migraphx::op::builder
