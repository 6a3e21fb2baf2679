// SPDX-License-Identifier: MIT
// Programs: copies with sub-modules, equality, saving and loading, hostile files.
#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <migraphx/file_buffer.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/json.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/msgpack.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>
#include <migraphx/tmp_dir.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace migraphx;

namespace {

const print_options lossless{true};

// Two levels of sub-modules that use instructions of the outer ones.
program nested_program() {
    return parse_text("outputs: {result}\n"
                      "module: \"main\"\n"
                      "parameters: {cond, x}\n"
                      "x = @param:x -> float_type, {2}\n"
                      "cond = @param:cond -> bool_type\n"
                      "l = @literal{1, 2} -> float_type, {2}\n"
                      "y = add(x, l) # Add_1, layer/2\n"
                      "r = if(cond), [yes, no]\n"
                      "t = get_tuple_elem[index=0](r)\n"
                      "@return(t)\n"
                      "module: \"yes\"\n"
                      "a = mul(y, l)\n"
                      "@return(a)\n"
                      "module: \"no\"\n"
                      "b = neg(y)\n"
                      "r2 = if(cond), [inner, yes]\n"
                      "t2 = get_tuple_elem[index=0](r2)\n"
                      "c = add(b, t2)\n"
                      "@return(c)\n"
                      "module: \"inner\"\n"
                      "d = sub(b, x)\n"
                      "@return(d)\n");
}

program plain_program() {
    program p;
    auto* m = p.get_main_module();
    auto x = m->add_parameter("x", {shape::float_type, {{1, 4, {2}}, {3, 3}}});
    auto big = m->add_literal(generate_literal({shape::half_type, {40, 50}}, 1));
    auto t = m->add_literal(literal{shape{shape::int64_type, {2}}, {1, 0}});
    auto y = m->add_instruction(make_op("transpose", {{"permutation", {1, 0}}}), x);
    m->add_return({y, big, t});
    p.set_output_names({"y", "big", "t"});
    return p;
}

void expect_same(const program& p, const program& q) {
    EXPECT_TRUE(p == q) << p << q;
    EXPECT_EQ(to_text(p, lossless), to_text(q, lossless));
    EXPECT_EQ(q.validate(), q.get_main_module()->end());
}

std::string load_error(const std::vector<char>& bytes, const std::string& format = "msgpack") {
    file_options options;
    options.format = format;
    try {
        load_buffer(bytes, options);
    } catch (const exception& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST(ir_program, copies_are_deep) {
    const auto p = nested_program();
    auto q = p;
    expect_same(p, q);
    for (auto* m : q.get_modules())
        for (auto i = m->begin(); i != m->end(); ++i) {
            for (auto* sub : i->module_inputs())
                EXPECT_EQ(q.get_module(sub->name()), sub);
            for (auto a : i->inputs()) {
                bool inside = false;
                for (auto* other : q.get_modules())
                    inside = inside or other->has_instruction(a);
                EXPECT_TRUE(inside);
            }
        }
    auto* m = q.get_main_module();
    m->replace_return({m->get_parameter("x")});
    EXPECT_FALSE(p == q);
    expect_same(p, nested_program());
    program r;
    r = std::move(q);
    EXPECT_EQ(r.get_output_shapes().size(), 1U);
}

TEST(ir_program, modules) {
    auto p = nested_program();
    EXPECT_EQ(p.get_modules().size(), 4U);
    EXPECT_EQ(p.get_module_tree().count(p.get_module("yes")), 2U);
    EXPECT_EQ(p.get_module("nothing"), nullptr);
    EXPECT_THROW(p.create_module("yes"), exception);
    p.rename_module("yes", "ja");
    EXPECT_EQ(p.get_module("ja")->name(), "ja");
    EXPECT_THROW(p.rename_module("yes", "oui"), exception);
    p.create_module("unused");
    p.remove_unused_modules();
    EXPECT_EQ(p.size(), 4U);
    EXPECT_EQ(p.validate(), p.get_main_module()->end());
    auto* m = p.get_main_module();
    m->replace_return({m->get_parameter("x")});
    m->remove_instruction(std::prev(m->end(), 2));
    m->remove_instruction(std::prev(m->end(), 2));
    p.remove_unused_modules();
    EXPECT_EQ(p.size(), 1U);
    // Nothing of the removed modules is left among the users.
    for (auto i = m->begin(); i != m->end(); ++i)
        for (auto u : i->outputs())
            EXPECT_TRUE(m->has_instruction(u));
}

TEST(ir_program, outputs_by_name) {
    const auto p = plain_program();
    EXPECT_EQ(p.get_output_names(), (std::vector<std::string>{"y", "big", "t"}));
    EXPECT_EQ(p.get_outputs().at("big"), (shape{shape::half_type, {40, 50}}));
    EXPECT_EQ(p.get_inputs().size(), 1U);
    EXPECT_EQ(nested_program().get_parameter_names(), (std::vector<std::string>{"cond", "x"}));
}

TEST(ir_program, equality) {
    const auto text = to_text(nested_program());
    const auto same = [&](const std::string& from, const std::string& to) {
        auto other = text;
        const auto at = other.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        other.replace(at, from.size(), to);
        return parse_text(text) == parse_text(other);
    };
    EXPECT_TRUE(same("yes:@1 = @return(yes:@0)", "@return(yes:@0)"));
    EXPECT_FALSE(same("yes:@0 = mul(@3,@2)", "yes:@0 = mul(@2,@3)"));
    EXPECT_FALSE(same("yes:@0 = mul", "yes:@0 = add"));
    EXPECT_FALSE(same("@literal{1, 2}", "@literal{1, 3}"));
    EXPECT_FALSE(same("Add_1", "Add_2"));
    EXPECT_FALSE(same("inner:@0 = sub(no:@0,x)", "inner:@0 = sub(no:@0,@3)"));
    EXPECT_FALSE(same(", [inner, yes]", ", [yes, inner]"));
    // Large literals count by shape alone.
    program a;
    program b;
    a.get_main_module()->add_literal(generate_literal({shape::float_type, {11}}, 1));
    b.get_main_module()->add_literal(generate_literal({shape::float_type, {11}}, 2));
    EXPECT_TRUE(a == b);
    // Literals without elements are equal, with memory or without.
    const shape none{shape::float_type, {0}};
    a.get_main_module()->add_literal(literal::adopt(argument{none, nullptr}));
    b.get_main_module()->add_literal(literal::adopt(argument{none}));
    EXPECT_TRUE(a == b);
    // Dead instructions count.
    b.get_main_module()->add_literal(literal{1});
    EXPECT_FALSE(a == b);
    EXPECT_FALSE(parse_text("x = @param:x -> float_type, {2}") ==
                 parse_text("y = @param:y -> float_type, {2}"));
    EXPECT_FALSE(parse_text("x = @param:x -> float_type, {2, 3}") ==
                 parse_text("x = @param:x -> float_type, {2, 3}, {1, 2}"));
}

TEST(ir_program, save_and_load) {
    const tmp_dir dir{"ir_program"};
    for (const auto& p : {nested_program(), plain_program(), program{}})
        for (const char* format : {"msgpack", "json"}) {
            file_options options;
            options.format = format;
            const auto file = (dir.path / (std::string("p.") + format)).string();
            save(p, file, options);
            expect_same(p, load(file, options));
            expect_same(p, load_buffer(save_buffer(p, options), options));
            const auto q = load(file, options);
            EXPECT_EQ(q.get_output_names(), p.get_output_names());
            EXPECT_EQ(q.get_parameter_names(), p.get_parameter_names());
            EXPECT_FALSE(q.is_compiled());
        }
    file_options other;
    other.format = "xml";
    EXPECT_THROW(save(program{}, (dir.path / "p").string(), other), exception);
}

TEST(ir_program, literals_of_a_file_outlive_it) {
    const tmp_dir dir{"ir_program"};
    const auto file = (dir.path / "p.mxr").string();
    const auto p = plain_program();
    save(p, file);
    const auto q = load(file);
    fs::remove(file);
    expect_same(p, q);
}

TEST(ir_program, compiled_programs_are_saved) {
    auto p = parse_text("x = @param:x -> float_type, {2, 3}\n"
                        "k = @literal{1, 2, 3} -> float_type, {3}\n"
                        "b = multibroadcast[out_lens={2, 3}](k)\n"
                        "y = mul(x, b)\n"
                        "@return(y)\n");
    compile_options options;
    options.num_threads = 1;
    p.compile(make_target("ref"), options);
    const parameter_map inputs{{"x", generate_argument({shape::float_type, {2, 3}}, 1)}};
    const auto gold = p.eval(inputs);
    for (const char* format : {"msgpack", "json"}) {
        file_options as;
        as.format = format;
        const auto q = load_buffer(save_buffer(p, as), as);
        EXPECT_TRUE(q.is_compiled());
        EXPECT_EQ(q.get_targets().front().name(), "ref");
        EXPECT_EQ(q.get_compile_options().num_threads, 1U);
        EXPECT_EQ(q.eval(inputs), gold);
        auto stripped = q;
        stripped.clear_context();
        EXPECT_FALSE(load_buffer(save_buffer(stripped, as), as).is_compiled());
    }
}

TEST(ir_program, content_of_a_file) {
    const auto v = nested_program().to_value();
    EXPECT_EQ(v.at("version").to<int>(), 8);
    EXPECT_TRUE(v.at("targets").empty());
    EXPECT_TRUE(v.at("contexts").empty());
    const auto& nodes = v.at("modules").at("main").at("nodes");
    const auto& add = nodes.at(3);
    EXPECT_EQ(add.at("name").to<std::string>(), "add");
    EXPECT_EQ(add.at("output").to<std::string>(), "@3");
    EXPECT_EQ(add.at("inputs").to_vector<std::string>(), (std::vector<std::string>{"x", "@2"}));
    EXPECT_EQ(add.at("debug_symbols").size(), 2U);
    EXPECT_EQ(add.at("shape").at("type").to<std::string>(), "float_type");
    EXPECT_TRUE(nodes.at(2).contains("literal"));
    EXPECT_EQ(nodes.at(0).at("operator").at("parameter").to<std::string>(), "x");
    EXPECT_EQ(nodes.at(4).at("module_inputs").to_vector<std::string>(),
              (std::vector<std::string>{"yes", "no"}));
    EXPECT_EQ(v.at("modules").at("inner").at("nodes").at(0).at("inputs").to_vector<std::string>(),
              (std::vector<std::string>{"no:@0", "x"}));
}

TEST(ir_program, errors_of_files) {
    EXPECT_NE(load_error({}), "");
    auto v = nested_program().to_value();
    v["version"] = 7;
    EXPECT_TRUE(load_error(to_msgpack(v)).starts_with("Error: Program version mismatch"));
    EXPECT_NE(load_error(to_msgpack(value{{"a", 1}})).find("version"), std::string::npos);
    EXPECT_NE(load_error(to_msgpack(value{1, 2})).find("version"), std::string::npos);
    v["version"] = 8;
    v["modules"]["yes"]["nodes"][0]["name"] = "no_such_operator";
    EXPECT_NE(load_error(to_msgpack(v)).find("in node 0 of module yes"), std::string::npos);
    try {
        load("/no/such/file.mxr");
        FAIL();
    } catch (const exception& e) {
        EXPECT_NE(std::string(e.what()).find("/no/such/file.mxr"), std::string::npos);
        EXPECT_EQ(e.category(), error_kind::io);
    }
    const tmp_dir dir{"ir_program"};
    const auto file = (dir.path / "bad.mxr").string();
    write_string(file, "not a program");
    try {
        load(file);
        FAIL();
    } catch (const exception& e) {
        EXPECT_NE(std::string(e.what()).find(file), std::string::npos);
    }
}

TEST(ir_program, hostile_values_are_errors) {
    const auto good = nested_program().to_value();
    const auto broken = [&](auto edit) {
        auto v = good;
        edit(v);
        return load_error(to_msgpack(v));
    };
    auto main_nodes = [](value& v) -> value& { return v["modules"]["main"]["nodes"]; };
    const std::size_t huge = std::size_t{1} << 62;
    EXPECT_NE(broken([](value& v) { v["modules"] = 3; }), "");
    EXPECT_NE(broken([](value& v) { v["modules"]["main"] = value::array{}; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v) = "x"; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[3]["inputs"] = {"@9", "@9"}; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[3]["inputs"] = {"x"}; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[3]["output"] = "x"; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[2]["literal"] = nullptr; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[2]["literal"]["data"] = value::binary(3); }),
              "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[2]["literal"]["shape"]["lens"] = {huge}; }), "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[2]["literal"]["shape"]["strides"] = {huge}; }),
              "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[2]["shape"]["type"] = "foo"; }), "");
    EXPECT_NE(broken([&](value& v) {
                  main_nodes(v)[4]["module_inputs"] = {"yes", "nowhere"};
              }),
              "");
    EXPECT_NE(broken([&](value& v) { main_nodes(v)[4]["module_inputs"] = {"main", "yes"}; }), "");
    EXPECT_NE(broken([&](value& v) {
                  v["modules"]["inner"]["nodes"] = v["modules"]["no"]["nodes"].without_key();
              }),
              "");
    EXPECT_NE(broken([&](value& v) { v["modules"]["main"]["parameters"] = {"x", "x"}; }), "");
    EXPECT_NE(broken([&](value& v) { v["targets"] = {value{{"name", "no_such_target"}}}; }), "");
}

TEST(ir_program, damaged_files_are_errors_or_programs) {
    const auto good = save_buffer(nested_program());
    for (std::size_t n = 0; n < good.size(); n += 3)
        EXPECT_NE(load_error({good.begin(), good.begin() + long(n)}), "");
    file_options json;
    json.format = "json";
    const auto text = save_buffer(plain_program(), json);
    for (std::size_t n = 0; n < 2000; n += 7)
        EXPECT_NE(load_error({text.begin(), text.begin() + long(n)}, "json"), "");
    std::mt19937 random{5};
    for (int i = 0; i < 3000; ++i) {
        auto bad = good;
        for (int k = 0; k < 1 + i % 4; ++k)
            bad[random() % bad.size()] = static_cast<char>(random());
        load_error(bad);
    }
}
