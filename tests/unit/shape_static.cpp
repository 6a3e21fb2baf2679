// SPDX-License-Identifier: MIT
// Static and tuple shapes: construction, predicates, sizes, index arithmetic, types, text, saved
// form.
#include <gtest/gtest.h>

#include <migraphx/errors.hpp>
#include <migraphx/permutation.hpp>
#include <migraphx/serialize.hpp>
#include <migraphx/shape.hpp>

#include <list>
#include <sstream>

using namespace migraphx;

namespace {

using sizes = std::vector<std::size_t>;

shape of(sizes lens) {
    return {shape::float_type, std::move(lens)};
}
shape of(sizes lens, sizes strides) {
    return {shape::float_type, std::move(lens), std::move(strides)};
}

TEST(shape_static, construction) {
    EXPECT_EQ(shape{}.type(), shape::float_type);
    EXPECT_EQ(shape{}.elements(), 0u);
    EXPECT_EQ(shape{}.ndim(), 0u);
    EXPECT_EQ(shape{}, (shape{shape::float_type, {}}));
    const shape scalar{shape::int64_type};
    EXPECT_EQ(scalar.lens(), sizes{1});
    EXPECT_EQ(scalar.strides(), sizes{0});
    EXPECT_EQ(scalar.elements(), 1u);
    EXPECT_EQ((shape{shape::float_type, {2, 3, 4}}.strides()), (sizes{12, 4, 1}));
    EXPECT_EQ((shape{shape::float_type, std::list<int>{2, 3}}), of({2, 3}));
    EXPECT_EQ((shape{shape::float_type, std::vector<std::int64_t>{2, 3}, std::vector<int>{1, 2}}),
              of({2, 3}, {1, 2}));
    EXPECT_FALSE((shape{shape::float_type, {2, 2}}.dynamic()));
    EXPECT_TRUE((shape{shape::float_type, {{2, 8}, {2, 2}}}.dynamic()));
    EXPECT_TRUE((shape{shape::float_type, {{2, 8}}}.dynamic()));
    shape moved_from = of({2, 3});
    const shape target = std::move(moved_from);
    EXPECT_EQ(target.elements(), 6u);
    EXPECT_EQ(moved_from.elements(), 0u); // NOLINT: a moved-from shape is a default one
}

TEST(shape_static, layout_predicates) {
    struct row {
        shape s;
        bool packed, standard, transposed, broadcasted, scalar;
    };
    const row rows[] = {
        {shape{}, true, true, false, false, false},
        {shape{shape::float_type}, true, true, false, true, true},
        {of({2, 3}), true, true, false, false, false},
        {of({2, 3}, {1, 2}), true, false, true, false, false},
        {of({2, 3}, {4, 1}), false, false, false, false, false},
        {of({2, 3}, {0, 1}), false, false, false, true, false},
        {of({2, 3}, {1, 0}), false, false, false, true, false},
        {of({2, 3}, {0, 0}), false, false, false, true, true},
        {of({2, 2}, {3, 0}), false, false, false, true, false},
        {of({1, 3}, {7, 1}), true, true, false, false, false},
        {of({3, 1}, {1, 5}), true, true, true, false, false},
        {of({1, 3}, {0, 1}), true, true, false, true, false},
        {of({1, 4, 5, 5}, {100, 1, 20, 4}), true, false, true, false, false},
        {of({2, 0, 3}), true, true, false, false, false},
        {of({3, 2, 2}, {3, 3, 2}), false, false, false, false, false},
    };
    for (const row& r : rows) {
        EXPECT_EQ(r.s.packed(), r.packed) << r.s;
        EXPECT_EQ(r.s.standard(), r.standard) << r.s;
        EXPECT_EQ(r.s.transposed(), r.transposed) << r.s;
        EXPECT_EQ(r.s.broadcasted(), r.broadcasted) << r.s;
        EXPECT_EQ(r.s.scalar(), r.scalar) << r.s;
    }
}

TEST(shape_static, sizes) {
    EXPECT_EQ(of({2, 3}, {4, 1}).element_space(), 7u);
    EXPECT_EQ(of({2, 3}, {4, 1}).bytes(), 28u);
    EXPECT_EQ(of({2, 3}, {0, 0}).bytes(), 4u);
    EXPECT_EQ(of({2, 0}).bytes(), 0u);
    EXPECT_EQ((shape{shape::fp4x2_type, {3}}.bytes()), 3u);
    EXPECT_EQ(of({4, 3}, {6, 1}).type_size(), 4u);
    EXPECT_EQ((shape{std::vector<shape>{of({2}), of({3})}}.bytes()), 20u);
    EXPECT_THROW((shape{std::vector<shape>{of({2})}}.type_size()), migraphx::exception);
    EXPECT_EQ(of({2, 3}).min_lens(), (sizes{2, 3}));
    EXPECT_EQ(of({2, 3}).max_lens(), (sizes{2, 3}));
    EXPECT_TRUE(of({2, 3}).is_fixed());
}

TEST(shape_static, hostile_sizes) {
    const std::size_t top = ~std::size_t(0);
    const std::size_t big = std::size_t(1) << 40;
    EXPECT_THROW(of({top}), migraphx::exception);
    EXPECT_THROW(of({top, 2}), migraphx::exception);
    EXPECT_THROW(of({big, big}), migraphx::exception);
    EXPECT_THROW(of({big, big, 0}), migraphx::exception);
    EXPECT_THROW(of({std::size_t(1) << 62}), migraphx::exception);
    EXPECT_THROW(of({2}, {top}), migraphx::exception);
    EXPECT_THROW(of({3, 3}, {top / 2, top / 2}), migraphx::exception);
    EXPECT_THROW(of({big, big}, {0, 0}), migraphx::exception);
    EXPECT_THROW(of({2, 3}, {1}), migraphx::exception);
    EXPECT_THROW(of({2}, {1, 1}), migraphx::exception);
    EXPECT_THROW((shape{shape::float_type, std::vector<int>{-1}}), migraphx::exception);
    EXPECT_NO_THROW((shape{shape::int8_type, {big}}));
    EXPECT_THROW(shape::name(static_cast<shape::type_t>(99)), migraphx::exception);
    try {
        of({2, 3}, {1});
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_NE(std::string(e.what()).find("expected as many strides as lens"),
                  std::string::npos);
    }
}

TEST(shape_static, index_arithmetic) {
    const shape s = of({2, 3, 4}, {3, 1, 6});
    std::size_t number = 0;
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t k = 0; k < 4; ++k, ++number) {
                const sizes multi = {i, j, k};
                const std::size_t offset = i * 3 + j + k * 6;
                EXPECT_EQ(s.index({i, j, k}), offset);
                EXPECT_EQ(s.index(multi), offset);
                EXPECT_EQ(s.index(multi.begin(), multi.end()), offset);
                EXPECT_EQ(s.index(number), offset);
                EXPECT_EQ(s.multi(number), multi);
                EXPECT_EQ((s.multi<3>(number)), (std::array<std::size_t, 3>{i, j, k}));
                EXPECT_EQ(s.single(multi), number);
            }
    EXPECT_TRUE(s.multi_within_bounds({1, 2, 3}));
    EXPECT_FALSE(s.multi_within_bounds({1, 3, 3}));
    EXPECT_FALSE(s.multi_within_bounds({1, 2}));
    EXPECT_THROW(s.index({0, 0, 0, 0}), migraphx::exception);
    EXPECT_THROW(s.single({0}), migraphx::exception);
    EXPECT_EQ(of({0, 3}, {1, 9}).index(std::size_t(2)), 2u);
    EXPECT_EQ(of({2, 2}, {0, 0}).index(std::size_t(3)), 0u);
}

