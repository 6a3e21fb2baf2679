// SPDX-License-Identifier: MIT
// The structure of ONNX models: what the reader finds in right ones and says about wrong ones.
#include "import/onnx/graph_check.hpp"
#include "import/onnx/model.hpp"
#include "import/onnx/operator_count.hpp"
#include "import/onnx/tensor.hpp"
#include "onnx_writer.hpp"
#include "test_dir.hpp"

#include <migraphx/errors.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace {

namespace ow = onnx_writer;
using namespace migraphx::onnx;

model read(const std::string& bytes) {
    return read_model(bytes.data(), bytes.size());
}

// The error of f, or "no error".
template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const migraphx::exception& e) {
        return e.what();
    }
    return "no error";
}

void expect_text(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& p : parts)
        EXPECT_NE(text.find(p), std::string::npos) << "missing: " << p << "\nin: " << text;
}

std::filesystem::path shared_models() {
    return migraphx_test::test_dir() / "../../shared/models";
}

} // namespace

TEST(onnx_reader_model, structure) {
    const model m = read(ow::small_model());
    EXPECT_EQ(m.ir_version, 8);
    EXPECT_EQ(m.producer_name, "test");
    EXPECT_EQ(m.opset_imports, (opset_map{{"", 17}, {"com.microsoft", 1}}));
    const graph& g = m.graph;
    EXPECT_EQ(g.name, "main");
    ASSERT_EQ(g.nodes.size(), 4U);
    EXPECT_EQ(g.nodes[0].op_type, "Relu");
    EXPECT_EQ(g.nodes[0].name, "relu");
    EXPECT_EQ(g.nodes[3].domain, "com.microsoft");
    EXPECT_EQ(g.nodes[3].inputs, (std::vector<std::string_view>{"a", ""}));
    ASSERT_NE(g.nodes[2].find("axis"), nullptr);
    EXPECT_EQ(g.nodes[2].find("axis")->i, -1);
    EXPECT_EQ(g.nodes[2].find("missing"), nullptr);
    const attribute* branch = g.nodes[1].find("then_branch");
    ASSERT_NE(branch, nullptr);
    EXPECT_EQ(branch->g().nodes.at(0).name, "inner");
    ASSERT_EQ(g.inputs.size(), 2U);
    EXPECT_EQ(g.inputs[0].type.elem, element_type::float32);
    ASSERT_EQ(g.inputs[0].type.dims.size(), 2U);
    EXPECT_EQ(g.inputs[0].type.dims[0].is, dimension::kind::param);
    EXPECT_EQ(g.inputs[0].type.dims[0].param, "batch");
    EXPECT_EQ(g.inputs[0].type.dims[1].value, 3);
    EXPECT_TRUE(g.inputs[1].type.has_shape);
    EXPECT_TRUE(g.inputs[1].type.dims.empty());
    EXPECT_EQ(g.outputs[0].type.dims[0].is, dimension::kind::unknown);
    EXPECT_EQ(g.initializers.size(), 4U);
}

TEST(onnx_reader_model, attributes) {
    const std::vector<float> floats{1.5F, -2};
    const ow::ints ints{1, -1, 1000000};
    const auto a = [&](int packed) {
        return ow::message([&](auto& w) {
            w.add_string(1, "all");
            if (packed != 0) {
                w.add_packed_float(7, floats.begin(), floats.end());
                w.add_packed_int64(8, ints.begin(), ints.end());
            } else {
                for (const float f : floats)
                    w.add_float(7, f);
                for (const auto i : ints)
                    w.add_int64(8, i);
            }
            w.add_string(9, "x");
            w.add_string(9, "");
            w.add_string(21, "outer");
            w.add_message(15, ow::tensor_type(1, {"2"}));
            w.add_int64(999, 3);
            w.add_string(1000, "unknown fields are skipped");
        });
    };
    for (const int packed : {0, 1}) {
        ow::graph g;
        g.nodes = {ow::node("Op", {}, {"y"}, "n", {a(packed)})};
        const model m = read(ow::model(g.write()));
        const attribute& x = m.graph.nodes.at(0).attributes.at(0);
        EXPECT_EQ(x.floats, floats);
        EXPECT_EQ(x.ints, ints);
        EXPECT_EQ(x.strings, (std::vector<std::string_view>{"x", ""}));
        EXPECT_EQ(x.ref_attr_name, "outer");
        ASSERT_EQ(x.types.size(), 1U);
        EXPECT_EQ(x.types[0].dims.at(0).value, 2);
    }
}

TEST(onnx_reader_model, nested_types) {
    const auto sequence = [](const std::string& inner, int field) {
        return ow::message([&](auto& w) {
            w.add_message(field, ow::message([&](auto& x) { x.add_message(1, inner); }));
        });
    };
    ow::graph g;
    g.inputs = {ow::value("s", sequence(sequence(ow::tensor_type(7, {"n"}), 4), 9)),
                ow::value("m", ow::message([](auto& w) {
                              w.add_message(5, ow::message([](auto& x) {
                                                x.add_int32(1, 8);
                                                x.add_message(2, ow::tensor_type(1, {}));
                                            }));
                          }))};
    const model m = read(ow::model(g.write()));
    const type_info& optional = m.graph.inputs.at(0).type;
    EXPECT_EQ(optional.is, type_info::kind::optional);
    EXPECT_EQ(optional.element.at(0).is, type_info::kind::sequence);
    EXPECT_EQ(optional.element.at(0).element.at(0).elem, element_type::int64);
    const type_info& map = m.graph.inputs.at(1).type;
    EXPECT_EQ(map.is, type_info::kind::map);
    EXPECT_EQ(map.key, element_type::string);
    EXPECT_EQ(map.element.at(0).elem, element_type::float32);
}

