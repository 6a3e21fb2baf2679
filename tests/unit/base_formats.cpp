// SPDX-License-Identifier: MIT
// JSON and MessagePack: round trips, exact text, relaxed text, hostile input.
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <migraphx/errors.hpp>
#include <migraphx/json.hpp>
#include <migraphx/msgpack.hpp>
#include <random>

namespace {

using migraphx::convert_to_json;
using migraphx::from_json_string;
using migraphx::from_msgpack;
using migraphx::to_json_string;
using migraphx::to_msgpack;
using migraphx::value;

value sample() {
    return {{"int", -3},
            {"big", std::numeric_limits<std::uint64_t>::max()},
            {"low", std::numeric_limits<std::int64_t>::min()},
            {"float", 0.1},
            {"whole", 2.0},
            {"text", "a\"b\\\n\x01 \xc3\xa9 \xf0\x9f\x98\x80"},
            {"yes", true},
            {"none", nullptr},
            {"empty list", value::array{}},
            {"empty object", value(value::array{}, false)},
            {"list", {1, "x", {2.5, {{"deep", 1}}}}},
            {"bytes", value::binary(std::vector<unsigned char>{0, 127, 255})},
            {"no bytes", value::binary()}};
}

TEST(base_json, text) {
    const value v = {{"b", {1, 2.0, -3}}, {"a", {{"x", true}, {"y", nullptr}}}};
    EXPECT_EQ(to_json_string(v), R"({"a":{"x":true,"y":null},"b":[1,2.0,-3]})");
    EXPECT_EQ(migraphx::to_pretty_json_string(v), R"({
    "a": {
        "x": true,
        "y": null
    },
    "b": [
        1,
        2.0,
        -3
    ]
})");
    EXPECT_EQ(to_json_string(value(value::array{})), "[]");
    EXPECT_EQ(to_json_string(value(value::array{}, false)), "{}");
    EXPECT_EQ(to_json_string(value(value::binary(std::vector<char>{1, -1}))),
              R"({"bytes":[1,255]})");
    EXPECT_EQ(to_json_string(1e20), "1e+20");
    EXPECT_EQ(to_json_string(std::string("a\xff")), "\"a\xef\xbf\xbd\"");
    EXPECT_EQ(to_json_string({std::nan(""), HUGE_VAL, -HUGE_VAL}), R"(["nan","inf","-inf"])");
}

TEST(base_json, round_trip) {
    const auto v = sample();
    EXPECT_EQ(from_json_string(to_json_string(v)), v);
    EXPECT_EQ(from_json_string(migraphx::to_pretty_json_string(v, 2)), v);
    EXPECT_TRUE(from_json_string("2.0").is_float());
    EXPECT_TRUE(from_json_string("2").is_uint64());
    EXPECT_TRUE(from_json_string("-2").is_int64());
    EXPECT_TRUE(from_json_string(R"({"bytes":[1,2]})").is_binary());
    EXPECT_TRUE(from_json_string(R"({"bytes":[1,256]})").is_object());
    EXPECT_EQ(from_json_string(R"({"a":1,"a":2})").at("a").to<int>(), 2);
    EXPECT_EQ(from_json_string(R"({"":1})").size(), 1u);
    std::mt19937_64 rng(3);
    for (int i = 0; i < 2000; ++i) {
        double x = 0;
        const auto bits = rng();
        std::memcpy(&x, &bits, sizeof(x));
        if (not std::isfinite(x))
            continue;
        ASSERT_EQ(from_json_string(to_json_string(x)).get_float(), x);
    }
}