TEST(shape_static, derived) {
    EXPECT_EQ(of({3, 1}, {1, 5}).normalize_standard(), of({3, 1}));
    EXPECT_EQ(of({2, 3}, {1, 2}).normalize_standard(), of({2, 3}, {1, 2}));
    EXPECT_EQ(of({2, 3}, {1, 2}).as_standard(), of({2, 3}));
    EXPECT_EQ(of({2, 3}, {0, 1}).with_type(shape::half_type),
              (shape{shape::half_type, {2, 3}, {0, 1}}));
    const shape nhwc = shape::from_permutation(shape::float_type, {2, 3, 4, 5}, {0, 2, 3, 1});
    EXPECT_EQ(nhwc.strides(), (sizes{60, 1, 15, 3}));
    EXPECT_EQ(nhwc.with_lens({2, 7, 4, 5}),
              shape::from_permutation(shape::float_type, {2, 7, 4, 5}, {0, 2, 3, 1}));
    EXPECT_EQ(nhwc.with_lens(shape::int8_type, {1, 3, 1, 1}).type(), shape::int8_type);
    EXPECT_THROW(nhwc.with_lens({2, 3}), migraphx::exception);
    EXPECT_THROW(shape::from_permutation(shape::float_type, {2, 3}, {0, 0}), migraphx::exception);
    EXPECT_THROW(shape::from_permutation(shape::float_type, {2, 3}, {0}), migraphx::exception);
    EXPECT_EQ(of({2, 3}).to_static(9), of({2, 3}));
    EXPECT_EQ(of({2, 3}).to_dynamic(), (shape{shape::float_type, {{2, 2}, {3, 3}}}));
    EXPECT_TRUE(of({2, 3}, {1, 2}).to_symbolic().symbolic());
    EXPECT_EQ(of({2, 3}, {1, 2}).to_symbolic().to_static(), of({2, 3}, {1, 2}));
}

