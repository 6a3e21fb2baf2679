// SPDX-License-Identifier: MIT
// Tensors of strings, and shapes of sequences, optionals and unranked tensors: text, files, copies,
// comparison, hostile forms.
#include <migraphx/argument.hpp>
#include <migraphx/json.hpp>
#include <migraphx/literal.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/program.hpp>
#include <migraphx/serialize.hpp>

#include "ir/shape_rules.hpp"
#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <gtest/gtest.h>

#include <cstring>

using namespace migraphx;

namespace {

using texts = std::vector<std::string_view>;

const shape two_strings{shape::string_type, {2}};
const shape any_float = shape::unranked(shape::float_type);

template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const exception& e) {
        return e.what();
    }
    return "no error";
}

TEST(strings, own_their_characters) {
    argument copy, view;
    {
        std::string first = "a text that is too long to be kept inside of a string", second = "b";
        auto a = string_argument(two_strings, {first, second});
        first.assign(first.size(), 'x');
        view = a.element(0);
        copy = a.copy();
        EXPECT_EQ(a, copy);
        EXPECT_NE(a.data(), copy.data());
        EXPECT_NE(a, string_argument(two_strings, {"a", "b"}));
        // Moved elements refer to the other tensor until they get their own.
        argument moved(shape{shape::string_type, {1}});
        std::memcpy(moved.data(), a.data(), sizeof(std::string_view));
        moved = with_own_strings(moved);
        EXPECT_NE(strings_of(moved)[0].data(), strings_of(a)[0].data());
    }
    EXPECT_EQ(strings_of(copy)[0], "a text that is too long to be kept inside of a string");
    EXPECT_EQ(strings_of(view)[0], strings_of(copy)[0]);
    EXPECT_EQ(strings_of(argument{two_strings}), (texts{"", ""}));
    EXPECT_EQ(strings_of(argument::uninitialized(two_strings)), (texts{"", ""}));
}

TEST(strings, elements_come_in_logical_order) {
    const shape transposed{shape::string_type, {2, 2}, {1, 2}};
    const auto a = string_argument(transposed, {"a", "b", "c", "d"});
    EXPECT_EQ(strings_of(a), (texts{"a", "b", "c", "d"}));
    EXPECT_EQ(a, string_argument(shape{shape::string_type, {2, 2}}, {"a", "b", "c", "d"}));
    EXPECT_EQ(strings_of(from_value<argument>(to_value(a))), (texts{"a", "b", "c", "d"}));
}

TEST(strings, read_back_from_text_and_files) {
    const texts odd{"", "a, b} \"c\"", std::string_view("nul\0é", 6), "@literal{...}", "\n\\"};
    program p;
    auto* m = p.get_main_module();
    const auto s = shape{shape::string_type, {odd.size()}};
    auto x = m->add_literal(literal::adopt(string_argument(s, odd)));
    auto y = m->add_parameter("y", s);
    m->add_return({m->add_instruction(make_op("string_equal"), x, y), x});
    const auto elements = [](const program& q) {
        std::vector<std::string> result;
        for (auto i = q.get_main_module()->begin(); i != q.get_main_module()->end(); ++i)
            if (i->name() == "@literal")
                for (auto x : strings_of(i->get_literal().get_argument()))
                    result.emplace_back(x);
        return result;
    };
    const std::vector<std::string> wanted(odd.begin(), odd.end());
    for (bool lossless : {false, true}) {
        const auto again = parse_text(to_text(p, {lossless}));
        EXPECT_EQ(again, p);
        EXPECT_EQ(elements(again), wanted) << to_text(p, {lossless});
    }
    EXPECT_EQ(elements(load_buffer(save_buffer(p))), wanted);
    file_options json;
    json.format = "json";
    EXPECT_EQ(elements(load_buffer(save_buffer(p, json), json)).size(), odd.size());
}

TEST(strings, bytes_never_become_addresses) {
    value v = to_value(string_argument(two_strings, {"a", "b"}));
    value bytes;
    bytes["shape"] = v.at("shape");
    bytes["data"] = value::binary(std::vector<std::uint8_t>(32, 65));
    EXPECT_NE(
        error_of([&] { from_value<argument>(bytes); }).find("strings were expected, got bytes"),
        std::string::npos);
    EXPECT_NE(
        error_of([&] { from_value<literal>(bytes); }).find("strings were expected, got bytes"),
        std::string::npos);
    v["strings"] = value(value::array{value("one")}, true);
    EXPECT_NE(error_of([&] { from_value<argument>(v); }).find("1 strings was expected"),
              std::string::npos);
    const std::string hex(64, '4');
    EXPECT_NE(error_of([&] {
                  parse_text("x = @literal:hex(" + hex + ") -> string_type, {2}, {1}");
              }).find("strings in quotes"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  parse_text("x = @literal{\"a\", b} -> string_type, {2}, {1}");
              }).find("line 1"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  make_op("load", {{"shape", to_value(two_strings)}})
                      .compute_shape({shape{shape::int8_type, {64}}});
              }).find("a tensor of numbers"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  make_op("convert", {{"target_type", shape::string_type}})
                      .compute_shape({shape{shape::int8_type, {64}}});
              }).find("string_type"),
              std::string::npos);
}

