// SPDX-License-Identifier: MIT
// Editing modules: the links, the order and the shapes stay right.
#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>

#include <gtest/gtest.h>

#include <algorithm>

using namespace migraphx;

namespace {

const shape two{shape::float_type, {2}};

// Every operand knows its users and comes before them; every user is in the module.
void expect_consistent(const module& m) {
    EXPECT_EQ(m.validate(), m.end()) << m;
    for (auto i = m.begin(); i != m.end(); ++i) {
        for (auto a : i->inputs())
            EXPECT_EQ(std::count(a->outputs().begin(), a->outputs().end(), i), 1) << m;
        for (auto u : i->outputs())
            EXPECT_NE(std::find(u->inputs().begin(), u->inputs().end(), i), u->inputs().end()) << m;
    }
}

instruction_ref at(const module& m, std::size_t n) {
    return std::next(m.begin(), long(n));
}

std::vector<std::string> names(const module& m) {
    std::vector<std::string> result;
    for (auto i = m.begin(); i != m.end(); ++i)
        result.push_back(i->name());
    return result;
}

using strings = std::vector<std::string>;

struct scale_op {
    float factor = 2;
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.factor, "factor"));
    }
    std::string name() const { return "test::scale"; }
    shape compute_shape(const std::vector<shape>& in) const { return in.at(0); }
    argument compute(const shape& out, const std::vector<argument>& in) const {
        argument r{out};
        visit_all(r, in[0])([&](auto y, auto x) {
            std::transform(x.begin(), x.end(), y.begin(), [&](auto v) { return v * factor; });
        });
        return r;
    }
};

} // namespace

TEST(ir_module, where_things_go) {
    module m;
    auto a = m.add_parameter("a", two);
    auto b = m.add_parameter("b", two);
    auto l = m.add_literal(literal{two, {1, 2}});
    auto sum = m.add_instruction(make_op("add"), a, b);
    auto r = m.add_return({sum});
    auto prod = m.add_instruction(make_op("mul"), sum, l);
    EXPECT_EQ(std::next(prod), r);
    EXPECT_EQ(names(m), (strings{"@literal", "@param", "@param", "add", "mul", "@return"}));
    EXPECT_EQ(m.get_parameter_names(), (strings{"a", "b"}));
    EXPECT_EQ(m.get_parameters(), (std::vector<instruction_ref>{a, b}));
    EXPECT_EQ(m.insert_end(), r);
    m.add_return({prod});
    EXPECT_EQ(m.size(), 6U);
    EXPECT_EQ(m.get_returns(), (std::vector<instruction_ref>{prod}));
    expect_consistent(m);
    EXPECT_THROW(m.add_parameter("a", two), exception);
    EXPECT_EQ(m.get_parameter("c"), m.end());
    EXPECT_EQ(m.get_parameter_shape("b"), two);
}

TEST(ir_module, errors_name_operator_and_shapes) {
    module m;
    auto a = m.add_parameter("a", two);
    auto b = m.add_parameter("b", {shape::float_type, {3}});
    try {
        m.add_instruction(make_op("add"), a, b);
        FAIL();
    } catch (const exception& e) {
        EXPECT_TRUE(std::string(e.what()).starts_with("add: ")) << e.what();
        EXPECT_NE(std::string(e.what()).find("float_type, {3}, {1}"), std::string::npos)
            << e.what();
    }
    EXPECT_EQ(m.size(), 2U);
}

TEST(ir_module, replace_by_operation) {
    auto m = parse_module_text("x = @param:x -> float_type, {2, 3}\n"
                               "y = transpose[permutation={0, 1}](x)\n"
                               "z = neg(y)\n"
                               "w = add(z, z)\n"
                               "@return(w)\n");
    auto x = at(m, 0);
    m.replace_instruction(at(m, 1), make_op("transpose", {{"permutation", {1, 0}}}), x);
    EXPECT_EQ(at(m, 2)->get_shape().lens(), (std::vector<std::size_t>{3, 2}));
    EXPECT_EQ(m.get_output_shapes().front().lens(), (std::vector<std::size_t>{3, 2}));
    expect_consistent(m);
    m.replace_instruction(at(m, 2), make_op("add"), x, x);
    EXPECT_TRUE(at(m, 1)->outputs().empty());
    EXPECT_EQ(m.get_output_shapes().front().lens(), (std::vector<std::size_t>{2, 3}));
    expect_consistent(m);
}