TEST(shape_static, permutations) {
    using perm = std::vector<std::int64_t>;
    const std::vector<perm> perms = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (const perm& p : perms) {
        EXPECT_EQ(find_permutation(shape::from_permutation(shape::float_type, {2, 3, 4}, p)), p);
        EXPECT_EQ(reorder_dims(reorder_dims(sizes{7, 8, 9}, p), invert_permutation(p)),
                  (sizes{7, 8, 9}));
        EXPECT_TRUE(
            reorder_shape(shape::from_permutation(shape::float_type, {2, 3, 4}, p), p).standard());
    }
    // Axes of one element stay where the layout put them.
    EXPECT_EQ(
        find_permutation(shape::from_permutation(shape::float_type, {1, 1, 4, 4}, {0, 2, 3, 1})),
        (perm{0, 2, 3, 1}));
    EXPECT_EQ(find_permutation(of({3, 1})), (perm{0, 1}));
    EXPECT_EQ(find_permutation(of({2, 3, 4}, {0, 1, 3})), (perm{0, 2, 1}));
    const shape a = of({2, 3}), b = of({2, 3}, {1, 2}), c = of({2, 3}, {0, 1});
    EXPECT_EQ(find_permutation(std::vector<shape>{a, b, b}), (perm{1, 0}));
    EXPECT_EQ(find_permutation(std::vector<shape>{a, b}), (perm{0, 1}));
    EXPECT_EQ(find_permutation(std::vector<shape>{b, c, c}), (perm{1, 0}));
    EXPECT_EQ(normalize_permutation({b, b})[0], of({3, 2}));
    EXPECT_THROW(reorder_dims(sizes{1, 2}, perm{0, 2}), migraphx::exception);
    EXPECT_THROW(invert_permutation({0, -1}), migraphx::exception);
    EXPECT_THROW(find_permutation(std::vector<shape>{}), migraphx::exception);
}

