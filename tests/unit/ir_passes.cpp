// SPDX-License-Identifier: MIT
// The pass manager and the clean-up passes.
#include "ir/text.hpp"
#include "ir/text_parser.hpp"
#include "passes/pass_registry.hpp"

#include <migraphx/dead_code_elimination.hpp>
#include <migraphx/eliminate_common_subexpression.hpp>
#include <migraphx/eliminate_identity.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>
#include <migraphx/propagate_constant.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

using namespace migraphx;

namespace {

// The pass on the text; once more changes nothing.
std::string after(const char* pass_name, const std::string& text) {
    auto p = parse_text(text);
    validate_after_passes(true);
    run_passes(p, {make_pass(pass_name)});
    const auto once = to_text(p);
    run_passes(p, {make_pass(pass_name)});
    EXPECT_EQ(to_text(p), once);
    return once;
}

std::string normal(const std::string& text) {
    return to_text(parse_text(text));
}

const std::string x_line = "x = @param:x -> float_type, {2, 3}\n";

// The file of the command that replays a pass.
std::string replay_file(const std::string& message, const std::string& pass_name) {
    const std::string command = "migraphx-driver read -p " + pass_name + " ";
    const auto at = message.find(command);
    if (at == std::string::npos)
        return "";
    const auto start = at + command.size();
    return message.substr(start, message.find('\n', start) - start);
}

struct failing_pass {
    std::string name() const { return "failing_pass"; }
    void apply(module& m) const {
        m.remove_instruction(std::prev(m.end())); // half-edited
        fail(error_kind::internal, "a pass without mistakes was expected");
    }
};

struct breaking_pass {
    std::string name() const { return "breaking_pass"; }
    void apply(module& m) const { m.move_instruction(m.begin(), std::prev(m.end())); }
};

struct visiting_pass {
    std::vector<std::string>* seen;
    std::string name() const { return "visiting_pass"; }
    void apply(module_pass_manager& mpm) const {
        auto* parent = mpm.get_common_parent();
        seen->push_back(mpm.get_module().name() + "<" + (parent == nullptr ? "" : parent->name()));
        EXPECT_EQ(mpm.get_root_module()->name(), "main");
    }
};

struct program_pass {
    std::vector<std::string>* seen;
    std::string name() const { return "program_pass"; }
    void apply(program&) const { seen->push_back("program"); }
};

} // namespace

TEST(ir_passes, registry) {
    const auto names = get_pass_names();
    for (const char* name : {"auto_contiguous", "dead_code_elimination", "eliminate_dead_code",
                             "eliminate_common_subexpression", "eliminate_identity",
                             "normalize_ops", "propagate_constant"})
        EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
    try {
        make_pass("nothing");
        FAIL();
    } catch (const exception& e) {
        EXPECT_TRUE(std::string(e.what()).starts_with("Unknown pass: nothing"));
    }
}

TEST(ir_passes, dead_code) {
    EXPECT_EQ(after("dead_code_elimination", x_line + "p = @param:p -> float_type, {1}\n"
                                                      "l = @literal{1} -> float_type\n"
                                                      "a = neg(x)\n"
                                                      "b = abs(a)\n"
                                                      "c = sqrt(x)\n"
                                                      "@return(c)\n"),
              normal(x_line + "p = @param:p -> float_type, {1}\nc = sqrt(x)\n@return(c)\n"));
    // Without a return the last one is the result.
    EXPECT_EQ(after("dead_code_elimination", x_line + "a = neg(x)\nb = abs(x)\n"),
              normal(x_line + "b = abs(x)\n"));
    module empty;
    EXPECT_NO_THROW(run_passes(empty, {dead_code_elimination{}}));
}

TEST(ir_passes, dead_modules) {
    auto p = parse_text("module: \"main\"\n"
                        "cond = @param:cond -> bool_type\n" +
                        x_line +
                        "y = neg(x)\n"
                        "r = if(cond), [a, b]\n"
                        "z = abs(x)\n"
                        "@return(z)\n"
                        "module: \"a\"\n"
                        "u = add(y, y)\n"
                        "@return(u)\n"
                        "module: \"b\"\n"
                        "v = mul(x, x)\n"
                        "@return(v)\n");
    run_passes(p, {dead_code_elimination{}});
    EXPECT_EQ(p.size(), 1U);
    EXPECT_EQ(to_text(p),
              normal("cond = @param:cond -> bool_type\n" + x_line + "z = abs(x)\n@return(z)\n"));
}