TEST(containers, shapes_read_back) {
    const auto range = shape{shape::float_type, {shape::dynamic_dimension{0, 5}, {3, 3}}};
    for (const auto& s :
         {shape::sequence(range), shape::sequence(any_float),
          shape::sequence(shape::absent(shape::int64_type)),
          shape::optional(shape::sequence(shape{shape::half_type, {2}})),
          shape::optional(two_strings), any_float,
          shape{std::vector<shape>{shape::sequence(range), shape{shape::int8_type, {1}}}}}) {
        EXPECT_EQ(parse_shape_text(to_text(s)), s) << s;
        EXPECT_EQ(parse_shape_text(to_text(s, {true})), s) << s;
        EXPECT_EQ(from_value<shape>(to_value(s)), s) << s;
        EXPECT_EQ(from_value<shape>(parse_value_text(to_text(to_value(s)))), s) << s;
        EXPECT_EQ(s.to_dynamic(), s.to_dynamic().to_dynamic());
        EXPECT_TRUE(s.is_boxed());
    }
    EXPECT_NE(shape::sequence(range), shape::optional(range));
    EXPECT_NE(shape::sequence(range).hash(), shape::optional(range).hash());
    EXPECT_EQ(to_text(shape::sequence(any_float)), "sequence[dynamic, float_type, any]");
    EXPECT_NE(error_of([] { parse_shape_text("sequence[]"); }).find("one shape"),
              std::string::npos);
    value bad = to_value(shape::sequence(range));
    bad["kind"] = "list";
    EXPECT_NE(error_of([&] { from_value<shape>(bad); }).find("got kind 'list'"), std::string::npos);
}

TEST(containers, dimensions_cannot_be_asked_for) {
    EXPECT_NE(error_of([] { any_float.ndim(); }).find("whose rank is known"), std::string::npos);
    EXPECT_NE(error_of([] { shape::sequence(any_float).lens(); }).find("static shape"),
              std::string::npos);
    EXPECT_NE(error_of([] {
                  make_op("relu").compute_shape({any_float});
              }).find("of known rank was expected for input 0"),
              std::string::npos);
    EXPECT_NE(error_of([] {
                  make_op("concat").compute_shape({shape::sequence(any_float)});
              }).find("a tensor was expected for input 0"),
              std::string::npos);
    EXPECT_FALSE(shape::sequence(any_float).is_fixed());
}

TEST(containers, values_fit) {
    const auto wide = shape{shape::float_type, {shape::dynamic_dimension{0, 5}}};
    const auto value_of = [](std::vector<shape> members) { return shape{members}; };
    const shape three{shape::float_type, {3}}, nine{shape::float_type, {9}};
    EXPECT_TRUE(shape::is_compatible(value_of({}), shape::sequence(wide)));
    EXPECT_TRUE(shape::is_compatible(value_of({three, three, three}), shape::sequence(wide)));
    EXPECT_FALSE(shape::is_compatible(value_of({three, nine}), shape::sequence(wide)));
    EXPECT_TRUE(shape::is_compatible(value_of({three, nine}), shape::sequence(any_float)));
    EXPECT_TRUE(shape::is_compatible(value_of({three}), shape::optional(wide)));
    EXPECT_FALSE(shape::is_compatible(value_of({three, three}), shape::optional(wide)));
    EXPECT_FALSE(shape::is_compatible(three, shape::sequence(wide)));
}

TEST(containers, join) {
    const shape a{shape::float_type, {2, 3}}, b{shape::float_type, {2, 5}},
        v{shape::float_type, {2}};
    const auto none = shape::absent(shape::float_type);
    EXPECT_EQ(joined_shape(a, b), (shape{shape::float_type, {{2, 2}, {3, 5}}}));
    EXPECT_EQ(joined_shape(a, v), any_float);
    EXPECT_EQ(joined_shape(any_float, v), any_float);
    EXPECT_EQ(joined_shape(none, v), v);
    EXPECT_EQ(joined_shape(shape::sequence(none), shape::sequence(a)), shape::sequence(a));
    EXPECT_EQ(joined_shape(shape::optional(a), shape::optional(v)), shape::optional(any_float));
    EXPECT_NE(error_of([&] { joined_shape(a, shape::sequence(a)); }).find("values of one type"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  joined_shape(a, shape{shape::half_type, {2, 3}});
              }).find("values of one type"),
              std::string::npos);
}

} // namespace
