// SPDX-License-Identifier: MIT
// The text form: exact plain output, and print → parse → print in both modes.
#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_op.hpp>
#include <migraphx/serialize.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <sstream>

using namespace migraphx;

namespace {

const print_options lossless{true};

void expect_round_trip(const program& p) {
    for (const auto& options : {print_options{}, lossless}) {
        const auto text = to_text(p, options);
        program q;
        ASSERT_NO_THROW(q = parse_text(text)) << text;
        EXPECT_EQ(to_text(q, options), text);
        EXPECT_TRUE(p == q) << text;
    }
    EXPECT_EQ(to_text(parse_text(to_text(p, lossless)), lossless), to_text(p, lossless));
}

std::string parse_error(const std::string& text) {
    try {
        parse_text(text);
    } catch (const exception& e) {
        return e.what();
    }
    return "no error";
}

struct numbers_op {
    double precise = 0;
    float plain = 0;
    std::vector<double> list;
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.precise, "precise"), f(self.plain, "plain"), f(self.list, "list"));
    }
    std::string name() const { return "test::numbers"; }
    shape compute_shape(const std::vector<shape>& in) const { return in.at(0); }
};

program small_program() {
    program p;
    auto* m = p.get_main_module();
    auto q = m->add_parameter("q", {shape::half_type, {5, 7}});
    auto four = m->add_literal(literal{shape{shape::half_type}, {4}});
    auto b = m->add_instruction(make_op("multibroadcast", {{"out_lens", {5, 7}}}), four);
    auto sum = m->add_instruction(make_op("add"), q, b);
    m->add_return({sum});
    return p;
}

} // namespace

TEST(ir_text, plain_form) {
    EXPECT_EQ(
        to_text(small_program()),
        "module: \"main\"\n"
        "@0 = @literal{4} -> half_type, {1}, {0}\n"
        "q = @param:q -> half_type, {5, 7}, {7, 1}\n"
        "@2 = multibroadcast[out_lens={5, 7},out_dyn_dims={}](@0) -> half_type, {5, 7}, {0, 0}\n"
        "@3 = add(q,@2) -> half_type, {5, 7}, {7, 1}\n"
        "@4 = @return(@3)\n"
        "\n");
    expect_round_trip(small_program());
}

TEST(ir_text, shapes) {
    const auto n = sym::var("n", {1, 8}, {2, 4});
    const std::vector<std::pair<shape, std::string>> cases = {
        {{shape::half_type, {5, 7}}, "half_type, {5, 7}, {7, 1}"},
        {{shape::int64_type}, "int64_type, {1}, {0}"},
        {{shape::float_type, std::vector<std::size_t>{}}, "float_type, {}, {}"},
        {{shape::half_type, {{1, 8, {2, 4}}, {5, 5}, {7, 7}}},
         "dynamic, half_type, {[1..8], 5, 7}"},
        {{shape::half_type, {shape::dynamic_dimension{n}, {5, 5}}},
         "half_type, {n[1..8], 5}, {5, 1}"},
        {shape{std::vector<shape>{{shape::half_type, {5}}, {shape::int64_type, {5}}}},
         "[half_type, {5}, {1}, int64_type, {5}, {1}]"},
    };
    for (const auto& [s, text] : cases) {
        EXPECT_EQ(to_text(s), text);
        EXPECT_EQ(to_text(parse_shape_text(text)), text);
        EXPECT_EQ(parse_shape_text(to_text(s, lossless)), s) << to_text(s, lossless);
        EXPECT_EQ(to_text(parse_shape_text(to_text(s, lossless)), lossless), to_text(s, lossless));
    }
    EXPECT_EQ(parse_shape_text("float_type, {2, 3}"), (shape{shape::float_type, {2, 3}}));
    EXPECT_EQ(parse_shape_text("float"), shape{shape::float_type});
    const auto literal_symbols = shape{shape::float_type, {2, 3}}.to_symbolic();
    EXPECT_TRUE(parse_shape_text(to_text(literal_symbols, lossless)).symbolic());
    const shape composite{shape::float_type, {shape::dynamic_dimension{n * 2 + 1}, {3, 3}}};
    EXPECT_EQ(parse_shape_text(to_text(composite, lossless)), composite);
}