TEST(ir_module, replace_by_instruction) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "z = add(y, y)\n"
                               "w = mul(y, z)\n"
                               "@return(w, y)\n");
    m.replace_instruction(at(m, 1), at(m, 0));
    EXPECT_TRUE(at(m, 1)->outputs().empty());
    EXPECT_EQ(at(m, 4)->inputs()[1], at(m, 0));
    expect_consistent(m);
    m.remove_instruction(at(m, 1));
    EXPECT_EQ(m.size(), 4U);
    EXPECT_THROW(m.remove_instruction(at(m, 1)), exception);
    expect_consistent(m);
}

TEST(ir_module, the_result_without_a_return) {
    const std::string text = "x = @param:x -> float_type, {2}\n"
                             "y = neg(x)\n"
                             "z = abs(y)\n";
    auto m = parse_module_text(text);
    auto fresh = m.insert_instruction(at(m, 1), make_op("sqrt"), at(m, 0));
    m.replace_instruction(at(m, 3), fresh);
    EXPECT_EQ(m.get_returns().front(), fresh);
    expect_consistent(m);
    // What is needed before the end cannot go there.
    m = parse_module_text(text);
    m.replace_instruction(at(m, 2), at(m, 1));
    EXPECT_EQ(names(m), (strings{"@param", "neg", "identity"}));
    expect_consistent(m);
}

TEST(ir_module, batch_replace) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "z = neg(y)\n"
                               "@return(z)\n");
    m.batch_replace_instruction(
        {{at(m, 1), make_op("abs"), {at(m, 0)}}, {at(m, 2), make_op("sqrt"), {at(m, 1)}}});
    EXPECT_EQ(names(m), (strings{"@param", "abs", "sqrt", "@return"}));
    expect_consistent(m);
}

TEST(ir_module, insert_move_remove) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "z = abs(x)\n"
                               "w = add(y, z)\n"
                               "@return(w)\n");
    m.insert_instruction(at(m, 1), make_op("sqrt"), at(m, 0));
    EXPECT_EQ(names(m), (strings{"@param", "sqrt", "neg", "abs", "add", "@return"}));
    m.move_instruction(at(m, 3), at(m, 1));
    EXPECT_EQ(names(m), (strings{"@param", "abs", "sqrt", "neg", "add", "@return"}));
    expect_consistent(m);
    EXPECT_EQ(m.remove_instructions(at(m, 2), at(m, 3))->name(), "neg");
    EXPECT_EQ(m.size(), 5U);
    EXPECT_THROW(m.remove_instructions(at(m, 1), at(m, 3)), exception);
    m.remove_instructions(at(m, 1), m.end());
    EXPECT_EQ(m.size(), 1U);
    EXPECT_TRUE(at(m, 0)->outputs().empty());
}

TEST(ir_module, move_with_operands) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "a = neg(x)\n"
                               "y = abs(x)\n"
                               "b = sqrt(y)\n"
                               "@return(a, b)\n");
    m.move_instructions(at(m, 3), at(m, 1)); // brings y along, and x, which stays in front
    expect_consistent(m);
    EXPECT_EQ(names(m), (strings{"@param", "abs", "sqrt", "neg", "@return"}));
    m.move_output_instructions_after(at(m, 1), at(m, 3));
    EXPECT_EQ(names(m), (strings{"@param", "abs", "neg", "sqrt", "@return"}));
    expect_consistent(m);
}

