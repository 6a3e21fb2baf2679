// SPDX-License-Identifier: MIT
// What each family of ONNX operators becomes: instructions, attributes and shapes.
#include "onnx_import_support.hpp"

namespace {

using namespace onnx_import;
using names = std::vector<std::string>;
using lens = std::vector<std::size_t>;
using migraphx::shape;

migraphx::onnx_options dynamic_batch() {
    migraphx::onnx_options o;
    o.default_dyn_dim_value = {1, 8};
    return o;
}

TEST(onnx_import, elementwise_operators_broadcast) {
    const auto p = one("Add", {{"a", float_code, {"2", "3"}}, {"b", float_code, {"3"}}}).parse();
    EXPECT_EQ(operators_of(p), (names{"multibroadcast", "add"}));
    EXPECT_EQ(result_of(p), (shape{shape::float_type, {2, 3}}));
}

TEST(onnx_import, elementwise_operators_of_old_opsets_align_at_an_axis) {
    const auto m = one("Mul", {{"a", float_code, {"2", "3", "4"}}, {"b", float_code, {"3"}}},
                       {ow::int_attribute("broadcast", 1), ow::int_attribute("axis", 1)}, 6);
    EXPECT_EQ(operators_of(m.parse()), (names{"unsqueeze", "multibroadcast", "mul"}));
}

TEST(onnx_import, comparisons_give_bool) {
    for (const auto& op : {"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"}) {
        const auto p = one(op, {{"a", float_code, {"4"}}, {"b", float_code, {"4"}}}).parse();
        EXPECT_EQ(result_of(p), (shape{shape::bool_type, {4}})) << op;
    }
}

TEST(onnx_import, pow_keeps_the_type_of_the_base) {
    const auto p = one("Pow", {{"a", int32_code, {"4"}}, {"b", float_code, {"4"}}}).parse();
    EXPECT_EQ(result_of(p).type(), shape::int32_type);
}

TEST(onnx_import, cast_to_bool_tests_for_zero) {
    const auto p =
        one("Cast", {{"a", int32_code, {"4"}}}, {ow::int_attribute("to", bool_code)}).parse();
    EXPECT_EQ(operators_of(p), (names{"multibroadcast", "equal", "not", "convert"}));
    EXPECT_EQ(result_of(p).type(), shape::bool_type);
}

TEST(onnx_import, clip_takes_bounds_as_attributes_or_inputs) {
    const auto old = one("Clip", {{"a", float_code, {"4"}}},
                         {float_attribute("min", 0), float_attribute("max", 6)}, 6);
    EXPECT_EQ(operators_of(old.parse()).back(), "clip");
    auto m = one("Clip", {{"a", float_code, {"4"}}}, {}, 13);
    m.initializers = {float_tensor("hi", {}, {6})};
    m.nodes = {ow::node("Clip", {"a", "", "hi"}, {"y"})};
    EXPECT_EQ(operators_of(m.parse()).back(), "min");
}

TEST(onnx_import, activations_are_formulas_of_known_form) {
    const input x{"x", float_code, {"2", "4"}};
    EXPECT_EQ(operators_of(one("Gelu", {x}, {}, 20).parse()),
              (names{"multibroadcast", "mul", "multibroadcast", "mul", "erf", "multibroadcast",
                     "add", "mul"}));
    EXPECT_EQ(operators_of(one("HardSwish", {x}).parse()),
              (names{"multibroadcast", "mul", "multibroadcast", "add", "multibroadcast",
                     "multibroadcast", "clip", "mul"}));
    EXPECT_EQ(operators_of(one("Relu", {x}).parse()), (names{"relu"}));
    EXPECT_EQ(operators_of(one("Gelu", {x}, {}, 17, "com.microsoft").parse()).back(), "mul");
}

TEST(onnx_import, reshape_reads_known_sizes) {
    auto m = one("Reshape", {{"x", float_code, {"2", "3", "4"}}});
    m.initializers = {int64_tensor("s", {0, -1})};
    m.nodes = {ow::node("Reshape", {"x", "s"}, {"y"})};
    const auto p = m.parse();
    EXPECT_EQ(only(p, "reshape")->get_operator().get_vector<int64_t>("dims"),
              (std::vector<int64_t>{0, -1}));
    EXPECT_EQ(result_of(p).lens(), (lens{2, 12}));
}

// Shape → Gather → Concat → Reshape: the batch is copied, the rest is known.
model reshape_by_shape() {
    model m;
    m.inputs = {{"x", float_code, {"batch", "3", "4"}}};
    m.initializers = {int64_scalar("zero", 0), int64_tensor("first", {0}),
                      int64_tensor("rest", {12})};
    m.nodes = {ow::node("Shape", {"x"}, {"s"}), ow::node("Gather", {"s", "zero"}, {"b"}),
               ow::node("Unsqueeze", {"b", "first"}, {"u"}),
               ow::node("Concat", {"u", "rest"}, {"t"}, "", {ow::int_attribute("axis", 0)}),
               ow::node("Reshape", {"x", "t"}, {"y"})};
    return m;
}

TEST(onnx_import, shape_arithmetic_of_static_shapes_is_folded) {
    const auto p = reshape_by_shape().parse();
    EXPECT_EQ(result_of(p).lens(), (lens{1, 12}));
}

TEST(onnx_import, shape_arithmetic_of_dynamic_shapes_gives_reshape_attributes) {
    const auto p = reshape_by_shape().parse(dynamic_batch());
    EXPECT_EQ(only(p, "reshape")->get_operator().get_vector<int64_t>("dims"),
              (std::vector<int64_t>{0, 12}));
    EXPECT_EQ(result_of(p).dyn_dims()[1], std::size_t{12});
}

TEST(onnx_import, unknown_sizes_are_operands) {
    const auto m = one("Reshape", {{"x", float_code, {"2", "3"}}, {"s", int64_code, {"2"}}});
    EXPECT_EQ(operators_of(m.parse()), (names{"reshape_dynamic"}));
    EXPECT_EQ(operators_of(
                  one("Expand", {{"x", float_code, {"2", "1"}}, {"s", int64_code, {"2"}}}).parse()),
              (names{"broadcast_with_dims"}));
    EXPECT_EQ(operators_of(
                  one("Tile", {{"x", float_code, {"2", "1"}}, {"s", int64_code, {"2"}}}).parse()),
              (names{"tile_dynamic"}));
    EXPECT_EQ(operators_of(one("ConstantOfShape", {{"s", int64_code, {"2"}}}).parse()),
              (names{"constant_of_shape"}));
    EXPECT_EQ(operators_of(one("Slice", {{"x", float_code, {"4"}},
                                         {"a", int64_code, {"1"}},
                                         {"b", int64_code, {"1"}}})
                               .parse()),
              (names{"slice_dynamic"}));
    EXPECT_EQ(
        operators_of(one("Pad", {{"x", float_code, {"4"}}, {"p", int64_code, {"2"}}}).parse()),
        (names{"pad_dynamic"}));
    EXPECT_EQ(
        operators_of(one("TopK", {{"x", float_code, {"4"}}, {"k", int64_code, {"1"}}}).parse())[0],
        "topk_dynamic");
}

TEST(onnx_import, unsqueeze_and_squeeze_read_axes_of_both_forms) {
    const auto old =
        one("Unsqueeze", {{"x", float_code, {"3"}}}, {ints_attribute("axes", {0, 2})}, 11).parse();
    EXPECT_EQ(result_of(old).lens(), (lens{1, 3, 1}));
    auto m = one("Squeeze", {{"x", float_code, {"1", "3", "1"}}});
    m.initializers = {int64_tensor("a", {-1})};
    m.nodes = {ow::node("Squeeze", {"x", "a"}, {"y"})};
    EXPECT_EQ(result_of(m.parse()).lens(), (lens{1, 3}));
    // Axes of a run: the rank is known, the sizes are computed.
    const auto p = one("Unsqueeze", {{"x", float_code, {"3"}}, {"a", int64_code, {"1"}}}).parse();
    EXPECT_EQ(operators_of(p).back(), "reshape_dynamic");
    EXPECT_EQ(result_of(p).ndim(), 2u);
}

TEST(onnx_import, a_scalar_index_removes_the_axis) {
    auto m = one("Gather", {{"x", float_code, {"5", "6"}}});
    m.initializers = {int64_scalar("i", 2)};
    m.nodes = {ow::node("Gather", {"x", "i"}, {"y"}, "", {ow::int_attribute("axis", 1)})};
    EXPECT_EQ(result_of(m.parse()).lens(), (lens{5}));
}

TEST(onnx_import, slices_with_steps_of_both_signs) {
    model m;
    m.inputs = {{"x", float_code, {"10"}}};
    m.initializers = {int64_tensor("s", {-2}), int64_tensor("e", {-100}), int64_tensor("a", {0}),
                      int64_tensor("t", {-3})};
    m.nodes = {ow::node("Slice", {"x", "s", "e", "a", "t"}, {"y"})};
    const auto p = m.parse();
    EXPECT_EQ(operators_of(p), (names{"slice", "reverse", "step"}));
    EXPECT_EQ(result_of(p).lens(), (lens{3}));
}

TEST(onnx_import, split_in_equal_and_given_parts) {
    auto m =
        one("Split", {{"x", float_code, {"7", "2"}}}, {ow::int_attribute("num_outputs", 3)}, 18);
    m.nodes = {
        ow::node("Split", {"x"}, {"y", "z", "w"}, "", {ow::int_attribute("num_outputs", 3)})};
    m.outputs = {"y", "z", "w"};
    const auto p = m.parse();
    EXPECT_EQ(result_of(p, 0).lens(), (lens{3, 2}));
    EXPECT_EQ(result_of(p, 2).lens(), (lens{1, 2}));
    m.opset = 11;
    m.nodes = {ow::node("Split", {"x"}, {"y", "z", "w"}, "", {ints_attribute("split", {1, 2, 4})})};
    EXPECT_EQ(result_of(m.parse(), 2).lens(), (lens{4, 2}));
}

TEST(onnx_import, reductions_read_axes_of_both_forms) {
    const input x{"x", float_code, {"2", "3", "4"}};
    const auto old = one("ReduceMean", {x},
                         {ints_attribute("axes", {1, -1}), ow::int_attribute("keepdims", 0)}, 13)
                         .parse();
    EXPECT_EQ(operators_of(old), (names{"reduce_mean", "squeeze"}));
    EXPECT_EQ(result_of(old).lens(), (lens{2}));
    auto m = one("ReduceSum", {x});
    m.initializers = {int64_tensor("a", {1})};
    m.nodes = {ow::node("ReduceSum", {"x", "a"}, {"y"})};
    EXPECT_EQ(result_of(m.parse()).lens(), (lens{2, 1, 4}));
    EXPECT_EQ(
        operators_of(one("ReduceSum", {x}, {ow::int_attribute("noop_with_empty_axes", 1)}).parse()),
        (names{}));
}

TEST(onnx_import, softmax_before_opset_13_works_on_a_matrix) {
    const input x{"x", float_code, {"2", "3", "4"}};
    EXPECT_EQ(operators_of(one("Softmax", {x}, {}, 11).parse()),
              (names{"flatten", "softmax", "reshape"}));
    EXPECT_EQ(operators_of(one("Softmax", {x}, {ow::int_attribute("axis", 2)}, 11).parse()),
              (names{"softmax"}));
    const auto p = one("Softmax", {x}, {}, 13).parse();
    EXPECT_EQ(only(p, "softmax")->get_operator().get<int64_t>("axis"), 2);
}

TEST(onnx_import, convolutions_add_a_bias) {
    const auto m = one("Conv",
                       {{"x", float_code, {"1", "4", "9", "9"}},
                        {"w", float_code, {"8", "2", "3", "3"}},
                        {"b", float_code, {"8"}}},
                       {ints_attribute("pads", {1, 1, 1, 1}), ints_attribute("strides", {2, 2}),
                        ow::int_attribute("group", 2)});
    const auto p = m.parse();
    EXPECT_EQ(operators_of(p), (names{"convolution", "broadcast", "add"}));
    EXPECT_EQ(result_of(p).lens(), (lens{1, 8, 5, 5}));
}

TEST(onnx_import, same_padding_is_computed_for_known_sizes_only) {
    const std::vector<ow::bytes> attributes{text_attribute("auto_pad", "SAME_UPPER"),
                                            ints_attribute("strides", {2, 2})};
    const auto m = one(
        "Conv", {{"x", float_code, {"n", "1", "8", "h"}}, {"w", float_code, {"1", "1", "3", "3"}}},
        attributes);
    migraphx::onnx_options fixed;
    fixed.default_dim_value = 8;
    const auto p = m.parse(fixed);
    EXPECT_EQ(only(p, "convolution")->get_operator().get_vector<int64_t>("padding"),
              (std::vector<int64_t>{0, 0, 1, 1}));
    const auto q = m.parse(dynamic_batch());
    EXPECT_EQ(only(q, "convolution")->get_operator().get<int>("padding_mode"), 2);
}

TEST(onnx_import, transposed_convolutions_cut_and_grow) {
    const std::vector<input> in{{"x", float_code, {"1", "1", "3", "3"}},
                                {"w", float_code, {"1", "2", "3", "3"}}};
    const auto p = one("ConvTranspose", in,
                       {ints_attribute("strides", {3, 2}), ints_attribute("pads", {1, 2, 1, 2})})
                       .parse();
    EXPECT_EQ(result_of(p).lens(), (lens{1, 2, 7, 3}));
    const auto q = one("ConvTranspose", in,
                       {ints_attribute("strides", {3, 2}), ints_attribute("output_shape", {10, 8})})
                       .parse();
    EXPECT_EQ(result_of(q).lens(), (lens{1, 2, 10, 8}));
    const auto r =
        one("ConvTranspose", in,
            {ints_attribute("strides", {3, 2}), ints_attribute("output_padding", {1, 1})})
            .parse();
    EXPECT_EQ(result_of(r).lens(), (lens{1, 2, 10, 8}));
}

TEST(onnx_import, poolings) {
    const input x{"x", float_code, {"1", "2", "8", "8"}};
    const auto p = one("MaxPool", {x},
                       {ints_attribute("kernel_shape", {3, 3}), ints_attribute("strides", {2, 2}),
                        ow::int_attribute("ceil_mode", 1)})
                       .parse();
    EXPECT_EQ(result_of(p).lens(), (lens{1, 2, 4, 4}));
    EXPECT_EQ(result_of(one("GlobalAveragePool", {x}).parse()).lens(), (lens{1, 2, 1, 1}));
    const auto q =
        one("GlobalMaxPool", {{"x", float_code, {"n", "2", "h", "w"}}}).parse(dynamic_batch());
    EXPECT_TRUE(only(q, "pooling")->get_operator().get<bool>("dyn_global"));
}

TEST(onnx_import, products_of_vectors_and_batches) {
    EXPECT_EQ(result_of(one("MatMul", {{"a", float_code, {"5", "1", "2", "3"}},
                                       {"b", float_code, {"4", "3", "6"}}})
                            .parse())
                  .lens(),
              (lens{5, 4, 2, 6}));
    EXPECT_EQ(
        result_of(one("MatMul", {{"a", float_code, {"3"}}, {"b", float_code, {"3", "6"}}}).parse())
            .lens(),
        (lens{6}));
    EXPECT_EQ(
        result_of(one("MatMul", {{"a", float_code, {"2", "3"}}, {"b", float_code, {"3"}}}).parse())
            .lens(),
        (lens{2}));
    const auto p = one("Gemm",
                       {{"a", float_code, {"3", "2"}},
                        {"b", float_code, {"4", "3"}},
                        {"c", float_code, {"4"}}},
                       {ow::int_attribute("transA", 1), ow::int_attribute("transB", 1)})
                       .parse();
    EXPECT_EQ(operators_of(p), (names{"transpose", "transpose", "dot", "multibroadcast", "add"}));
}

TEST(onnx_import, batch_norm_of_constants_is_folded) {
    model m;
    m.inputs = {{"x", float_code, {"1", "2", "4", "4"}}};
    for (const auto* name : {"s", "b", "m", "v"})
        m.initializers.push_back(float_tensor(name, {2}, {1, 4}));
    m.nodes = {ow::node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"})};
    EXPECT_EQ(operators_of(m.parse()), (names{"broadcast", "mul", "broadcast", "add"}));
}

TEST(onnx_import, layer_norm_and_recurrent_layers_stay_whole) {
    const auto p =
        one("LayerNormalization",
            {{"x", float_code, {"2", "4"}}, {"s", float_code, {"4"}}, {"b", float_code, {"4"}}})
            .parse();
    EXPECT_EQ(operators_of(p), (names{"layer_norm"}));
    auto m = one("LSTM",
                 {{"x", float_code, {"5", "1", "3"}},
                  {"w", float_code, {"1", "16", "3"}},
                  {"r", float_code, {"1", "16", "4"}}},
                 {ow::int_attribute("hidden_size", 4)});
    m.nodes = {ow::node("LSTM", {"x", "w", "r"}, {"y", "h", "c"}, "",
                        {ow::int_attribute("hidden_size", 4)})};
    m.outputs = {"y", "h", "c"};
    const auto q = m.parse();
    EXPECT_EQ(operators_of(q)[0], "lstm_all");
    EXPECT_EQ(result_of(q, 0).lens(), (lens{5, 1, 1, 4}));
    EXPECT_EQ(result_of(q, 2).lens(), (lens{1, 1, 4}));
}

TEST(onnx_import, resize_by_scales_and_sizes) {
    model m;
    m.inputs = {{"x", float_code, {"1", "2", "3", "4"}}};
    m.initializers = {float_tensor("s", {4}, {1, 1, 2, 1.5F})};
    m.nodes = {ow::node("Resize", {"x", "", "s"}, {"y"})};
    EXPECT_EQ(result_of(m.parse()).lens(), (lens{1, 2, 6, 6}));
    m.initializers = {int64_tensor("s", {9, 9})};
    m.opset = 18;
    m.nodes = {ow::node("Resize", {"x", "", "", "s"}, {"y"}, "", {ints_attribute("axes", {2, 3})})};
    EXPECT_EQ(result_of(m.parse()).lens(), (lens{1, 2, 9, 9}));
}

TEST(onnx_import, values_of_constants) {
    model m;
    m.nodes = {ow::node("Constant", {}, {"y"}, "", {ints_attribute("value_ints", {3, 4})})};
    EXPECT_EQ(values_of(m.parse()), (std::vector<double>{3, 4}));
    m.initializers = {int64_scalar("a", 2), int64_scalar("b", 9), int64_scalar("c", 3)};
    m.nodes = {ow::node("Range", {"a", "b", "c"}, {"y"})};
    EXPECT_EQ(values_of(m.parse()), (std::vector<double>{2, 5, 8}));
    m.initializers = {int64_tensor("s", {2, 2})};
    m.nodes = {ow::node("ConstantOfShape", {"s"}, {"y"}, "",
                        {tensor_attribute("value", float_tensor("", {1}, {7}))})};
    EXPECT_EQ(values_of(m.parse()), (std::vector<double>{7, 7, 7, 7}));
}

TEST(onnx_import, quantisation_stretches_scales) {
    auto m = one("DequantizeLinear", {{"x", uint8_code, {"2", "3"}}, {"s", float_code, {"3"}}},
                 {ow::int_attribute("axis", 1)});
    EXPECT_EQ(operators_of(m.parse()), (names{"broadcast", "dequantizelinear"}));
    EXPECT_EQ(
        result_of(one("QuantizeLinear",
                      {{"x", float_code, {"2", "3"}}, {"s", float_code, {}}, {"z", int8_code, {}}})
                      .parse()),
        (shape{shape::int8_type, {2, 3}}));
}

TEST(onnx_import, data_dependent_sizes_are_dynamic) {
    EXPECT_TRUE(result_of(one("NonZero", {{"x", float_code, {"2", "3"}}}).parse()).dynamic());
    const auto p = one("NonMaxSuppression",
                       {{"b", float_code, {"1", "6", "4"}}, {"s", float_code, {"1", "2", "6"}}})
                       .parse();
    EXPECT_TRUE(result_of(p).dynamic());
}

} // namespace