TEST(ir_text, composite_dimensions_use_the_bounds_of_parameters) {
    const auto n = sym::var("n", {1, 8});
    program p;
    auto* m = p.get_main_module();
    auto x = m->add_parameter("x", {shape::float_type, {shape::dynamic_dimension{n}, {4, 4}}});
    auto y = m->add_instruction(make_op("concat", {{"axis", 0}}), x, x);
    m->add_return({y});
    if (y->get_shape().symbolic()) {
        EXPECT_EQ(to_text(y->get_shape()), "float_type, {2*n[2..16], 4}, {4, 1}");
    }
    expect_round_trip(p);
}

TEST(ir_text, attribute_values) {
    for (const char* text :
         {"1", "-3", "{}", "{1, 2}", "{{1, 2}, {3}}", "nullopt", "1.5", "0.1", "1e-05",
          "half_pixel", "{a, b}", "{key: 1, other: {2, 3}}", "[1..4]", "{[1..4], 3}",
          "float_type, {2, 3}, {3, 1}", "[float_type, {2}, {1}, dynamic, half_type, {[1..2]}]",
          "\"a, b\"", "{\"\", x}", "inf"})
        EXPECT_EQ(to_text(parse_value_text(text)), text);
    // Attributes of type float come as double.
    EXPECT_EQ(to_text(value(0.1F)), "0.1");
    for (const value& v :
         {value("3"), value("true"), value(""), value(1.0), value(true), value("a\nb"), value(-0.0),
          value(0.1F), value(std::numeric_limits<std::uint64_t>::max()),
          value(value::binary("ab\xff", 3)), value("it's"), value("x: y")}) {
        const auto back = parse_value_text(to_text(v, lossless));
        EXPECT_EQ(back, v) << to_text(v, lossless);
        EXPECT_EQ(back.is_string(), v.is_string());
        EXPECT_EQ(back.is_bool(), v.is_bool());
        EXPECT_EQ(back.is_float(), v.is_float());
    }
}

TEST(ir_text, operations) {
    EXPECT_EQ(to_text(parse_operation_text("concat[axis=1]")), "concat[axis=1]");
    EXPECT_EQ(parse_operation_text("pooling[mode=max,lengths={2, 2}]").get<int>("mode"), 1);
    EXPECT_EQ(parse_operation_text("pooling[mode=1]"), parse_operation_text("pooling[mode=max]"));
    EXPECT_THROW(parse_operation_text("pooling[modus=1]"), exception);
    EXPECT_THROW(parse_operation_text("no_such_operator"), exception);
    for (const auto& op :
         {make_op("pooling"), make_op("convolution"), make_op("slice"),
          make_op("allocate", {{"shape", to_value(shape{shape::float_type, {2}})}})})
        for (const auto& options : {print_options{}, lossless})
            EXPECT_EQ(parse_operation_text(to_text(op, options)), op) << to_text(op, options);
}

TEST(ir_text, numbers_keep_their_precision) {
    register_op<numbers_op>();
    const operation op = numbers_op{double{0.2F}, 0.2F, {0.1, double{0.1F}}};
    EXPECT_EQ(to_text(op), "test::numbers[precise=0.20000000298023224,plain=0.2,"
                           "list={0.1, 0.10000000149011612}]");
    EXPECT_EQ(parse_operation_text(to_text(op)), op);
    EXPECT_EQ(parse_operation_text(to_text(op, lossless)), op);
    unregister_op("test::numbers");
}

TEST(ir_text, every_registered_operator_round_trips) {
    for (const auto& name : get_operators()) {
        if (name.front() == '@' or name.ends_with(':') or name == "load") // load[offset,end]
            continue;
        const auto op = make_op(name);
        EXPECT_EQ(parse_operation_text(to_text(op)), op) << to_text(op);
        EXPECT_EQ(parse_operation_text(to_text(op, lossless)), op) << to_text(op, lossless);
    }
}