TEST(base_json, refused) {
    for (const char* text : {"", "{", "[1,", "{\"a\":}", "[1] 2", "nope", "\"\xff\"", "{a:1}",
                             "1e999", "[1,]", "\"\\u12\"", "{\"a\" 1}", "\x00"})
        EXPECT_THROW(from_json_string(text), migraphx::exception) << text;
    EXPECT_THROW(from_json_string(std::string(100000, '[')), migraphx::exception);
    std::string deep;
    for (int i = 0; i < 100000; ++i)
        deep += "{\"a\":";
    EXPECT_THROW(from_json_string(deep), migraphx::exception);
    EXPECT_NO_THROW(from_json_string(std::string(512, '[') + std::string(512, ']')));
    EXPECT_THROW(from_json_string(std::string(513, '[') + std::string(513, ']')),
                 migraphx::exception);
    try {
        from_json_string("[1,\n x]");
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_NE(std::string(e.what()).find("line 2, column 2"), std::string::npos) << e.what();
    }
}

TEST(base_json, relaxed) {
    const auto same = [](const char* relaxed, const char* json) {
        EXPECT_EQ(to_json_string(from_json_string(convert_to_json(relaxed))),
                  to_json_string(from_json_string(json)))
            << relaxed << " became " << convert_to_json(relaxed);
    };
    same("{min: 1, max:64, optimals:[1,2]}", R"({"min":1,"max":64,"optimals":[1,2]})");
    same("[{min:1,max:64,optimals:[1,2,4]},3,224,224]",
         R"([{"min":1,"max":64,"optimals":[1,2,4]},3,224,224])");
    same("{a: true, b: null, c: false, d: nan, e: -inf, f: inf}",
         R"({"a":true,"b":null,"c":false,"d":"nan","e":"-inf","f":"inf"})");
    same("{a: 1 # one\n, b: 2 // two\n}", R"({"a":1,"b":2})");
    same("{\"x # y\": \"a // b \\\" c\"}", R"({"x # y":"a // b \" c"})");
    same("{a: 1e5, b: -2.5E-3, c: [1, 2,],}", R"({"a":1e5,"b":-2.5e-3,"c":[1,2]})");
    same("{name: gpu::code_object, t: float_type, p: a.b-c}",
         R"({"name":"gpu::code_object","t":"float_type","p":"a.b-c"})");
    EXPECT_EQ(convert_to_json("\"open"), "\"open");
    EXPECT_EQ(convert_to_json(""), "");
}

TEST(base_msgpack, round_trip) {
    const auto v = sample();
    const auto bytes = to_msgpack(v);
    const auto w = from_msgpack(bytes);
    EXPECT_EQ(w, v);
    EXPECT_EQ(w.begin()->get_key(), "int");
    EXPECT_TRUE(w.at("whole").is_float());
    EXPECT_TRUE(w.at("bytes").is_binary());
    EXPECT_TRUE(w.at("no bytes").is_binary());
    EXPECT_TRUE(w.at("empty list").is_array());
    EXPECT_TRUE(w.at("empty object").is_object());
    std::string parts;
    to_msgpack(v, [&](const char* p, std::size_t n) { parts.append(p, n); });
    EXPECT_EQ(parts, std::string(bytes.begin(), bytes.end()));

    value large = value::array{};
    for (int i = 0; i < 100000; ++i)
        large.push_back({{"i", i}, {"s", std::string(static_cast<std::size_t>(i % 50), 'x')}});
    EXPECT_EQ(from_msgpack(to_msgpack(large)), large);
}

TEST(base_msgpack, binaries) {
    // A binary is an array of chunks.
    EXPECT_EQ(to_msgpack(value(value::binary(std::vector<char>{7, 8}))),
              (std::vector<char>{char(0x91), char(0xc4), 2, 7, 8}));
    // A plain one, two chunks, an array of two binaries.
    EXPECT_TRUE(from_msgpack({char(0xc4), 1, 7}).is_binary());
    const auto joined = from_msgpack({char(0x92), char(0xc4), 1, 7, char(0xc4), 1, 8});
    ASSERT_TRUE(joined.is_binary());
    EXPECT_EQ(joined.get_binary(), value::binary(std::vector<char>{7, 8}));
    const value two = {value::binary(1), value::binary(2)};
    EXPECT_EQ(from_msgpack(to_msgpack(two)), two);

    const auto bytes = std::make_shared<std::vector<char>>(to_msgpack(value(value::binary(1000))));
    const auto shared = from_msgpack(bytes, bytes->data(), bytes->size());
    const auto* data = reinterpret_cast<const char*>(shared.get_binary().data());
    EXPECT_TRUE(data > bytes->data() and data + 1000 <= bytes->data() + bytes->size());
    EXPECT_GT(bytes.use_count(), 1);
}

TEST(base_msgpack, large_binaries_are_aligned) {
    // Every position modulo 64, and headers of both lengths.
    for (std::size_t lead = 0; lead < 130; ++lead)
        for (const std::size_t size : {256u, 65535u, 65536u, 70000u}) {
            const value v = {{"t", std::string(lead, 'x')}, {"b", value::binary(size)}};
            const auto bytes = std::make_shared<std::vector<char>>(to_msgpack(v));
            const auto read = from_msgpack(bytes, bytes->data(), bytes->size());
            EXPECT_EQ(read, v);
            const auto* data = reinterpret_cast<const char*>(read.at("b").get_binary().data());
            ASSERT_EQ((data - bytes->data()) % 64, 0) << lead << ' ' << size;
            ASSERT_LT(bytes->size(), lead + size + 100);
        }
}

TEST(base_msgpack, refused) {
    const auto refuse = [](std::vector<unsigned char> bytes) {
        const auto* p = reinterpret_cast<const char*>(bytes.data());
        EXPECT_THROW(from_msgpack(p, bytes.size()), migraphx::exception);
    };
    refuse({});
    refuse({0xc1});
    refuse({0x01, 0x02});                              // two messages
    refuse({0xdd, 0xff, 0xff, 0xff, 0xff});            // array of 4 Gi items
    refuse({0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 'a'}); // map of 4 Gi items
    refuse({0xdb, 0xff, 0xff, 0xff, 0xff, 'a'});       // text of 4 GiB
    refuse({0xc6, 0xff, 0xff, 0xff, 0xfe, 0});         // bytes of 4 GiB
    refuse({0xd4, 1, 0});                              // extension types
    refuse({0xc7, 1, 1, 0});
    refuse({0x91, 0xd6, 1, 0, 0, 0, 0});
    refuse({0x81, 0x01, 0x02});                       // a number as key
    refuse({0x81, 0x90, 0x02});                       // an array as key
    refuse({0x81, 0xa0, 0x02});                       // an empty key
    refuse({0x92, 0xc4, 1, 7, 1});                    // a chunk, then a number
    refuse(std::vector<unsigned char>(100000, 0x91)); // deep nesting
    const auto bytes = to_msgpack(sample());
    for (std::size_t n = 0; n < bytes.size(); ++n)
        EXPECT_THROW(from_msgpack(bytes.data(), n), migraphx::exception) << n;
}

TEST(base_msgpack, mutated_bytes_give_a_value_or_an_error) {
    const auto good = to_msgpack(sample());
    std::mt19937 rng(11);
    for (int i = 0; i < 20000; ++i) {
        auto bytes = good;
        for (unsigned k = 0; k <= rng() % 3; ++k)
            bytes[rng() % bytes.size()] = static_cast<char>(rng());
        try {
            const auto v = from_msgpack(bytes);
            from_msgpack(to_msgpack(v));
        } catch (const migraphx::exception&) {
        }
    }
}

TEST(base_json, mutated_text_gives_a_value_or_an_error) {
    const auto good = to_json_string(sample());
    std::mt19937 rng(12);
    for (int i = 0; i < 20000; ++i) {
        auto text = good;
        for (unsigned k = 0; k <= rng() % 3; ++k)
            text[rng() % text.size()] =
                static_cast<char>(rng() % 2 == 0 ? rng() : "[]{},:\"0"[rng() % 8]);
        try {
            from_json_string(convert_to_json(text));
        } catch (const migraphx::exception&) {
        }
        try {
            from_json_string(text);
        } catch (const migraphx::exception&) {
        }
    }
}

} // namespace