TEST(ir_passes, identity) {
    EXPECT_EQ(
        after("eliminate_identity",
              x_line + "a = identity(x) # name\nb = neg(a)\nc = identity(b)\n@return(c, a)\n"),
        normal("x = @param:x -> float_type, {2, 3} # name\nb = neg(x)\n@return(b, x)\n"));
    EXPECT_EQ(after("eliminate_identity", x_line + "a = neg(x)\nb = identity(a)\n"),
              normal(x_line + "a = neg(x)\n"));
    // A result that is needed before stays.
    const auto kept = x_line + "a = neg(x)\nb = add(a, a)\nc = identity(a)\n";
    auto m = parse_module_text(kept);
    eliminate_identity{}.apply(m);
    EXPECT_EQ(m.validate(), m.end());
    EXPECT_EQ(std::prev(m.end())->name(), "identity");
}

TEST(ir_passes, common_subexpressions) {
    EXPECT_EQ(after("eliminate_common_subexpression",
                    x_line + "k = @literal{1, 2, 3} -> float_type, {3}\n"
                             "l = @literal{1, 2, 3} -> float_type, {3}\n"
                             "kb = multibroadcast[out_lens={2, 3}](k)\n"
                             "lb = multibroadcast[out_lens={2, 3}](l)\n"
                             "a = add(x, kb)\n"
                             "b = add(x, lb) # second\n"
                             "c = sub(a, b)\n"
                             "d = transpose[permutation={1, 0}](c)\n"
                             "e = transpose[permutation={0, 1}](c)\n"
                             "@return(d, e)\n"),
              normal(x_line + "k = @literal{1, 2, 3} -> float_type, {3}\n"
                              "kb = multibroadcast[out_lens={2, 3}](k)\n"
                              "a = add(x, kb) # second\n"
                              "c = sub(a, a)\n"
                              "d = transpose[permutation={1, 0}](c)\n"
                              "e = transpose[permutation={0, 1}](c)\n"
                              "@return(d, e)\n"));
    // 0 and -0 are different literals; random numbers are drawn twice.
    const auto kept = "k = @literal{0} -> float_type\nl = @literal{-0} -> float_type\n"
                      "@return(k, l)\n";
    EXPECT_EQ(after("eliminate_common_subexpression", kept), normal(kept));
}

TEST(ir_passes, constants) {
    EXPECT_EQ(after("propagate_constant", "k = @literal{1, -2, 3} -> float_type, {3}\n" + x_line +
                                              "a = neg(k)\n"
                                              "b = abs(a) # weight\n"
                                              "c = multibroadcast[out_lens={2, 3}](b)\n"
                                              "d = add(x, c)\n"
                                              "@return(d)\n"),
              normal(x_line + "b = @literal{1, 2, 3} -> float_type, {3} # weight\n"
                              "c = multibroadcast[out_lens={2, 3}](b)\n"
                              "d = add(x, c)\n"
                              "@return(d)\n"));
    // A view that is consumed by something constant is folded with it.
    EXPECT_EQ(after("propagate_constant", "k = @literal{1, 2} -> float_type, {1, 2}\n"
                                          "b = transpose[permutation={1, 0}](k)\n"
                                          "c = contiguous(b)\n"
                                          "d = neg(c)\n"
                                          "@return(d)\n"),
              normal("d = @literal{-1, -2} -> float_type, {2, 1}\n@return(d)\n"));
}

TEST(ir_passes, constants_that_grow_are_kept) {
    const std::string text = "k = @literal{1} -> float_type, {1, 1}\n"
                             "b = multibroadcast[out_lens={1024, 1024}](k)\n"
                             "c = contiguous(b)\n"
                             "@return(c)\n";
    EXPECT_EQ(after("propagate_constant", text), normal(text));
    auto p = parse_text(text);
    propagate_constant large;
    large.budget = std::size_t{1} << 30;
    run_passes(p, {large});
    EXPECT_EQ(p.get_main_module()->begin()->get_shape().bytes(), std::size_t{4} << 20);
    propagate_constant skipping;
    skipping.skip_ops = {"neg"};
    p = parse_text("k = @literal{1} -> float_type\na = neg(k)\nb = abs(a)\n@return(b)\n");
    const auto before = to_text(p);
    run_passes(p, {skipping});
    EXPECT_EQ(to_text(p), before);
}