TEST(ir_text, literals) {
    program p;
    auto* m = p.get_main_module();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    std::vector<instruction_ref> all = {
        m->add_literal(literal{0.1F}),
        m->add_literal(literal{shape{shape::double_type, {2}}, {0.1, 1e300}}),
        m->add_literal(literal{shape{shape::float_type, {3}}, {nan, inf, -inf}}),
        m->add_literal(literal{shape{shape::int64_type, {2}},
                               {std::numeric_limits<int64_t>::min(), int64_t{-1}}}),
        m->add_literal(
            literal{shape{shape::uint64_type, {1}}, {std::numeric_limits<uint64_t>::max()}}),
        m->add_literal(literal{shape{shape::bool_type, {2}}, {true, false}}),
        m->add_literal(literal{shape{shape::int8_type, {2}}, {-128, 127}}),
        m->add_literal(generate_literal({shape::half_type, {3, 5}}, 3)),
        m->add_literal(generate_literal({shape::float_type, {9, 9}}, 3)),
        m->add_literal(generate_literal({shape::fp8e4m3fn_type, {9}}, 3)),
        m->add_literal(generate_literal({shape::bf16_type, {2, 2}, {1, 2}}, 3)),
    };
    m->add_return(all);
    EXPECT_NE(to_text(p).find("@literal{ ... } -> half_type, {3, 5}"), std::string::npos);
    EXPECT_NE(to_text(p).find("@literal{nan, inf, -inf}"), std::string::npos);
    expect_round_trip(p);
    const auto q = parse_text(to_text(p, lossless));
    auto i = p.get_main_module()->begin();
    for (auto j = q.get_main_module()->begin(); j != q.get_main_module()->end(); ++i, ++j)
        if (j->name() == "@literal") {
            EXPECT_EQ(0, std::memcmp(i->get_literal().data(), j->get_literal().data(),
                                     i->get_shape().bytes()));
        }
}

TEST(ir_text, names_and_symbols) {
    program p;
    auto* m = p.get_main_module();
    const shape s{shape::float_type, {2}};
    std::vector<instruction_ref> xs;
    for (const char* name : {"x", "input.1", "a b", "x,y", "in[0]", "say \"hi\"", "main:#output_0",
                             "@3", "\xe8\xbe\x93", "x=y", "/model/Add_output_0"})
        xs.push_back(m->add_parameter(name, s));
    auto sum = m->add_instruction(make_op("add"), xs[0], xs[1]);
    m->add_debug_symbols(sum, {"Add_1", "a, b", "layer # 2"});
    m->add_return({sum, xs[2], xs[3], xs[4], xs[5], xs[6], xs[7], xs[8]});
    EXPECT_NE(to_text(p).find(" # Add_1, \"a, b\", layer # 2\n"), std::string::npos) << to_text(p);
    expect_round_trip(p);
    const auto q = parse_text(to_text(p, lossless));
    EXPECT_EQ(q.get_parameter_names(), p.get_parameter_names());
}

TEST(ir_text, names_of_dimensions) {
    const std::string text = "dimensions: \"a b\" {\"n\", \"\"}\n"
                             "module: \"main\"\n"
                             "\"a b\" = @param:\"a b\" -> dynamic, float_type, {[1..4], 3}\n"
                             "@1 = @return(\"a b\")\n\n";
    const auto p = parse_text(text);
    EXPECT_NE(to_text(p, lossless).find("dimensions: \"a b\" {\"n\", \"\"}\n"), std::string::npos);
    expect_round_trip(p);
    EXPECT_EQ(to_text(p).find("dimensions:"), std::string::npos);
    EXPECT_NE(parse_error("dimensions: x [n]").find("expected"), std::string::npos);
}