TEST(shape_static, types) {
    EXPECT_EQ(static_cast<int>(shape::bool_type), 0);
    EXPECT_EQ(static_cast<int>(shape::fp8e4m3fnuz_type), 12);
    EXPECT_EQ(static_cast<int>(shape::bf16_type), 15);
    EXPECT_EQ(static_cast<int>(shape::tuple_type), 17);
    EXPECT_EQ(static_cast<int>(shape::fp4x2_type), 18);
    EXPECT_EQ(static_cast<int>(shape::int4_type), 20);
    EXPECT_EQ(static_cast<int>(shape::fp8e8m0_type), 25);
    EXPECT_EQ(shape::types().size(), 17u);
    EXPECT_EQ(shape::get_type<half>{}, shape::half_type);
    EXPECT_EQ(shape::get_type<const std::int8_t>::value, shape::int8_type);
    EXPECT_EQ(shape::name(shape::fp8e5m2fnuz_type), "fp8e5m2fnuz_type");
    EXPECT_EQ(shape::cpp_type(shape::fp8e4m3fn_type), "migraphx::fp8::fp8e4m3fn");
    EXPECT_EQ(shape::cpp_type(shape::uint16_type), "uint16_t");
    for (const auto t : shape::all_types()) {
        EXPECT_EQ(shape::type_of_number(t), t);
        EXPECT_EQ(shape::parse_type(shape::name(t)), t);
        EXPECT_EQ(shape::parse_type(shape::cpp_type(t)), t);
    }
    EXPECT_EQ(shape::parse_type("int8"), shape::int8_type);
    EXPECT_EQ(shape::parse_type("fp8e4m3fn"), shape::fp8e4m3fn_type);
    EXPECT_EQ(shape::parse_type("fp4x2"), shape::fp4x2_type);
    for (const char* s : {"", "floaty", "_type", "int9_t", "2"})
        EXPECT_THROW(shape::parse_type(s), migraphx::exception) << s;
    EXPECT_TRUE(shape::is_integral(shape::bool_type));
    EXPECT_FALSE(shape::is_integral(shape::half_type));
    EXPECT_TRUE(shape::is_unsigned(shape::uint8_type));
    EXPECT_FALSE(shape::is_unsigned(shape::int8_type));
    for (const int n : {-1, 26, 1000})
        EXPECT_THROW(shape::type_of_number(n), migraphx::exception) << n;
    EXPECT_FALSE(shape::is_computable(shape::fp4x2_type));
    EXPECT_FALSE(shape::is_small(shape::fp4x2_type));
    EXPECT_FALSE(shape::is_small(shape::int8_type));
    for (const auto t : {shape::int4_type, shape::uint4_type, shape::int2_type, shape::uint2_type,
                         shape::fp4_type, shape::fp8e8m0_type}) {
        EXPECT_FALSE(shape::is_computable(t));
        EXPECT_TRUE(shape::is_small(t));
        EXPECT_FALSE(shape::is_integral(t));
        EXPECT_EQ((shape{t, {3, 5}}.bytes()), 15u);
    }
    int visited = 0;
    shape::visit_types(
        [&](auto as) { visited += shape::types()[std::size_t(visited)] == as.type_enum(); });
    EXPECT_EQ(visited, 17);
    bool tuple_seen = false;
    shape{std::vector<shape>{}}.visit_type([](auto) {}, [&] { tuple_seen = true; });
    EXPECT_TRUE(tuple_seen);
    EXPECT_THROW((shape{shape::fp4x2_type, {1}}.visit_type([](auto) {})), migraphx::exception);
}

