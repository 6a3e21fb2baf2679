// SPDX-License-Identifier: MIT
// Placeholders, packed 4-bit numbers, the caches of attention, and the records of all these
// operators.
#include "ops_support.hpp"

#include "ops/capture.hpp"

#include <migraphx/op/pad.hpp>
#include <migraphx/op/reshape.hpp>
#include <migraphx/op/unknown.hpp>

#include <cmath>

namespace {

using namespace ops_test;
using numbers_t = std::vector<double>;
constexpr auto f32 = shape::float_type;

TEST(ops_placeholders, no_data) {
    EXPECT_EQ(run(make_op("undefined"), {}).data(), nullptr);
    EXPECT_EQ(make_op("undefined").compute_shape({}), shape{});
    const shape s{f32, {2}};
    EXPECT_EQ(run(make_op("outline", {{"shape", migraphx::to_value(s)}}), {}).data(), nullptr);
}

TEST(ops_unknown, keeps_its_name) {
    const operation op = migraphx::op::unknown{"Foo"};
    EXPECT_EQ(op.name(), "unknown:Foo");
    EXPECT_EQ(make_op("unknown:Foo"), op);
    EXPECT_TRUE(migraphx::has_op("unknown:"));
    EXPECT_EQ(op.compute_shape({}), shape{});
    EXPECT_EQ(op.compute_shape({{f32, {2}}, {f32, {3}}}), (shape{f32, {2}}));
    EXPECT_EQ(migraphx::from_value<operation>(migraphx::to_value(op)), op);
    EXPECT_FALSE(message_of([&] { op.compute(shape{f32, {2}}, {count_up(lens_t{2})}); }).empty());
    EXPECT_EQ(migraphx::any_cast<migraphx::op::unknown>(op).op, "Foo");
}

TEST(ops_public_structs, convert_both_ways) {
    migraphx::op::pad p;
    p.pads = {1, 2};
    p.mode = migraphx::op::pad::edge_pad;
    const operation op = p;
    EXPECT_EQ(op, make_op("pad", {{"pads", {1, 2}}, {"mode", 2}}));
    EXPECT_EQ(migraphx::any_cast<migraphx::op::pad>(op).pads, (std::vector<int64_t>{1, 2}));
    const operation r = migraphx::op::reshape{{2, -1}};
    EXPECT_EQ(r, make_op("reshape", {{"dims", {2, -1}}}));
    EXPECT_EQ(migraphx::any_cast<migraphx::op::reshape>(&op), nullptr);
}

TEST(ops_capture, calls_back) {
    std::size_t seen = 0;
    const auto op = migraphx::make_capture(
        7, [&](std::size_t i, const arguments& in) { seen = i + in.size(); });
    const auto x = count_up(lens_t{2});
    EXPECT_EQ(run(op, {x, x}).data(), x.data());
    EXPECT_EQ(seen, 9);
    EXPECT_EQ(op.get<std::size_t>("ins_index"), 7);
    EXPECT_TRUE(contains(message_of([&] { run(make_op("capture"), {x}); }), "function"));
}

TEST(ops_pack_int4, round_trip) {
    const auto x = tensor({shape::int8_type, {2, 4}}, {-8, 7, 100, -100, 0, 1, -1, 3});
    const auto p = run(make_op("pack_int4"), {x});
    EXPECT_EQ(p.get_shape(), (shape{shape::int8_type, {2, 2}}));
    EXPECT_EQ(p.at<int8_t>(0), 0x78);
    EXPECT_EQ(run_values(make_op("unpack_int4"), {p}), (numbers_t{-8, 7, 7, -8, 0, 1, -1, 3}));
    const auto u = tensor({shape::uint8_type, {2, 3}}, {0, 15, 200, 9, 10, 11});
    const auto q = run(make_op("pack_int4", {{"axis", 0}}), {reversed_order(u)});
    EXPECT_EQ(values(q), (numbers_t{0x90, 0xaf, 0xbf}));
    EXPECT_EQ(run_values(make_op("unpack_int4", {{"axis", 0}}), {q}),
              (numbers_t{0, 15, 15, 9, 10, 11}));
    EXPECT_FALSE(infer_error(make_op("pack_int4"), {{shape::int8_type, {3}}}).empty());
    EXPECT_FALSE(infer_error(make_op("pack_int4"), {{shape::int32_type, {2}}}).empty());
}

TEST(ops_pack_fp4, round_trip) {
    const auto x = floats(
        {2, 8}, {0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.25, -0.75, 2.5, 5, 1e9, NAN, -3.4, -INFINITY});
    const numbers_t expected{0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -1, 2, 4, 6, 0, -3, -6};
    for (const auto& in : {x, reversed_order(x), with_gaps(x)}) {
        const auto p = run(make_op("pack_fp4"), {in});
        EXPECT_EQ(p.get_shape().type(), shape::fp4x2_type);
        EXPECT_EQ(p.get_shape().lens(), (lens_t{2, 4}));
        const auto y = run(make_op("unpack_fp4"), {p});
        EXPECT_EQ(y.get_shape().type(), shape::fp8e4m3fn_type);
        EXPECT_EQ(values(y), expected);
    }
    EXPECT_EQ(run_values(make_op("unpack_fp4", {{"axis", 0}}),
                         {run(make_op("pack_fp4", {{"axis", 0}}), {x})}),
              expected);
    EXPECT_FALSE(infer_error(make_op("pack_fp4"), {{f32, {3}}}).empty());
    EXPECT_FALSE(infer_error(make_op("unpack_fp4"), {{f32, {2}}}).empty());
}

TEST(ops_concat_past_present, writes_the_cache) {
    const auto cache = count_up(lens_t{2, 1, 3, 2});
    const auto token = floats({2, 1, 1, 2}, {100, 101, 102, 103});
    const auto op = make_op("concat_past_present", {{"kv_num_heads", 1}});
    const auto y = run(op, {token, ints({2}, {2, 0}), cache});
    EXPECT_EQ(y.data(), cache.data());
    EXPECT_EQ(values(y), (numbers_t{0, 1, 2, 3, 100, 101, 102, 103, 8, 9, 10, 11}));
    const auto prompt = floats({2, 1, 2, 2}, {1, 1, 1, 1, 2, 2, 2, 2});
    EXPECT_EQ(run_values(op, {prompt, ints({2}, {9, 9}), cache}),
              (numbers_t{1, 1, 1, 1, 100, 101, 2, 2, 2, 2, 10, 11}));
    EXPECT_FALSE(message_of([&] { run(op, {token, ints({2}, {3, 0}), cache}); }).empty());
    EXPECT_EQ(op.output_alias(migraphx::to_shapes({token, list({1}), cache})),
              (std::vector<std::size_t>{2}));
}

TEST(ops_gqa_rotary_embedding, rotates) {
    // One head each of query, key and value, 4 wide, of which 2 are rotated by a quarter turn.
    const auto x = floats({1, 3, 1, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    const auto cos = floats({2, 1}, {1, 0}), sin = floats({2, 1}, {0, 1});
    const auto op = make_op("gqa_rotary_embedding");
    EXPECT_EQ(run_values(op, {x, list({1}), cos, sin}),
              (numbers_t{-2, 1, 3, 4, -6, 5, 7, 8, 9, 10, 11, 12}));
    EXPECT_EQ(run_values(op, {x, list({0}), cos, sin}), values(x));
    const auto wide_cos = floats({2, 2}, {1, 1, 0, 0}), wide_sin = floats({2, 2}, {0, 0, 1, 1});
    EXPECT_EQ(run_values(op, {x, list({1}), wide_cos, wide_sin}),
              (numbers_t{-3, -4, 1, 2, -7, -8, 5, 6, 9, 10, 11, 12}));
    EXPECT_EQ(run_values(make_op("gqa_rotary_embedding", {{"interleaved", true}}),
                         {x, list({1}), wide_cos, wide_sin}),
              (numbers_t{-2, 1, -4, 3, -6, 5, -8, 7, 9, 10, 11, 12}));
    EXPECT_FALSE(message_of([&] { run(op, {x, list({2}), cos, sin}); }).empty());
    EXPECT_FALSE(infer_error(make_op("gqa_rotary_embedding", {{"num_heads", 2}}),
                             migraphx::to_shapes({x, list({1}), cos, sin}))
                     .empty());
}

// Names and defaults of the interface: "name attribute=default ...".
TEST(ops_records, names_and_defaults) {
    const std::vector<std::pair<std::string, std::string>> records = {
        {"reshape", "dims={}"},
        {"reshape_lazy", "dims={}"},
        {"squeeze", "axes={}"},
        {"unsqueeze", "axes={},steps={}"},
        {"flatten", "axis=1"},
        {"transpose", "permutation={}"},
        {"slice", "axes={},starts={},ends={}"},
        {"step", "axes={},steps={}"},
        {"broadcast", "axis=0,out_lens={},out_dyn_dims={}"},
        {"multibroadcast", "out_lens={},out_dyn_dims={}"},
        {"broadcast_for_dot", ""},
        {"broadcast_with_dims", ""},
        {"scalar", "scalar_bcst_dims={}"},
        {"contiguous", ""},
        {"dimensions_of", "start=0,end=0"},
        {"concat", "axis=0"},
        {"gather", "axis=0"},
        {"gathernd", "batch_dims=0"},
        {"scatter_none", "axis=0,skip_out_of_bounds=0"},
        {"scatternd_max", ""},
        {"pad", "mode=0,pads={},value=0"},
        {"reverse", "axes={}"},
        {"onehot", "axis=-1,depth=nullopt"},
        {"resize", "scales={},sizes={},nearest_mode=floor,mode=nearest,coordinate_transformation_"
                   "mode=,cubic_coeff_a=-0.75"},
        {"fill", ""},
        {"fixed_pad", ""},
        {"layout", "permutation={}"},
        {"identity", ""},
        {"prefix_scan_sum", "axis=0,exclusive=0,reverse=0"},
        {"dynamic_range", "max_output=2147483647"},
        {"scan_slice", "axis=0,direction=0"},
        {"get_tuple_elem", "index=0"},
        {"allocate", "shape=nullopt,buf_type=nullopt"},
        {"undefined", ""},
        {"unknown:", "op="},
        {"pack_int4", "axis=-1"},
        {"unpack_int4", "axis=-1"},
        {"pack_fp4", "axis=-1"},
        {"unpack_fp4", "axis=-1"},
        {"concat_past_present", "kv_num_heads=0"},
        {"gqa_rotary_embedding", "num_heads=1,kv_num_heads=1,interleaved=0"},
    };
    for (const auto& [name, attributes] : records) {
        ASSERT_TRUE(migraphx::has_op(name)) << name;
        const auto op = make_op(name);
        std::string text;
        for (const auto& f : op.info().fields) {
            EXPECT_FALSE(f.doc.empty()) << name << "." << f.name;
            const auto v = f.get(op.self());
            std::ostringstream s;
            if (v.is_null())
                s << "nullopt";
            else if (v.is_bool())
                s << v.get_bool();
            else
                s << v;
            text += (text.empty() ? "" : ",") + f.name + "=" + s.str();
        }
        EXPECT_EQ(text, attributes) << name;
        EXPECT_FALSE(op.info().summary.empty()) << name;
        EXPECT_EQ(migraphx::from_value<operation>(migraphx::to_value(op)), op) << name;
    }
}

} // namespace
