// SPDX-License-Identifier: MIT
// Order, scopes, functions and operator counts of ONNX graphs.
#include "import/onnx/graph_check.hpp"
#include "import/onnx/operator_count.hpp"
#include "onnx_writer.hpp"

#include <migraphx/errors.hpp>

#include <gtest/gtest.h>

namespace {

namespace ow = onnx_writer;
using namespace migraphx::onnx;
using order = std::vector<std::size_t>;

model read_graph(const std::vector<std::string>& nodes,
                 const std::vector<std::string>& functions = {}) {
    ow::graph g;
    g.nodes = nodes;
    g.inputs = {ow::value("x", ow::tensor_type(1, {"2"}))};
    g.initializers = {ow::raw_tensor("w", 1, {1}, ow::raw<float>({1}))};
    const std::string bytes = ow::model(g.write(), functions);
    return read_model(bytes.data(), bytes.size());
}

std::string subgraph(const std::vector<std::string>& nodes, const std::string& output) {
    ow::graph g;
    g.name = "sub";
    g.nodes = nodes;
    g.outputs = {ow::value(output, ow::tensor_type(1, {}))};
    return g.write();
}

template <class F>
std::string graph_error(F f) {
    try {
        f();
    } catch (const migraphx::exception& e) {
        return e.what();
    }
    return "no error";
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& p : parts)
        EXPECT_NE(text.find(p), std::string::npos) << "missing: " << p << "\nin: " << text;
}

} // namespace

TEST(onnx_reader_graph, sorted_order_is_kept) {
    const model m = read_graph({ow::node("A", {"x"}, {"a"}), ow::node("B", {"x"}, {"b"}),
                                ow::node("C", {"b", "a"}, {"c"}), ow::node("D", {"w"}, {"d"})});
    const auto plan = plan_graph(m.graph);
    EXPECT_TRUE(plan.was_sorted);
    EXPECT_EQ(plan.order, (order{0, 1, 2, 3}));
    EXPECT_TRUE(plan.outer.empty());
}

TEST(onnx_reader_graph, unsorted_graphs_are_sorted_stably) {
    const model m = read_graph({ow::node("D", {"c", "c"}, {"d"}), ow::node("A", {"x"}, {"a"}),
                                ow::node("C", {"a", "", "b"}, {"c"}), ow::node("B", {"w"}, {"b"})});
    const auto plan = plan_graph(m.graph);
    EXPECT_FALSE(plan.was_sorted);
    EXPECT_EQ(plan.order, (order{1, 3, 2, 0}));
    check_model(m);
}

TEST(onnx_reader_graph, captures_order_the_nodes) {
    const auto inner = subgraph({ow::node("Add", {"late", "w"}, {"s"})}, "s");
    const auto outer = subgraph(
        {ow::node("If", {"x"}, {"t"}, "deep", {ow::graph_attribute("then_branch", inner)})}, "t");
    const model m = read_graph(
        {ow::node("If", {"x"}, {"y"}, "choice", {ow::graph_attribute("then_branch", outer)}),
         ow::node("Relu", {"x"}, {"late"})});
    EXPECT_EQ(plan_graph(m.graph).order, (order{1, 0}));
    EXPECT_EQ(captures(m.graph.nodes[0]), (std::vector<std::string_view>{"x", "late", "w"}));
    const graph& sub = m.graph.nodes[0].attributes.at(0).g();
    EXPECT_EQ(plan_graph(sub).outer, (std::vector<std::string_view>{"x", "late", "w"}));
    check_model(m);
}

TEST(onnx_reader_graph, subgraphs_may_hide_and_return_outer_values) {
    const auto hides = subgraph({ow::node("Relu", {"w"}, {"x"})}, "x");
    const auto returns = subgraph({}, "x");
    const model m = read_graph({ow::node(
        "If", {"x"}, {"y"}, "choice",
        {ow::graph_attribute("then_branch", hides), ow::graph_attribute("else_branch", returns)})});
    EXPECT_EQ(captures(m.graph.nodes[0]), (std::vector<std::string_view>{"w", "x"}));
    check_model(m);
}

TEST(onnx_reader_graph, cycles) {
    expect_parts(graph_error([] {
                     plan_graph(read_graph({ow::node("Pre", {"x"}, {"p"}, "pre"),
                                            ow::node("A", {"b", "p"}, {"a"}, "one"),
                                            ow::node("B", {"a"}, {"b"}, "two"),
                                            ow::node("C", {"b"}, {"c"}, "three")})
                                    .graph);
                 }),
                 {"graph \"main\"", "\"one\" (A)", "\"two\" (B)", "\"a\"", "\"b\""});
    expect_parts(
        graph_error([] { plan_graph(read_graph({ow::node("A", {"a"}, {"a"}, "self")}).graph); }),
        {"\"self\" (A) which needs \"a\" of node \"self\""});
    const auto inner = subgraph({ow::node("Add", {"y", "w"}, {"s"})}, "s");
    expect_parts(graph_error([&] {
                     plan_graph(read_graph({ow::node("If", {"x"}, {"y"}, "choice",
                                                     {ow::graph_attribute("then_branch", inner)})})
                                    .graph);
                 }),
                 {"\"y\" in a subgraph"});
}