TEST(shape_static, text) {
    EXPECT_EQ((shape{shape::half_type, {5, 7}}.to_string()), "half_type, {5, 7}, {7, 1}");
    EXPECT_EQ(shape{shape::int64_type}.to_string(), "int64_type, {1}, {0}");
    EXPECT_EQ(shape{}.to_string(), "float_type, {}, {}");
    const shape tuple{std::vector<shape>{{shape::half_type, {5}}, {shape::int64_type, {5}}}};
    EXPECT_EQ(tuple.to_string(), "[half_type, {5}, {1}, int64_type, {5}, {1}]");
    EXPECT_EQ(shape::to_sizes_string({of({2, 3}), of({4})}), "2x3, 4");
    std::ostringstream os;
    os << of({2});
    EXPECT_EQ(os.str(), "float_type, {2}, {1}");
}

TEST(shape_static, saved_form) {
    const shape s = of({2, 3}, {1, 2});
    const value v = to_value(s);
    EXPECT_EQ(v.at("type").to<std::string>(), "float_type");
    EXPECT_EQ(v.at("lens").to_vector<int>(), (std::vector<int>{2, 3}));
    EXPECT_EQ(v.at("strides").to_vector<int>(), (std::vector<int>{1, 2}));
    for (const char* key : {"sub_shapes", "dynamic_dimensions", "dyn_strides"})
        EXPECT_TRUE(v.at(key).is_array() && v.at(key).empty()) << key;
    const shape tuple{
        std::vector<shape>{s, shape{}, shape{std::vector<shape>{shape{shape::bool_type}}}}};
    for (const shape& x : {s, shape{}, shape{shape::int8_type}, of({2, 0}), of({2, 3}, {0, 0}),
                           tuple, shape{std::vector<shape>{}}})
        EXPECT_EQ(from_value<shape>(to_value(x)), x) << x;
    EXPECT_EQ(from_value<shape>(value{{"type", "half"}, {"lens", {2, 3}}}),
              (shape{shape::half_type, {2, 3}}));
    EXPECT_THROW(from_value<shape>(value{{"type", "float_type"}, {"lens", {-1}}}),
                 migraphx::exception);
    EXPECT_THROW(from_value<shape>(value{{"type", "nope"}}), migraphx::exception);
    EXPECT_THROW(from_value<shape>(value(3)), migraphx::exception);
    value deep = to_value(s);
    for (int i = 0; i < 200; ++i) {
        value next = value::object{};
        next["type"] = "tuple_type";
        next["sub_shapes"] = value(value::array{deep});
        deep = next;
    }
    EXPECT_THROW(from_value<shape>(deep), migraphx::exception);
    EXPECT_EQ(from_value<shape::type_t>(to_value(shape::half_type)), shape::half_type);
    EXPECT_TRUE(to_value(shape::half_type).is_int64() || to_value(shape::half_type).is_uint64());
}

TEST(shape_static, compatibility) {
    const shape s = of({2, 1, 3});
    EXPECT_TRUE(shape::is_compatible(of({2, 1, 3}, {3, 99, 1}), s));
    EXPECT_FALSE(shape::is_compatible(of({2, 1, 3}, {1, 1, 2}), s));
    EXPECT_TRUE(shape::is_compatible_lens(of({2, 1, 3}, {1, 1, 2}), s));
    EXPECT_FALSE(shape::is_compatible(of({2, 3}), s));
    EXPECT_FALSE(shape::is_compatible(s.with_type(shape::half_type), s));
    EXPECT_TRUE(shape::is_compatible(shape{std::vector<shape>{s}}, shape{std::vector<shape>{s}}));
    EXPECT_FALSE(
        shape::is_compatible(shape{std::vector<shape>{s, s}}, shape{std::vector<shape>{s}}));
    EXPECT_FALSE(shape::is_compatible(s, shape{std::vector<shape>{s}}));
    EXPECT_TRUE(shape::same_lens(of({2, 3}), of({2, 3}, {1, 2})));
    EXPECT_EQ(std::hash<shape>{}(of({2, 3})), std::hash<shape>{}(of({2, 3})));
    EXPECT_NE(of({2, 3}), of({3, 2}));
    EXPECT_NE(of({1, 3}), of({1, 3}, {0, 1}));
}

} // namespace