TEST(ir_module, sort) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "z = abs(y)\n"
                               "@return(z)\n");
    m.shuffle({3, 2, 1, 0});
    EXPECT_NE(m.validate(), m.end());
    m.sort();
    expect_consistent(m);
    EXPECT_EQ(names(m), (strings{"@param", "neg", "abs", "@return"}));
    EXPECT_THROW(m.shuffle({0}), exception);
    // 100 000 instructions in a chain: no recursion.
    module chain;
    auto last = chain.add_parameter("x", two);
    for (int i = 0; i < 100000; ++i)
        last = chain.add_instruction(make_op("neg"), last);
    chain.sort();
    EXPECT_EQ(chain.size(), 100001U);
    EXPECT_EQ(std::prev(chain.end()), last);
}

TEST(ir_module, copies_are_deep) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "@return(y)\n");
    auto copy = m;
    EXPECT_TRUE(copy == m);
    copy.remove_instruction(copy.replace_return({at(copy, 0)}));
    EXPECT_FALSE(copy == m);
    EXPECT_EQ(m.size(), 3U);
    expect_consistent(m);
    expect_consistent(copy);
    copy.add_parameter("z", two);
    EXPECT_EQ(copy.get_parameter_names(), (strings{"x", "z"}));
}

TEST(ir_module, add_instructions_and_inline) {
    const auto body = parse_module_text("parameters: {x1, x0}\n"
                                        "x0 = @param:x0 -> float_type, {2}\n"
                                        "x1 = @param:x1 -> float_type, {2}\n"
                                        "y = sub(x0, x1)\n"
                                        "z = neg(y)\n"
                                        "@return(z, y)\n");
    module m;
    auto a = m.add_parameter("a", two);
    auto b = m.add_parameter("b", two);
    const auto results = m.insert_inline(m.end(), body, {a, b});
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(results[0]->name(), "neg");
    EXPECT_EQ(results[1]->inputs(), (std::vector<instruction_ref>{a, b})); // by sorted names
    m.add_return(results);
    expect_consistent(m);
    EXPECT_THROW(m.insert_inline(m.end(), body, {a}), exception);

    module::instruction_map map;
    module other;
    const auto outs = other.add_instructions(&body, &map);
    EXPECT_EQ(outs.size(), 2U);
    EXPECT_EQ(map.size(), 4U);
    EXPECT_EQ(other.get_parameters().size(), 2U);
    expect_consistent(other);
}

TEST(ir_module, fuse) {
    auto m = parse_module_text("a = @param:a -> float_type, {2, 3}\n"
                               "b = @param:b -> float_type, {3, 2}\n"
                               "t = transpose[permutation={1, 0}](b)\n"
                               "s = add(a, t)\n"
                               "r = relu(s)\n"
                               "@return(r)\n");
    module fused{"fused"};
    module::instruction_map map;
    const auto outs = fused.fuse({at(m, 3), at(m, 4)}, &map);
    fused.add_return(outs);
    expect_consistent(fused);
    EXPECT_EQ(fused.get_parameters().size(), 2U);
    EXPECT_EQ(fused.get_parameter_shape("x1"), (shape{shape::float_type, {2, 3}}));
    EXPECT_EQ(fused.get_inputs(map), (std::vector<instruction_ref>{at(m, 0), at(m, 2)}));

    module second{"second"};
    second.add_return(second.fuse(fused, {at(m, 0), at(m, 2)}));
    EXPECT_EQ(second.get_output_shapes(), fused.get_output_shapes());
    expect_consistent(second);
}

