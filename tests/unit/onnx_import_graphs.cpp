// SPDX-License-Identifier: MIT
// Sub-graphs of models, and what the importer says about wrong nodes.
#include "onnx_import_support.hpp"

#include <migraphx/op/builder/insert.hpp>

#include <algorithm>

namespace {

using namespace onnx_import;
using names = std::vector<std::string>;
using lens = std::vector<std::size_t>;

ow::bytes branch(const std::string& name, const std::vector<ow::bytes>& nodes,
                 const std::string& output) {
    ow::graph g;
    g.name = name;
    g.nodes = nodes;
    g.outputs = {ow::value(output, ow::tensor_type(float_code, {"2"}))};
    return g.write();
}

model choice(const ow::bytes& yes, const ow::bytes& no) {
    model m;
    m.inputs = {{"x", float_code, {"2"}}};
    m.nodes = {ow::node(
        "If", {"c"}, {"y"}, "choice",
        {ow::graph_attribute("then_branch", yes), ow::graph_attribute("else_branch", no)})};
    return m;
}

const ow::bytes doubled = branch("yes", {ow::node("Add", {"x", "x"}, {"a"})}, "a");
const ow::bytes squared = branch("no", {ow::node("Mul", {"x", "x"}, {"b"})}, "b");

TEST(onnx_import, a_branch_with_a_known_condition_is_inlined) {
    auto m = choice(doubled, squared);
    m.initializers = {ow::raw_tensor("c", bool_code, {}, ow::raw<char>({0}))};
    const auto p = m.parse();
    EXPECT_EQ(operators_of(p), (names{"mul"}));
    EXPECT_EQ(p.get_modules().size(), 1u);
}

TEST(onnx_import, a_branch_of_a_run_is_a_module) {
    auto m = choice(doubled, squared);
    m.inputs.push_back({"c", bool_code, {}});
    const auto p = m.parse();
    EXPECT_EQ(operators_of(p), (names{"if", "get_tuple_elem"}));
    EXPECT_EQ(p.get_modules().size(), 3u);
    EXPECT_EQ(result_of(p).lens(), (lens{2}));
}

TEST(onnx_import, branches_squeeze_if_the_dimension_is_one) {
    auto yes =
        branch("yes", {ow::node("Squeeze", {"x"}, {"a"}, "", {ints_attribute("axes", {0})})}, "a");
    auto no = branch("no", {ow::node("Identity", {"x"}, {"b"})}, "b");
    auto m = choice(yes, no);
    m.opset = 11;
    m.inputs = {{"x", float_code, {"n", "4"}}, {"c", bool_code, {}}};
    migraphx::onnx_options o;
    o.default_dyn_dim_value = {1, 8};
    const auto p = m.parse(o);
    EXPECT_EQ(operators_of(p), (names{"squeeze"}));
    EXPECT_EQ(p.get_modules().size(), 1u);
}

TEST(onnx_import, a_branch_that_does_not_fit_fails_only_when_it_is_taken) {
    auto m = choice(branch("yes", {ow::node("MatMul", {"x", "w"}, {"a"})}, "a"), squared);
    m.inputs.push_back({"c", bool_code, {}});
    m.initializers = {float_tensor("w", {5, 2}, std::vector<float>(10, 1))};
    const auto p = m.parse();
    const auto mods = p.get_modules();
    EXPECT_TRUE(std::any_of(mods.begin(), mods.end(), [](const auto* x) {
        return std::any_of(x->begin(), x->end(),
                           [](const auto& ins) { return ins.name() == "unreachable"; });
    }));
}

TEST(onnx_import, loops_read_their_bodies) {
    ow::graph body;
    body.name = "body";
    body.inputs = {ow::value("i", ow::tensor_type(int64_code, {})),
                   ow::value("go", ow::tensor_type(bool_code, {})),
                   ow::value("s", ow::tensor_type(float_code, {"2"}))};
    body.nodes = {ow::node("Add", {"s", "x"}, {"t"}), ow::node("Identity", {"go"}, {"on"}),
                  ow::node("Identity", {"t"}, {"scan"})};
    body.outputs = {ow::value("on", ow::tensor_type(bool_code, {})),
                    ow::value("t", ow::tensor_type(float_code, {"2"})),
                    ow::value("scan", ow::tensor_type(float_code, {"2"}))};
    model m;
    m.inputs = {{"x", float_code, {"2"}}};
    m.initializers = {int64_scalar("n", 5)};
    m.outputs = {"y", "z"};
    m.nodes = {ow::node("Loop", {"n", "", "x"}, {"y", "z"}, "",
                        {ow::graph_attribute("body", body.write())})};
    const auto p = m.parse();
    EXPECT_EQ(operators_of(p)[0], "loop");
    EXPECT_EQ(only(p, "loop")->get_operator().get<int64_t>("max_iterations"), 5);
    EXPECT_EQ(result_of(p, 0).max_lens(), (lens{2}));
    EXPECT_EQ(result_of(p, 1).max_lens(), (lens{5, 2}));
}

TEST(onnx_import, errors_name_the_node) {
    const input x{"x", float_code, {"2", "3"}};
    const auto text = error_text([&] {
        one("Transpose", {x}, {ints_attribute("perm", {0, 0})}).parse();
    });
    expect_parts(text, {"perm", "permutation", "the_node", "Transpose", "opset 17"});
    expect_parts(error_text([&] { one("Softmax", {x}, {ow::int_attribute("axis", 5)}).parse(); }),
                 {"axis in [-2, 1]", "got 5", "the_node"});
    expect_parts(
        error_text([&] { one("NoSuchOperator", {x}, {}, 17, "com.microsoft").parse(); }),
        {"NoSuchOperator", "the_node", "com.microsoft", "opset 1", "skip_unknown_operators"});
    expect_parts(error_text([&] { one("Softmax", {x}, {text_attribute("axis", "last")}).parse(); }),
                 {"axis", "of type 2 was expected", "got type 3"});
    expect_parts(error_text([&] { one("Concat", {x}).parse(); }),
                 {"attribute \"axis\" was expected, got none"});
    expect_parts(error_text([&] {
                     one("Conv", {x, {"w", float_code, {"2", "3"}}}).parse();
                 }),
                 {"equal rank, at least 3", "the_node"});
    expect_parts(error_text([&] { one("Cast", {x}, {ow::int_attribute("to", 14)}).parse(); }),
                 {"a type of numbers or strings was expected", "complex64"});
}

TEST(onnx_import, unknown_operators_can_be_skipped) {
    migraphx::onnx_options o;
    o.skip_unknown_operators = true;
    const auto p = one("NoSuchOperator", {{"x", float_code, {"2", "3"}}}).parse(o);
    EXPECT_EQ(operators_of(p), (names{"unknown:NoSuchOperator"}));
}

TEST(onnx_import, wrong_numbers_of_inputs) {
    const input x{"x", float_code, {"2", "3"}};
    for (const auto* op : {"Add", "Relu", "MatMul", "Gather", "Where", "Reshape", "LSTM", "Range",
                           "Pow", "Slice", "If", "Loop", "Scan"}) {
        std::vector<input> many(10, x);
        for (std::size_t i = 0; i < many.size(); i++)
            many[i].name += std::to_string(i);
        model m = one(op, many);
        EXPECT_NE(error_text([&] { m.parse(); }), "no error") << op;
        m = one(op, {});
        EXPECT_NE(error_text([&] { m.parse(); }), "no error") << op;
    }
}

TEST(onnx_import, the_list_of_operators_is_sorted) {
    const auto& all = migraphx::get_onnx_operators();
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    for (const auto* op : {"Conv", "Gelu", "MultiHeadAttention", "QLinearConv", "Loop"})
        EXPECT_TRUE(std::binary_search(all.begin(), all.end(), op)) << op;
}

TEST(op_builder, recipes_and_plain_operators) {
    migraphx::module m;
    const auto x = m.add_parameter("x", {migraphx::shape::float_type, {2, 3}});
    const auto y =
        migraphx::op::builder::add("clip", m, {x, m.add_literal(0.0F), m.add_literal(6.0F)});
    EXPECT_EQ(y.at(0)->name(), "clip");
    const auto z = migraphx::op::builder::add("transpose", m, {x}, {{"permutation", {1, 0}}});
    EXPECT_EQ(z.at(0)->get_shape().lens(), (lens{3, 2}));
    expect_parts(error_text([&] {
                     migraphx::op::builder::add("gemm", m, {x, z.at(0)}, {{"gamma", 1}});
                 }),
                 {"gemm", "alpha", "gamma"});
    const auto e =
        migraphx::op::builder::add("einsum", m, {x, z.at(0)}, {{"equation", "ij,jk->ik"}});
    EXPECT_EQ(e.at(0)->get_shape().lens(), (lens{2, 2}));
    const auto all = migraphx::op::builder::get_builder_names();
    EXPECT_EQ(all.size(), 30u);
}

} // namespace