TEST(onnx_reader_graph, undefined_values) {
    expect_parts(graph_error([] {
                     check_model(read_graph({ow::node("Add", {"x", "q"}, {"y"}, "sum")}));
                 }),
                 {"graph \"main\"", "\"q\"", "node \"sum\" (Add)", "while reading"});
    const auto inner = subgraph({ow::node("Mul", {"nowhere", "w"}, {"s"}, "deep")}, "s");
    expect_parts(graph_error([&] {
                     check_model(read_graph({ow::node("If", {"x"}, {"y"}, "choice",
                                                      {ow::graph_attribute("then", inner)})}));
                 }),
                 {"\"nowhere\"", "node \"deep\" (Mul) in \"then\" of node \"choice\" (If)"});
}

TEST(onnx_reader_graph, duplicate_values) {
    expect_parts(graph_error([] {
                     plan_graph(read_graph({ow::node("A", {"x"}, {"y"}, "one"),
                                            ow::node("B", {"x"}, {"y"}, "two")})
                                    .graph);
                 }),
                 {"node \"two\" (B)", "\"y\"", "node \"one\" (A)"});
    expect_parts(
        graph_error([] { plan_graph(read_graph({ow::node("A", {"w"}, {"x"}, "one")}).graph); }),
        {"node \"one\"", "\"x\"", "input or initializer"});
    EXPECT_EQ(graph_error([] {
                  plan_graph(read_graph({ow::node("A", {"x"}, {"", "a", ""}),
                                         ow::node("A", {"x"}, {"", "b"})})
                                 .graph);
              }),
              "no error");
}

TEST(onnx_reader_graph, functions) {
    const auto relu = ow::node("Relu", {"a"}, {"b"});
    const auto call = [](const char* f, const char* in, const char* out) {
        return ow::node(f, {in}, {out}, "", {}, "local");
    };
    const model m = read_graph({call("twice", "x", "y")},
                               {ow::function("local", "once", {"a"}, {"b"}, {relu}),
                                ow::function("local", "twice", {"a"}, {"c"},
                                             {call("once", "b", "c"), call("once", "a", "b")})});
    check_model(m);
    const function_table table(m);
    ASSERT_NE(table.find(m.graph.nodes[0]), nullptr);
    EXPECT_EQ(table.find(m.graph.nodes[0])->name, "twice");
    EXPECT_EQ(table.find(m.functions[0].nodes[0]), nullptr);
    EXPECT_EQ(plan_function(m.functions[1]).order, (order{1, 0}));
    EXPECT_EQ(opset_version(m, m.functions[0].nodes[0], &m.functions[0]), 17);
    EXPECT_EQ(opset_version(m, m.graph.nodes[0]), 1);
    expect_parts(graph_error([&] { check_model(m, 1); }), {"at most 1 nodes"});

    expect_parts(graph_error([&] {
                     check_model(read_graph(
                         {}, {ow::function("local", "f", {"a"}, {"b"}, {call("f", "a", "b")})}));
                 }),
                 {"\"f\" called from its own body"});
    expect_parts(graph_error([&] {
                     check_model(
                         read_graph({}, {ow::function("local", "f", {"a"}, {"b"}, {relu}),
                                         ow::function("local", "f", {"a"}, {"b"}, {relu})}));
                 }),
                 {"\"f\" of domain \"local\" twice"});
    expect_parts(graph_error([&] {
                     check_model(
                         read_graph({}, {ow::function("local", "f", {"a"}, {"b"},
                                                      {ow::node("Add", {"a", "x"}, {"b"})})}));
                 }),
                 {"function \"f\"", "\"x\""});
}

TEST(onnx_reader_graph, functions_that_double_are_measured_not_expanded) {
    std::vector<std::string> functions;
    for (int i = 0; i < 60; ++i) {
        const auto callee = "f" + std::to_string(i + 1);
        functions.push_back(
            ow::function("local", "f" + std::to_string(i), {"a"}, {"c"},
                         {i == 59 ? ow::node("Relu", {"a"}, {"b"})
                                  : ow::node(callee, {"a"}, {"b"}, "", {}, "local"),
                          i == 59 ? ow::node("Relu", {"b"}, {"c"})
                                  : ow::node(callee, {"b"}, {"c"}, "", {}, "local")}));
    }
    expect_parts(graph_error([&] {
                     check_model(
                         read_graph({ow::node("f0", {"x"}, {"y"}, "", {}, "local")}, functions));
                 }),
                 {"functions expanded, got more"});
}

TEST(onnx_reader_graph, operators_are_counted) {
    const std::string bytes = ow::small_model();
    const model m = read_model(bytes.data(), bytes.size());
    const auto uses = count_operators(m);
    ASSERT_EQ(uses.size(), 5U);
    EXPECT_EQ(uses[2].op_type, "Mul");
    EXPECT_EQ(uses[2].count, 2U);
    EXPECT_EQ(uses[2].first, "node \"inner\" (Mul)");
    EXPECT_EQ(uses[4].domain, "com.microsoft");
    EXPECT_EQ(uses[4].opset, 1);
    expect_parts(to_string(uses), {"     2  Mul                  opset 17\n",
                                   "     1  com.microsoft::Gelu  opset 1\n"});
}
