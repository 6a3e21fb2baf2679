// SPDX-License-Identifier: MIT
// value: construction, keys, lookup, conversion, order, to_value and from_value.
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <migraphx/half.hpp>
#include <migraphx/serialize.hpp>
#include <migraphx/value.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>

namespace {

using migraphx::from_value;
using migraphx::to_value;
using migraphx::value;

enum class colour { red, green };
enum plain { zero, one };

TEST(base_value, kinds_of_scalars) {
    EXPECT_TRUE(value().is_null());
    EXPECT_TRUE(value(nullptr).is_null());
    EXPECT_EQ(value(1).get_int64(), 1);
    EXPECT_TRUE(value(1).is_int64());
    EXPECT_TRUE(value(std::int8_t{1}).is_int64());
    EXPECT_TRUE(value(1LL).is_int64());
    EXPECT_TRUE(value(1u).is_uint64());
    EXPECT_TRUE(value(std::size_t{1}).is_uint64());
    EXPECT_TRUE(value(1.5f).is_float());
    EXPECT_TRUE(value(migraphx::half(1.5f)).is_float());
    EXPECT_TRUE(value(true).is_bool());
    EXPECT_TRUE(value("a").is_string());
    EXPECT_TRUE(value(std::string("a")).is_string());
    EXPECT_TRUE(value(std::string_view("a")).is_string());
    EXPECT_EQ(value(colour::green).get_int64(), 1);
    EXPECT_EQ(value(one).to<int>(), 1);
    EXPECT_TRUE(value(value::binary(3)).is_binary());
    EXPECT_EQ(sizeof(value), 24u);
}

TEST(base_value, lists) {
    const value v = {{"axes", {0, 1}}, {"axis", {0}}, {"mode", colour::green}, {"name", "x"}};
    ASSERT_TRUE(v.is_object());
    EXPECT_EQ(v.size(), 4u);
    EXPECT_TRUE(v.at("axes").is_array());
    EXPECT_EQ(v.at("axes").to_vector<int>(), (std::vector<int>{0, 1}));
    EXPECT_EQ(v.at("axis").to_vector<std::size_t>(), (std::vector<std::size_t>{0}));
    EXPECT_EQ(v.at("mode").to<colour>(), colour::green);
    EXPECT_EQ(v.at("name").to<std::string>(), "x");
    EXPECT_EQ(v.begin()->get_key(), "axes");

    const value list = {1, 2.5, "a", {3, 4}};
    ASSERT_TRUE(list.is_array());
    EXPECT_EQ(list.size(), 4u);
    EXPECT_EQ(list[3][1].to<int>(), 4);

    const value pair = {"a", 1};
    EXPECT_EQ(pair.get_key(), "a");
    EXPECT_EQ(pair.get_int64(), 1);
    EXPECT_TRUE(pair.without_key().get_key().empty());
    const value object = {{"a", 1}};
    EXPECT_TRUE(object.is_object());
}

TEST(base_value, a_pair_of_texts_as_an_attribute_is_an_array) {
    const value v = {{"names", {"a", "b"}}, {"mixed", {"a", 3}}};
    EXPECT_EQ(v.at("names").to_vector<std::string>(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(v.at("mixed").size(), 2u);
    value w;
    w["names"] = {"a", "b"};
    EXPECT_EQ(w.at("names").to_vector<std::string>(), (std::vector<std::string>{"a", "b"}));
    const value objects = {{"x", {{"a", "b"}, {"c", "d"}}}};
    EXPECT_EQ(objects.at("x").at("c").get_string(), "d");
}

TEST(base_value, ranges) {
    EXPECT_EQ(value(std::vector<std::size_t>{1, 2}), value({1, 2}));
    EXPECT_EQ(value(std::set<int>{2, 1}), value({1, 2}));
    EXPECT_EQ(value(std::vector<std::string>{"a", "b", "c"}), value({"a", "b", "c"}));
    EXPECT_EQ(value(std::vector<bool>{true, false}), value({true, false}));
    EXPECT_TRUE(value(std::vector<int>{}).is_array());
    EXPECT_EQ(value(std::vector<std::vector<int>>{{1}, {2, 3}})[1][1].to<int>(), 3);
    const value map = std::map<std::string, int>{{"a", 1}, {"b", 2}};
    ASSERT_TRUE(map.is_object());
    EXPECT_EQ(map.at("b").to<int>(), 2);
    const value hashed = std::unordered_map<std::string, value>{{"a", 1}};
    EXPECT_TRUE(hashed.is_object());
    EXPECT_EQ(value(std::make_pair("k", 3)).get_key(), "k");
}

TEST(base_value, objects_keep_order_and_keys_are_unique) {
    value v;
    for (int i = 0; i < 100; ++i)
        v["k" + std::to_string(99 - i)] = i;
    ASSERT_EQ(v.size(), 100u);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(v.begin()[i].get_key(), "k" + std::to_string(99 - i));
        EXPECT_EQ(v.at("k" + std::to_string(99 - i)).to<int>(), i);
    }
    EXPECT_FALSE(v.contains("k100"));
    EXPECT_EQ(v.find("none"), v.end());
    const auto copy = v;
    v["k5"] = "changed";
    EXPECT_EQ(copy.at("k5").to<int>(), 94);
    EXPECT_FALSE(v.insert({"k5", 1}).second);
    EXPECT_EQ(v.at("k5").get_string(), "changed");
    EXPECT_TRUE(v.emplace("fresh", 1).second);

    const value twice = {{"a", 1}, {"b", 2}, {"a", 3}};
    EXPECT_EQ(twice.size(), 2u);
    EXPECT_EQ(twice.at("a").to<int>(), 3);
}

TEST(base_value, items_keep_their_key_when_assigned) {
    value v = {{"a", 1}, {"b", 2}};
    const value w = {{"c", 3}};
    v["a"] = w.at("c");
    v.at("b") = value("other", 4);
    EXPECT_EQ(v.begin()[0].get_key(), "a");
    EXPECT_EQ(v.at("a").to<int>(), 3);
    EXPECT_EQ(v.at("b").to<int>(), 4);
    value keyed("k", 1);
    keyed = 7;
    EXPECT_EQ(keyed.get_key(), "k");
    value other("m", 2);
    std::swap(keyed, other);
    EXPECT_EQ(keyed.get_key(), "m");
    EXPECT_EQ(other.to<int>(), 7);
    EXPECT_EQ(value(w).at("c").with_key("d").get_key(), "d");
}

TEST(base_value, arrays_change) {
    value v;
    v.push_back(1);
    v.push_back(3);
    v.insert(v.begin() + 1, 2);
    EXPECT_EQ(v, value({1, 2, 3}));
    v.push_back(v[0]);
    v.resize(5, 9);
    EXPECT_EQ(v, value({1, 2, 3, 1, 9}));
    v.clear();
    EXPECT_TRUE(v.empty() and v.is_array());
    EXPECT_THROW(v.at(0), migraphx::exception);
    EXPECT_THROW(v.at("k"), migraphx::exception);
    EXPECT_THROW(v.front(), migraphx::exception);
    value o = {{"a", 1}, {"c", 3}};
    o.insert(o.begin() + 1, value("b", 2));
    EXPECT_EQ(o.begin()[1].get_key(), "b");
    EXPECT_EQ(o.at("c").to<int>(), 3);
    EXPECT_THROW(o.push_back(1), migraphx::exception);
    value null = nullptr;
    EXPECT_EQ(null.begin(), null.end());
    value self = {1, 2};
    self = self[1];
    EXPECT_EQ(self, value(2));
}

TEST(base_value, conversions) {
    EXPECT_EQ(value(3.7).to<int>(), 3);
    EXPECT_EQ(value(-3).to<float>(), -3.0f);
    EXPECT_EQ(value("3").to<int>(), 3);
    EXPECT_EQ(value("2.5").to<double>(), 2.5);
    EXPECT_TRUE(std::isnan(value("nan").to<float>()));
    EXPECT_EQ(value("-inf").to<float>(), -std::numeric_limits<float>::infinity());
    EXPECT_EQ(value(3).to<std::string>(), "3");
    EXPECT_EQ(value(0.1).to<std::string>(), "0.1");
    EXPECT_EQ(value(true).to<int>(), 1);
    EXPECT_TRUE(value(2).to<bool>());
    EXPECT_TRUE(value("true").to<bool>());
    EXPECT_FALSE(value("0").to<bool>());
    EXPECT_EQ(value(1.5).to<migraphx::half>(), migraphx::half(1.5f));
    EXPECT_EQ(value(~std::uint64_t{0}).to<std::int64_t>(), -1);
    EXPECT_EQ(value(std::numeric_limits<std::int64_t>::min()).to<std::int64_t>(),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(value(3u).get_int64(), 3);
    EXPECT_EQ(value(3).get_uint64(), 3u);

    EXPECT_THROW(value("x").to<int>(), migraphx::exception);
    EXPECT_THROW(value("").to<int>(), migraphx::exception);
    EXPECT_THROW(value(-1).to<std::size_t>(), migraphx::exception);
    EXPECT_THROW(value(300).to<std::uint8_t>(), migraphx::exception);
    EXPECT_THROW(value(1e30).to<std::int64_t>(), migraphx::exception);
    EXPECT_THROW(value(0x1p63).to<std::int64_t>(), migraphx::exception);
    EXPECT_THROW(value(std::nan("")).to<int>(), migraphx::exception);
    EXPECT_THROW(value().to<int>(), migraphx::exception);
    EXPECT_THROW(value({1, 2, 3}).to<int>(), migraphx::exception);
    EXPECT_THROW(value(1).get_string(), migraphx::exception);
    EXPECT_THROW(value(-1).get_uint64(), migraphx::exception);
    EXPECT_THROW(value(1).to_vector<int>(), migraphx::exception);
}

TEST(base_value, message_names_key_and_kind) {
    const value v = {{"axis", "two"}};
    try {
        v.at("axis").to<std::int64_t>();
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_STREQ(e.what(), "axis: expected an integer, got string \"axis: two\"");
    }
}

TEST(base_value, defaults) {
    const value v = {{"a", 1}, {"l", {1, 2}}, {"s", "x"}};
    EXPECT_EQ(v.get("a", 5), 1);
    EXPECT_EQ(v.get("z", 5), 5);
    EXPECT_EQ(v.get("s", "d"), "x");
    EXPECT_EQ(v.get("z", "d"), std::string("d"));
    EXPECT_EQ(v.get("l", {7}), (std::vector<int>{1, 2}));
    EXPECT_EQ(v.get("z", {7}), (std::vector<int>{7}));
    EXPECT_EQ(v.get("l", std::vector<std::size_t>{}), (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(value().value_or(3), 3);
    EXPECT_EQ(value(4).value_or(3), 4);
}

TEST(base_value, order_and_hash) {
    EXPECT_EQ(value(1), value(1u));
    EXPECT_EQ(value(1), value(1.0));
    EXPECT_EQ(value(1).hash(), value(1.0).hash());
    EXPECT_NE(value(1), value("1"));
    EXPECT_NE(value(1), value(true));
    EXPECT_NE(value(1), value("k", 1));
    EXPECT_LT(value(-1), value(std::uint64_t{0}));
    EXPECT_LT(value((std::int64_t{1} << 53) + 1), value(0x1p53 + 2));
    EXPECT_GT(value((std::int64_t{1} << 53) + 1), value(0x1p53));
    EXPECT_LT(value(1.5), value(2u));
    EXPECT_GT(value(~std::uint64_t{0}), value(std::numeric_limits<std::int64_t>::max()));
    EXPECT_EQ(value(std::nan("")), value(std::nan("")));
    EXPECT_LT(value({1, 2}), value({1, 3}));
    EXPECT_LT(value({1, 2}), value({1, 2, 0}));
    const value a = {{"x", 1}, {"y", 2}};
    const value b = {{"y", 2}, {"x", 1}};
    EXPECT_EQ(a, b);
    EXPECT_EQ(a.hash(), b.hash());
    EXPECT_NE(a, value({{"x", 1}, {"y", 3}}));
    const std::set<value> sorted{3, "a", nullptr, 2.5, true, {1}, {{"k", 1}}};
    EXPECT_EQ(sorted.size(), 7u);
}

TEST(base_value, text) {
    std::ostringstream os;
    os << value({{"a", {1, 2.5}}, {"b", "t"}, {"c", nullptr}});
    EXPECT_EQ(os.str(), "{a: {1, 2.5}, b: t, c: null}");
}

TEST(base_value, visit) {
    std::string seen;
    value("k", 3).visit([&](const auto& x) {
        using type = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<type, std::pair<std::string, const std::int64_t&>>)
            seen = x.first + std::to_string(x.second);
    });
    EXPECT_EQ(seen, "k3");
    value(2.5).visit([&](const auto& x) {
        if constexpr (std::is_same_v<std::decay_t<decltype(x)>, double>)
            seen = "double";
    });
    EXPECT_EQ(seen, "double");
    const value v = 3;
    EXPECT_NE(v.if_int64(), nullptr);
    EXPECT_EQ(v.if_string(), nullptr);
}

TEST(base_value, binary_shares_until_written) {
    value::binary a(std::vector<char>{1, 2, 3});
    const value v = a;
    EXPECT_EQ(v.get_binary().data(), std::as_const(a).data());
    a[0] = 9;
    EXPECT_EQ(v.get_binary()[0], 1);
    EXPECT_EQ(a[0], 9);
    auto memory = std::make_shared<std::vector<char>>(4, 'x');
    const value::binary view(memory, memory->data(), memory->size());
    const value holder = view;
    EXPECT_EQ(static_cast<const void*>(holder.get_binary().data()), memory->data());
    value::binary changed = view;
    changed.resize(6);
    EXPECT_EQ(changed.size(), 6u);
    EXPECT_EQ(changed[3], 'x');
    EXPECT_EQ(changed[5], 0);
    EXPECT_LT(view, changed);
}

struct inner {
    std::string name = "n";
    std::optional<int> maybe;

    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return migraphx::pack(f(self.name, "name"), f(self.maybe, "maybe"));
    }
};

struct outer {
    std::vector<std::size_t> lens = {1, 2};
    colour c = colour::green;
    float x = 0.5f;
    std::vector<inner> list = {inner{}};
    std::map<std::string, int> m = {{"k", 1}};
    std::array<int, 2> two = {3, 4};
    std::tuple<int, std::string> t{1, "s"};
    std::map<int, std::string> by_number = {{1, "one"}};

    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return migraphx::pack(f(self.lens, "lens"), f(self.c, "c"), f(self.x, "x"),
                              f(self.list, "list"), f(self.m, "m"), f(self.two, "two"),
                              f(self.t, "t"), f(self.by_number, "by_number"));
    }
};

TEST(base_value, reflected_types) {
    outer a;
    a.lens = {5, 6, 7};
    a.list[0].maybe = 3;
    const auto v = to_value(a);
    EXPECT_EQ(v.begin()->get_key(), "lens");
    EXPECT_EQ(v.at("c").to<int>(), 1);
    EXPECT_EQ(v.at("list")[0].at("maybe").to<int>(), 3);
    EXPECT_EQ(v.at("m").at("k").to<int>(), 1);
    const auto b = from_value<outer>(v);
    EXPECT_EQ(to_value(b), v);
    EXPECT_EQ(b.by_number.at(1), "one");

    const auto partial = from_value<outer>({{"x", "2.5"}, {"lens", 4}});
    EXPECT_EQ(partial.x, 2.5f);
    EXPECT_EQ(partial.lens, (std::vector<std::size_t>{4}));
    EXPECT_EQ(partial.c, colour::green);
    EXPECT_EQ(from_value<inner>({{"maybe", nullptr}}).maybe, std::nullopt);
    EXPECT_THROW(from_value<outer>({{"two", {1, 2, 3}}}), migraphx::exception);
    try {
        from_value<outer>({{"lens", {1, "x"}}});
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_STREQ(e.what(), "value: expected an integer, got string \"x\"\n  in field lens");
    }
    EXPECT_THROW(from_value<outer>(value(3)), migraphx::exception);
}

TEST(base_value, to_and_from_plain_types) {
    EXPECT_EQ(from_value<std::vector<bool>>(to_value(std::vector<bool>{true, false})),
              (std::vector<bool>{true, false}));
    EXPECT_TRUE(to_value(std::optional<int>{}).is_null());
    EXPECT_EQ(to_value(std::make_tuple(1, "a")), value({1, "a"}));
    EXPECT_EQ(from_value<std::string>(value(3)), "3");
    EXPECT_EQ((from_value<std::pair<int, std::string>>({1, "x"}).second), "x");
    EXPECT_EQ(from_value<std::set<int>>({3, 1, 3}), (std::set<int>{1, 3}));
    EXPECT_TRUE(from_value<std::vector<int>>(value()).empty());
    EXPECT_EQ(to_value("text").get_string(), "text");
}

} // namespace
