// SPDX-License-Identifier: MIT
// Symbolic expressions: canonical forms, bounds, evaluation, text and saved form.
#include <gtest/gtest.h>

#include <migraphx/errors.hpp>
#include <migraphx/serialize.hpp>
#include <migraphx/sym.hpp>

#include <random>
#include <sstream>

using namespace migraphx;
using sym::expr;
using sym::lit;

namespace {

const expr n = sym::var("n", {1, 8}, {2, 4});
const expr m = sym::var("m", {1, 16});
const expr k = sym::var("k", {2, 5});

std::string text(const expr& e) {
    return e.to_string();
}

TEST(shape_sym, canonical_sums_and_products) {
    EXPECT_EQ(n + n, 2 * n);
    EXPECT_EQ(n + m, m + n);
    EXPECT_EQ(n * m, m * n);
    EXPECT_EQ((n + 1) * (m + 1), n * m + n + m + 1);
    EXPECT_EQ((n + m) * (n - m), n * n - m * m);
    EXPECT_EQ(n - n, lit(0));
    EXPECT_EQ(n * 0, lit(0));
    EXPECT_EQ(0 + n * 1, n);
    EXPECT_EQ(3 - (3 - n), n);
    EXPECT_NE(n, m);
    EXPECT_NE(n, sym::var("n", {1, 9}));
    EXPECT_EQ((n + n).hash(), (2 * n).hash());
    expr x = n;
    x += m;
    x *= lit(2);
    EXPECT_EQ(x, 2 * n + 2 * m);
}

TEST(shape_sym, exact_quotients) {
    EXPECT_EQ((n * 2) / 2, n);
    EXPECT_EQ((n * m * 6) / (m * 3), 2 * n);
    EXPECT_EQ((n * m + m) / (n + 1), m);
    EXPECT_EQ((n * n - m * m) / (n + m), n - m);
    EXPECT_EQ((4 * n + 6) / 2, 2 * n + 3);
    EXPECT_EQ(n / n, lit(1));
    EXPECT_EQ(lit(7) / 2, lit(3));
    EXPECT_EQ(lit(-7) / 2, lit(-3));
}

TEST(shape_sym, reduced_quotients) {
    EXPECT_EQ((2 * n + 1) / 2, n);
    EXPECT_EQ((n + 4) / 2, n / 2 + 2);
    EXPECT_EQ((n - 1) / 2 + 1, (n + 1) / 2);
    EXPECT_EQ((4 * n) / 6, (2 * n) / 3);
    EXPECT_EQ(n / 2 / 3, n / 6);
    EXPECT_EQ((n * m) / (n * 3), m / 3);
    // Two convolutions with stride 2 and padding 1: ceil(ceil(n / 2) / 2).
    const expr once = (n + 2 - 3) / 2 + 1;
    EXPECT_EQ((once + 2 - 3) / 2 + 1, (n + 3) / 4);
    EXPECT_EQ(-(n / 2), (-n) / 2);
}

TEST(shape_sym, quotients_agree_with_arithmetic) {
    std::mt19937 random(3);
    auto pick = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    const expr a = sym::var("a", {0, 12});
    const expr b = sym::var("b", {0, 7});
    for (int i = 0; i < 3000; ++i) {
        const int c0 = pick(-4, 6), c1 = pick(-3, 6), c2 = pick(-9, 9), d = pick(1, 6);
        const int e0 = pick(0, 2), e1 = pick(-5, 5), f = pick(1, 5);
        const expr first = (a * c0 + b * c1 + a * b * e0 + c2) / d;
        const expr second = (first + e1) / f;
        const expr third = (a * second + b) / (b + 1);
        for (int x : {0, 1, 5, 12}) {
            for (int y : {0, 1, 4, 7}) {
                const std::unordered_map<expr, std::size_t> at = {{a, std::size_t(x)},
                                                                  {b, std::size_t(y)}};
                const std::int64_t want1 = (x * c0 + y * c1 + x * y * e0 + c2) / d;
                const std::int64_t want2 = (want1 + e1) / f;
                const std::int64_t want3 = (x * want2 + y) / (y + 1);
                ASSERT_EQ(first.eval_int(at), want1) << first << " at " << x << ", " << y;
                ASSERT_EQ(second.eval_int(at), want2) << second << " at " << x << ", " << y;
                ASSERT_EQ(third.eval_int(at), want3) << third << " at " << x << ", " << y;
                for (const auto& [e, want] :
                     {std::pair{first, want1}, {second, want2}, {third, want3}}) {
                    ASSERT_LE(e.eval_interval().min, want) << e;
                    ASSERT_GE(e.eval_interval().max, want) << e;
                }
            }
        }
    }
}

TEST(shape_sym, random_expressions_read_back) {
    std::mt19937 random(5);
    auto pick = [&](int high) { return std::uniform_int_distribution<int>(0, high)(random); };
    std::vector<expr> pool = {n, m, k, lit(3), lit(-2), lit(1)};
    for (int i = 0; i < 2000; ++i) {
        const expr& x = pool[std::size_t(pick(int(pool.size()) - 1))];
        const expr& y = pool[std::size_t(pick(int(pool.size()) - 1))];
        if (text(x).size() + text(y).size() > 120)
            continue;
        const int op = pick(3);
        if (op == 3 && y == lit(0))
            continue;
        const expr e = op == 0 ? x + y : op == 1 ? x - y : op == 2 ? x * y : x / y;
        ASSERT_EQ(sym::parse(e.to_declaration()), e) << e.to_declaration();
        ASSERT_EQ(from_value<expr>(to_value(e)), e) << e;
        if (pool.size() < 60)
            pool.push_back(e);
        else
            pool[std::size_t(6 + pick(53))] = e;
    }
}

TEST(shape_sym, text) {
    EXPECT_EQ(text(n), "n");
    EXPECT_EQ(text(2 * n + 1), "2*n + 1");
    EXPECT_EQ(text(n - m), "-m + n");
    EXPECT_EQ(text(n * n * m * 3 - 4), "3*m*n*n - 4");
    EXPECT_EQ(text((n + 1) / 2), "(n + 1)/2");
    EXPECT_EQ(text(2 * (n / 3)), "2*(n/3)");
    EXPECT_EQ(text(-n), "-n");
    EXPECT_EQ(text(m / (n * 2 + 1)), "m/(2*n + 1)");
    EXPECT_EQ((2 * n).to_declaration(), "2*n[1..8]{2, 4}");
    EXPECT_EQ(sym::parse("n[1..8]{2, 4} * (m[1..16] - 1) / 2"), n * (m - 1) / 2);
    EXPECT_EQ(sym::parse("n[1..8]{2,4} + n"), 2 * n);
    const expr odd = sym::var("batch size's", {1, 4});
    EXPECT_EQ(sym::parse((odd * 2).to_declaration()), odd * 2);
    EXPECT_EQ(sym::parse("-3"), lit(-3));
    EXPECT_EQ(sym::parse("-9223372036854775807 - 1"), lit(-9223372036854775807) - 1);
    std::ostringstream os;
    os << n + 1;
    EXPECT_EQ(os.str(), "n + 1");
}

TEST(shape_sym, bad_text) {
    for (const char* s : {"", "n +", "(n", "n[1..", "n[3..1]", "2n", "n m", "9223372036854775808",
                          "n/0", "'n", "n[1..2]{", "*"})
        EXPECT_THROW(sym::parse(s), migraphx::exception) << s;
    EXPECT_THROW(sym::parse(std::string(100000, '(')), migraphx::exception);
    EXPECT_THROW(sym::parse(std::string(100000, '-')), migraphx::exception);
}

TEST(shape_sym, evaluation) {
    EXPECT_EQ((n * m + 1).eval_uint({{n, 3}, {m, 4}}), 13u);
    EXPECT_EQ(sym::var("x", {4, 4}).eval_uint(), 4u);
    EXPECT_THROW((n + 1).eval_uint(), migraphx::exception);
    EXPECT_THROW((n - 5).eval_uint({{n, 3}}), migraphx::exception);
    EXPECT_EQ((n - 5).eval_int({{n, 3}}), -2);
    EXPECT_THROW((lit(1) / (n - 3)).eval_uint({{n, 3}}), migraphx::exception);
    EXPECT_THROW(n.eval_uint({{n, ~std::size_t(0)}}), migraphx::exception);
    EXPECT_EQ((n * 2 + m).subs({{n, m}}), 3 * m);
    EXPECT_EQ(((n + 1) / 2).subs({{n, lit(6)}}), lit(3));
    EXPECT_EQ((n * m).subs({{n, m}, {m, n}}), n * m);
    EXPECT_EQ((n * 2 + 1).eval_interval(), sym::interval(3, 17));
    EXPECT_EQ((n - m).eval_interval(), sym::interval(-15, 7));
    EXPECT_EQ((m / k).eval_interval(), sym::interval(0, 8));
    EXPECT_EQ((n * 3).eval_optimals(), (std::set<std::size_t>{6, 12}));
    EXPECT_TRUE((n * m).eval_optimals().empty());
    EXPECT_TRUE(lit(3).eval_optimals().empty());
    EXPECT_EQ((n * m - 2).variables(), (std::set<expr>{n, m}));
}

TEST(shape_sym, order) {
    EXPECT_LT(lit(1), lit(2));
    EXPECT_LT(n, n + 1);
    EXPECT_LT(n, 2 * n);
    EXPECT_GT(n * m, m);
    EXPECT_LT(expr{}, n);
    EXPECT_FALSE(n < n);
    EXPECT_NE(n < m, m < n);
    EXPECT_EQ(expr{}, expr{});
    EXPECT_NE(expr{}, lit(0));
    EXPECT_TRUE(expr{}.empty());
}

TEST(shape_sym, misuse) {
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    EXPECT_THROW(lit(huge) + 1, migraphx::exception);
    EXPECT_THROW(lit(huge) * 2, migraphx::exception);
    EXPECT_THROW(n * huge * 2, migraphx::exception);
    EXPECT_THROW(n / 0, migraphx::exception);
    EXPECT_THROW(expr{} + n, migraphx::exception);
    EXPECT_THROW(expr{}.eval_uint(), migraphx::exception);
    EXPECT_THROW(sym::var("", {0, 1}), migraphx::exception);
    EXPECT_THROW(sym::var("x", {2, 1}), migraphx::exception);
    EXPECT_THROW(lit(std::numeric_limits<std::int64_t>::min()) / -1, migraphx::exception);
    // Growth stops with an error, not with the memory.
    auto grow_sums = [] {
        expr product = lit(1);
        for (int i = 0; i < 40; ++i)
            product = product * (sym::var("v" + std::to_string(i), {1, 2}) + 1);
    };
    auto grow_quotients = [] {
        expr e = n;
        for (int i = 0; i < 100; ++i)
            e = (e * e + e + m) / 3;
    };
    auto nest = [] {
        expr e = n;
        for (int i = 0; i < 100000; ++i)
            e = (m + 1) / (e + 1);
    };
    EXPECT_THROW(grow_sums(), migraphx::exception);
    EXPECT_THROW(grow_quotients(), migraphx::exception);
    EXPECT_THROW(nest(), migraphx::exception);
}

TEST(shape_sym, saved_form) {
    const value sum = to_value(2 * n + 1);
    EXPECT_EQ(sum.at("type").to<std::string>(), "add");
    EXPECT_EQ(sum.at("constant").to<int>(), 1);
    EXPECT_EQ(sum.at("terms").at(0).at("coeff").to<int>(), 2);
    EXPECT_EQ(sum.at("terms").at(0).at("expr").at("name").to<std::string>(), "n");
    EXPECT_EQ(to_value(n * m).at("type").to<std::string>(), "mul");
    EXPECT_EQ(to_value(n / 3).at("type").to<std::string>(), "tdiv");
    EXPECT_EQ(to_value(lit(3)).at("value").to<int>(), 3);
    EXPECT_EQ(to_value(n).at("optimals").to_vector<int>(), (std::vector<int>{2, 4}));
    EXPECT_FALSE(to_value(m).contains("optimals"));
    EXPECT_TRUE(to_value(expr{}).is_null());
    EXPECT_TRUE(from_value<expr>(value{}).empty());
    value deep = to_value(n);
    for (int i = 0; i < 300; ++i) {
        value next = value::object{};
        next["type"] = "tdiv";
        next["num"] = deep;
        next["den"] = to_value(m);
        deep = next;
    }
    EXPECT_THROW(from_value<expr>(deep), migraphx::exception);
    EXPECT_THROW(from_value<expr>(value{{"type", "pow"}}), migraphx::exception);
    EXPECT_THROW(from_value<expr>(value{{"type", "int"}}), migraphx::exception);
}

} // namespace