TEST(ir_text, parameter_order_and_flags) {
    auto p = parse_text("outputs: {sum, \"a b\"}\n"
                        "module: \"main\"\n"
                        "parameters: {x, y}\n"
                        "x = @param:x -> float_type, {2}\n"
                        "y = @param:y -> float_type, {2}\n"
                        "s = add(x, y), target_id=1, normalized\n"
                        "@return(s, x)\n");
    EXPECT_EQ(p.get_parameter_names(), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(p.get_output_names(), (std::vector<std::string>{"sum", "a b"}));
    const auto text = to_text(p, lossless);
    EXPECT_EQ(to_text(parse_text(text), lossless), text);
    EXPECT_NE(text.find("parameters: {x, y}\n"), std::string::npos);
    EXPECT_NE(text.find(", target_id=1, normalized\n"), std::string::npos);
    // Without the line the first parameter is the one declared last.
    const auto q = parse_text("x = @param:x -> float_type, {2}\ny = @param:y -> float_type, {2}\n");
    EXPECT_EQ(q.get_parameter_names(), (std::vector<std::string>{"y", "x"}));
}

TEST(ir_text, hand_written) {
    const auto p = parse_text("# a comment\n"
                              "\n"
                              "x = @param:x -> float_type, {2, 3}\r\n"
                              "two = @literal{2} -> float_type\n"
                              "  b = multibroadcast[ out_lens={2,3} ]( two )\n"
                              "y = mul(x, b) -> float_type, {2, 3}\n"
                              "@return(y)\n");
    EXPECT_EQ(p.get_output_shapes(), (std::vector<shape>{{shape::float_type, {2, 3}}}));
    expect_round_trip(p);
}

TEST(ir_text, sub_modules) {
    program p;
    auto* m = p.get_main_module();
    const shape s{shape::float_type, {2}};
    auto cond = m->add_parameter("cond", {shape::bool_type});
    auto x = m->add_parameter("x", s);
    auto* yes = p.create_module("yes");
    auto* no = p.create_module("no branch");
    yes->add_return({yes->add_instruction(make_op("add"), x, x)});
    auto* inner = p.create_module("inner");
    inner->add_return({inner->add_instruction(make_op("mul"), x, x)});
    auto* other = p.create_module("other");
    other->add_return({other->add_instruction(make_op("neg"), x)});
    auto pick = no->add_instruction(make_op("if"), {cond}, {inner, other});
    no->add_return({no->add_instruction(make_op("get_tuple_elem", {{"index", 0}}), pick)});
    auto r = m->add_instruction(make_op("if"), {cond}, {yes, no});
    m->add_return({m->add_instruction(make_op("get_tuple_elem", {{"index", 0}}), r)});
    inner->set_bypass();
    EXPECT_NE(to_text(p).find("yes:@0 = add(x,x)"), std::string::npos) << to_text(p);
    EXPECT_NE(to_text(p).find(", [yes, \"no branch\"] -> "), std::string::npos) << to_text(p);
    expect_round_trip(p);
    EXPECT_TRUE(parse_text(to_text(p, lossless)).get_module("inner")->bypass());
}

TEST(ir_text, one_module) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n@return(x)\n");
    std::ostringstream os;
    os << m;
    EXPECT_EQ(os.str(), "x = @param:x -> float_type, {2}, {1}\n@1 = @return(x)\n");
    EXPECT_THROW(parse_module_text("module: \"a\"\nmodule: \"b\"\n"), exception);
    EXPECT_EQ(parse_module_text("module: \"a\"\n").name(), "a");
}

TEST(ir_text, errors_say_line_expected_and_got) {
    const std::string x = "x = @param:x -> float_type, {2}\n";
    EXPECT_EQ(parse_error(x + "y = add(x, z)\n"),
              "line 2: expected the name of an instruction above, got 'z'");
    EXPECT_EQ(parse_error(x + "\ny = neg(x) -> float_type, {3}\n"),
              "line 3: neg: expected the output shape to be the inferred float_type, {2}, {1}, got "
              "float_type, {3}");
    EXPECT_EQ(parse_error(x + "y = neg(x\n"), "line 2: expected ')', got the end of the line");
    EXPECT_EQ(parse_error("x = @param:x -> floot_type, {2}\n"),
              "line 1: expected an element type such as float_type, got 'floot_type, {2}'");
    EXPECT_EQ(parse_error("x = @param:x\n"),
              "line 1: expected '-> shape', got the end of the line");
    EXPECT_EQ(parse_error(x + x), "line 2: add_parameter: a new name was expected, got 'x' again");
    EXPECT_EQ(parse_error("@literal{1, b} -> float_type, {2}\n"),
              "line 1: expected a number of the literal's type, got 'b'");
    EXPECT_EQ(parse_error("@literal{300} -> int8_type, {1}\n"),
              "line 1: expected a value of int8_type, got 300");
    EXPECT_EQ(parse_error("module: \"sub\"\n"), "line 1: expected a module named main, got 'sub'");
    EXPECT_TRUE(parse_error(x + "y = neeg(x)\n").starts_with("line 2: Operator not found: neeg"));
    EXPECT_TRUE(parse_error(x + "y = concat[axis=7](x, x)\n").starts_with("line 2: concat"));
}