TEST(onnx_reader_model, default_domain_has_two_names) {
    ow::graph g;
    g.nodes = {ow::node("Relu", {"x"}, {"y"}, "", {}, "ai.onnx")};
    const std::string bytes = ow::message([&](auto& w) {
        w.add_message(7, g.write());
        w.add_message(8, ow::opset("ai.onnx", 13));
    });
    const model m = read(bytes);
    EXPECT_EQ(m.graph.nodes[0].domain, "");
    EXPECT_EQ(opset_version(m, m.graph.nodes[0]), 13);
}

TEST(onnx_reader_model, keeps_memory_alive) {
    model m;
    {
        const std::string bytes = ow::small_model();
        m = read(bytes);
    }
    graph copy = m.graph;
    EXPECT_EQ(copy.nodes[0].op_type, "Relu");
    const auto owner = std::make_shared<std::string>(ow::small_model());
    const model shared = read_model(owner->data(), owner->size(), owner);
    EXPECT_EQ(shared.from->bytes.data(), owner->data());
}

TEST(onnx_reader_model, errors_name_file_and_place) {
    ow::graph g;
    g.nodes = {ow::node("Relu", {"x"}, {"y"}, "first"),
               ow::node("Conv", {"x"}, {"z"}, "second", {ow::message([](auto& w) {
                            w.add_string(1, "value");
                            w.add_message(5, std::string("\x08\x01\x4a\x7f", 4));
                        })})};
    const std::string text = error_of([&] { read(ow::model(g.write())); });
    expect_text(text, {"node 1 \"second\" (Conv)", "attribute 0 \"value\"", "tensor",
                       "expected 127 bytes, got 0", "while reading model in memory"});
    expect_text(error_of([] { read_model("/no/such/model.onnx"); }), {"/no/such/model.onnx"});
    EXPECT_NE(error_of([] { read_model("/"); }), "no error");
    expect_text(error_of([] { read(""); }), {"empty"});
    expect_text(error_of([] { read("version https://git-lfs.github.com/spec/v1\n"); }), {"LFS"});
    expect_text(error_of([] { read(ow::opset("", 3)); }), {"expected"});
    g.nodes = {ow::message([](auto& w) { w.add_string(3, "nameless"); })};
    expect_text(error_of([&] { read(ow::model(g.write())); }), {"nameless", "operator type"});
    g.nodes = {ow::node("Op", {}, {}, "n", {ow::message([](auto& w) {
                            w.add_string(1, "t");
                            w.add_enum(20, 4);
                        })})};
    expect_text(error_of([&] { read(ow::model(g.write())); }), {"expected one tensor", "got 0"});
}

TEST(onnx_reader_model, nesting_is_limited) {
    const auto nested = [](int depth) {
        std::string g = ow::graph{}.write();
        for (int i = 1; i < depth; ++i) {
            ow::graph outer;
            outer.nodes = {ow::node("If", {}, {}, "n", {ow::graph_attribute("g", g)})};
            g = outer.write();
        }
        return ow::model(g);
    };
    EXPECT_EQ(error_of([&] { check_model(read(nested(64))); }), "no error");
    expect_text(error_of([&] { read(nested(65)); }), {"at most 64 graphs", "..."});
    std::string type = ow::tensor_type(1, {});
    for (int i = 0; i < 70; ++i)
        type = ow::message([&](auto& w) {
            w.add_message(4, ow::message([&](auto& x) { x.add_message(1, type); }));
        });
    ow::graph g;
    g.inputs = {ow::value("x", type)};
    expect_text(error_of([&] { read(ow::model(g.write())); }), {"at most 64 types", "\"x\""});
}

TEST(onnx_reader_model, shared_models) {
    if (!std::filesystem::exists(shared_models()))
        GTEST_SKIP() << "no models beside the repository";
    std::size_t models = 0;
    for (const auto& entry : std::filesystem::directory_iterator(shared_models())) {
        if (entry.path().extension() != ".onnx")
            continue;
        SCOPED_TRACE(entry.path().string());
        ++models;
        const model m = read_model(entry.path().string());
        EXPECT_NE(m.from->file, nullptr);
        EXPECT_FALSE(m.graph.nodes.empty());
        EXPECT_FALSE(m.graph.outputs.empty());
        check_model(m);
        EXPECT_TRUE(plan_graph(m.graph).was_sorted);
        std::size_t nodes = 0;
        for (const auto& use : count_operators(m))
            nodes += use.count;
        EXPECT_GE(nodes, m.graph.nodes.size());
        for (const auto& t : m.graph.initializers) {
            if (t.is_external)
                EXPECT_NE(error_of([&] { tensor_data(m, t); }), "no error");
            else
                EXPECT_EQ(tensor_data(m, t).elements, element_count(t));
        }
    }
    EXPECT_GT(models, 0U);
}