TEST(ir_module, split) {
    auto m = parse_module_text("a = @param:a -> float_type, {2}\n"
                               "b = @param:b -> float_type, {2}\n"
                               "s = add(a, b)\n"
                               "r = relu(s)\n"
                               "t = mul(r, b)\n"
                               "@return(t)\n");
    module outer;
    auto x = outer.add_parameter("x", two);
    auto y = outer.add_parameter("y", two);
    auto parts = m.split({x, y}, {at(m, 2)});
    for (const auto& part : parts) {
        expect_consistent(part.mod);
        EXPECT_EQ(part.mod.get_parameters().size(), part.inputs.size());
    }
    EXPECT_EQ(parts[0].inputs, (std::vector<instruction_ref>{x, y}));
    EXPECT_EQ(parts[0].mod.get_returns().front()->name(), "add");
    // The second part takes the result of the first, and b again.
    ASSERT_EQ(parts[1].inputs.size(), 2U);
    EXPECT_EQ(parts[1].mod.get_returns().front()->name(), "mul");
    const auto three = m.split({x, y}, {at(m, 2)}, {at(m, 3)});
    EXPECT_EQ(three[1].mod.get_returns().front()->name(), "relu");
    EXPECT_EQ(three[2].mod.get_returns().front()->name(), "mul");
}

TEST(ir_module, shapes_for_other_sizes) {
    auto m = parse_module_text("x = @param:x -> dynamic, float_type, {[1..4], 3}\n"
                               "l = @literal{1, 2, 3} -> float_type, {3}\n"
                               "y = transpose[permutation={1, 0}](x)\n"
                               "@return(y)\n");
    EXPECT_EQ(m.compute_shapes({{shape::float_type, {2, 3}}}).front().lens(),
              (std::vector<std::size_t>{3, 2}));
    const auto fixed = m.with_static_shapes({{"x", {shape::float_type, {4, 3}}}});
    EXPECT_EQ(fixed.get_output_shapes().front().lens(), (std::vector<std::size_t>{3, 4}));
    expect_consistent(fixed);
}

TEST(ir_module, hoist_external_inputs) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "a = abs(x)\n"
                               "b = sqrt(a)\n"
                               "z = add(y, b)\n"
                               "@return(z)\n");
    m.hoist_external_inputs(at(m, 1), at(m, 4));
    expect_consistent(m);
    EXPECT_EQ(names(m), (strings{"@param", "abs", "sqrt", "neg", "add", "@return"}));
}

TEST(ir_module, reaches) {
    auto m = parse_module_text("x = @param:x -> float_type, {2}\n"
                               "y = neg(x)\n"
                               "a = abs(x)\n"
                               "z = add(y, a)\n");
    EXPECT_TRUE(reaches(at(m, 0), at(m, 3)));
    EXPECT_FALSE(reaches(at(m, 1), at(m, 2)));
    EXPECT_TRUE(reaches(at(m, 1), at(m, 3), &m));
    EXPECT_FALSE(reaches(at(m, 1), at(m, 2), &m));
    EXPECT_TRUE(is_interdependent({at(m, 1), at(m, 3)}, &m, m.begin()));
    EXPECT_FALSE(is_interdependent({at(m, 1), at(m, 2)}, &m, m.begin()));
}

TEST(ir_module, constants_are_evaluated) {
    auto m = parse_module_text("a = @literal{1, -2} -> float_type, {2}\n"
                               "x = @param:x -> float_type, {2}\n"
                               "b = neg(a)\n"
                               "c = add(b, x)\n");
    EXPECT_TRUE(at(m, 2)->can_eval());
    EXPECT_FALSE(at(m, 3)->can_eval());
    EXPECT_EQ(at(m, 2)->eval().to_vector<float>(), (std::vector<float>{-1, 2}));
    EXPECT_TRUE(at(m, 3)->eval().empty());
    EXPECT_THROW(at(m, 3)->eval(false), exception);
    EXPECT_THROW(at(m, 3)->get_literal(), exception);
}

TEST(ir_module, users_ops) {
    module m;
    auto l = m.add_literal(literal{two, {1, 2}});
    auto y = m.add_instruction(scale_op{3}, l);
    EXPECT_EQ(y->eval().to_vector<float>(), (std::vector<float>{3, 6}));
    EXPECT_EQ(to_text(y->get_operator()), "test::scale[factor=3]");
    EXPECT_EQ(any_cast<scale_op>(y->get_operator()).factor, 3);
    EXPECT_EQ(y->get_operator(), operation{scale_op{3}});
    EXPECT_NE(y->get_operator(), operation{scale_op{4}});
}