TEST(ir_text, hostile_text_is_an_error) {
    for (const std::string text :
         {"@literal{ ... } -> float_type, {4294967295, 4294967295, 4294967295, 4294967295}",
          "@literal{ ... } -> float_type, {1000000000000}",
          "@literal:hex(00) -> float_type, {1000000}",
          "@literal:hex(zz) -> int8_type, {1}",
          "@literal{1} -> dynamic, float_type, {[1..2]}",
          "@literal:random(",
          "@literal{1, 2} -> float_type, {3}",
          "x = ",
          "= y",
          "\"",
          "x = @param:",
          "@return(x)",
          "module: \"main\"\nmodule: \"main\"",
          "module: \"main\"\nc = @param:c -> bool_type\nr = if(c), [a, a]\nmodule: \"a\"\n"
          "d = if(c), [a, a]",
          "x = @param:x -> float_type, {[1..",
          "x = @param:x -> float_type, {n[8..1]}",
          "x = @param:x -> [[[[[",
          "x = @param:x -> float_type, {2}, {1, 1}",
          "x = slice[axes={0}",
          "x = slice[axes={{{{{{{{",
          "x = slice[=]",
          "outputs: {",
          "parameters: {a}"})
        EXPECT_TRUE(parse_error(text).starts_with("line ")) << text << "\n" << parse_error(text);
    std::string deep = "x = slice[axes=";
    deep += std::string(100000, '{');
    EXPECT_TRUE(parse_error(deep).starts_with("line 1: "));
    EXPECT_TRUE(parse_error("x = @param:x -> " + std::string(100000, '[')).starts_with("line 1: "));
    // Cut and damaged texts never crash.
    const auto text = to_text(small_program(), lossless);
    for (std::size_t i = 0; i < text.size(); ++i) {
        parse_error(text.substr(0, i));
        auto damaged = text;
        damaged[i] = "{}[](),=\"@x9-"[i % 13];
        parse_error(damaged);
    }
}

TEST(ir_text, other_forms) {
    const auto p = small_program();
    std::ostringstream py;
    p.print_py(py);
    EXPECT_EQ(py.str(),
              "p = migraphx.program()\n"
              "m = p.get_main_module()\n"
              "x_0 = m.add_literal(migraphx.create_argument(migraphx.shape(type=\"half_type\", "
              "lens=[1]), [4]))\n"
              "p_q = m.add_parameter(\"q\", migraphx.shape(type=\"half_type\", lens=[5, 7]))\n"
              "x_2 = m.add_instruction(migraphx.op(\"multibroadcast\", out_lens=[5, 7]), [x_0]) # "
              "migraphx.shape(type=\"half_type\", lens=[5, 7], strides=[0, 0])\n"
              "x_3 = m.add_instruction(migraphx.op(\"add\"), [p_q, x_2]) # "
              "migraphx.shape(type=\"half_type\", lens=[5, 7])\n"
              "m.add_return([x_3])\n");
    std::ostringstream cpp;
    p.print_cpp(cpp);
    EXPECT_NE(cpp.str().find("migraphx::module_ref mmain = p.get_main_module();"),
              std::string::npos);
    EXPECT_NE(
        cpp.str().find("migraphx::make_json_op(\"multibroadcast\", \"{\\\"out_lens\\\":[5,7]}\")"),
        std::string::npos)
        << cpp.str();
    std::ostringstream graph;
    p.print_graph(graph, true);
    EXPECT_TRUE(graph.str().starts_with("digraph {"));
    EXPECT_NE(graph.str().find("\"q\" -> \"@3\";"), std::string::npos) << graph.str();
}