TEST(ir_passes, normalize) {
    EXPECT_EQ(after("normalize_ops", x_line + "a = concat[axis=-1](x, x)\n"
                                              "b = slice[axes={-1},starts={-2},ends={100}](a)\n"
                                              "@return(b)\n"),
              normal(x_line + "a = concat[axis=1](x, x)\n"
                              "b = slice[axes={1},starts={4},ends={6}](a)\n"
                              "@return(b)\n"));
}

TEST(ir_passes, contiguous) {
    EXPECT_EQ(after("auto_contiguous", x_line + "a = transpose[permutation={1, 0}](x)\n"
                                                "b = neg(a)\n"
                                                "@return(b)\n"),
              normal(x_line + "a = transpose[permutation={1, 0}](x)\n"
                              "c = contiguous(a)\n"
                              "b = neg(c)\n"
                              "@return(b)\n"));
}

TEST(ir_passes, order_of_modules) {
    auto p = parse_text("module: \"main\"\n"
                        "cond = @param:cond -> bool_type\n" +
                        x_line +
                        "r = if(cond), [a, b]\n"
                        "@return(r)\n"
                        "module: \"a\"\n"
                        "s = if(cond), [c, b]\n"
                        "t = get_tuple_elem[index=0](s)\n"
                        "@return(t)\n"
                        "module: \"b\"\n"
                        "v = mul(x, x)\n"
                        "@return(v)\n"
                        "module: \"c\", bypass\n"
                        "w = neg(x)\n"
                        "@return(w)\n");
    std::vector<std::string> seen;
    run_passes(p, {visiting_pass{&seen}, program_pass{&seen}});
    // Users after what they use; c is bypassed; b has two users.
    EXPECT_EQ(seen, (std::vector<std::string>{"b<", "a<main", "main<", "program"}));
    seen.clear();
    run_passes(p, {enable_pass(false, program_pass{&seen})});
    EXPECT_TRUE(seen.empty());
}

TEST(ir_passes, tracer_gets_the_program_after_each_pass) {
    auto p = parse_text(x_line + "a = identity(x)\nb = neg(a)\n@return(b)\n");
    std::ostringstream os;
    run_passes(p, {eliminate_identity{}, dead_code_elimination{}}, tracer{os});
    EXPECT_TRUE(os.str().starts_with("Pass: eliminate_identity\n" + to_text(p))) << os.str();
    EXPECT_NE(os.str().find("Pass: dead_code_elimination\n"), std::string::npos);
}

TEST(ir_passes, a_pass_that_throws_can_be_replayed) {
    auto p = parse_text(x_line + "a = identity(x)\nb = neg(a)\n@return(b)\n");
    try {
        run_passes(p, {eliminate_identity{}, failing_pass{}});
        FAIL();
    } catch (const exception& e) {
        const std::string text = e.what();
        EXPECT_NE(text.find("in pass failing_pass"), std::string::npos) << text;
        const auto file = replay_file(text, "failing_pass");
        ASSERT_FALSE(file.empty()) << text;
        EXPECT_EQ(to_text(load(file)), normal(x_line + "b = neg(x)\n@return(b)\n"));
        std::filesystem::remove(file);
    }
}

TEST(ir_passes, a_broken_module_is_found) {
    validate_after_passes(true);
    auto p = parse_text(x_line + "b = neg(x)\n@return(b)\n");
    try {
        run_passes(p, {breaking_pass{}});
        FAIL();
    } catch (const exception& e) {
        EXPECT_NE(std::string(e.what()).find("breaking_pass"), std::string::npos) << e.what();
        EXPECT_EQ(e.category(), error_kind::internal);
        std::filesystem::remove(replay_file(e.what(), "breaking_pass"));
    }
}
