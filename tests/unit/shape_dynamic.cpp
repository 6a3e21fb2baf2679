// SPDX-License-Identifier: MIT
// Dynamic dimensions, range-dynamic and symbolic shapes.
#include <gtest/gtest.h>

#include <migraphx/errors.hpp>
#include <migraphx/permutation.hpp>
#include <migraphx/serialize.hpp>
#include <migraphx/shape.hpp>

#include <sstream>

using namespace migraphx;
using dim = shape::dynamic_dimension;
using sym::lit;

namespace {

using sizes = std::vector<std::size_t>;
const sym::expr n = sym::var("n", {1, 8}, {2, 4});
const sym::expr m = sym::var("m", {1, 16});

std::string text(const dim& d) {
    std::ostringstream os;
    os << d;
    return os.str();
}

TEST(shape_dynamic, dimension_basics) {
    const dim none;
    EXPECT_TRUE(none.is_fixed());
    EXPECT_EQ(none.get_interval().min, 0u);
    const dim d{1, 8, {2, 4}};
    EXPECT_FALSE(d.is_fixed());
    EXPECT_TRUE(d.has_optimal());
    EXPECT_EQ(d.get_optimals(), (std::set<std::size_t>{2, 4}));
    EXPECT_FALSE((dim{4, 4, {4}}.has_optimal()));
    EXPECT_EQ((dim{1, 8, 4}.get_optimals()), std::set<std::size_t>{4});
    EXPECT_TRUE((dim{1, 8, 0}.get_optimals().empty()));
    EXPECT_EQ((dim{4, 4}), 4u);
    EXPECT_NE((dim{1, 4}), 4u);
    EXPECT_NE((dim{1, 8}), d);
    EXPECT_THROW((dim{3, 2}), migraphx::exception);
    EXPECT_THROW(dim{sym::expr{}}, migraphx::exception);
    const dim s{n};
    EXPECT_TRUE(s.is_symbolic());
    EXPECT_EQ(s.get_interval(), (dim::interval{1, 8}));
    EXPECT_EQ(s.get_optimals(), (std::set<std::size_t>{2, 4}));
    EXPECT_FALSE(s.range.has_value());
    EXPECT_TRUE(d.range.has_value() && d.sym_expr.empty());
    EXPECT_EQ((dim{5, 5}), dim{lit(5)});
    EXPECT_NE(dim{n}, (dim{1, 8, {2, 4}}));
    EXPECT_EQ(text(dim{1, 4}), "[1..4]");
    EXPECT_EQ(text(dim{4, 4}), "4");
    EXPECT_EQ(text(dim{n * 2}), "2*n[2..16]");
    EXPECT_EQ(text(dim{lit(3)}), "3");
}

TEST(shape_dynamic, dimension_arithmetic) {
    const dim d{1, 8, {2, 4}};
    EXPECT_EQ(d + 2, (dim{3, 10, {4, 6}}));
    EXPECT_EQ(2 + d, d + 2);
    EXPECT_EQ(d - 3, (dim{0, 5, {0, 1}}));
    EXPECT_EQ(d * 2, (dim{2, 16, {4, 8}}));
    EXPECT_EQ(d / 2, (dim{0, 4, {1, 2}}));
    EXPECT_EQ(d + d, (dim{2, 16}));
    EXPECT_EQ((dim{4, 9}) - (dim{1, 2}), (dim{2, 8}));
    EXPECT_EQ((dim{4, 9}) / (dim{2, 3}), (dim{1, 4}));
    const std::size_t top = ~std::size_t(0);
    EXPECT_EQ((dim{1, top}) + 1, (dim{2, top}));
    EXPECT_EQ((dim{2, top / 2}) * 4, (dim{8, top}));
    EXPECT_EQ((dim{4, 8}) / 0, top);
    dim e = d;
    e += 1;
    e *= 2;
    e -= 2;
    e /= 2;
    EXPECT_EQ(e, d);
    EXPECT_EQ(dim{n} + 1, dim{n + 1});
    EXPECT_EQ(dim{n} * dim{m}, dim{n * m});
    EXPECT_EQ((dim{2, 2}) * dim{n}, dim{n * 2});
    EXPECT_EQ(dim{n} + (dim{1, 2}), (dim{2, 10}));
    EXPECT_EQ((dim{n} / 0).get_interval().max, top);
}

TEST(shape_dynamic, dimension_intersection) {
    EXPECT_EQ((dim{1, 8, {2, 4}}.intersection({2, 10})), (dim{2, 8, {2, 4}}));
    EXPECT_EQ((dim{1, 8, {2, 4}}.intersection({3, 10, {4, 5}})), (dim{3, 8, {4}}));
    EXPECT_EQ((dim{1, 3}.intersection({4, 10})), std::nullopt);
    EXPECT_EQ(dim{n}.intersection(dim{n}), dim{n});
    EXPECT_EQ(dim{n}.intersection(dim{m}), std::nullopt);
    EXPECT_EQ(dim{m}.intersection({2, 4}), (dim{2, 4}));
}

TEST(shape_dynamic, range_shapes) {
    const shape s{shape::half_type, {{1, 8, {2, 4}}, {5, 5}, {7, 7}}};
    EXPECT_TRUE(s.dynamic());
    EXPECT_FALSE(s.symbolic());
    EXPECT_EQ(s.to_string(), "dynamic, half_type, {[1..8], 5, 7}");
    EXPECT_EQ(s.ndim(), 3u);
    EXPECT_EQ(s.min_lens(), (sizes{1, 5, 7}));
    EXPECT_EQ(s.max_lens(), (sizes{8, 5, 7}));
    EXPECT_EQ(s.opt_lens()[0], (std::set<std::size_t>{2, 4}));
    EXPECT_EQ(s.element_space(), 280u);
    EXPECT_EQ(s.bytes(), 560u);
    EXPECT_FALSE(s.packed() || s.standard() || s.transposed() || s.broadcasted() || s.scalar());
    EXPECT_THROW(s.lens(), migraphx::exception);
    EXPECT_THROW(s.strides(), migraphx::exception);
    EXPECT_THROW(s.elements(), migraphx::exception);
    EXPECT_THROW(s.index({0, 0, 0}), migraphx::exception);
    EXPECT_THROW(s.index(std::size_t(0)), migraphx::exception);
    EXPECT_THROW(s.multi(0), migraphx::exception);
    EXPECT_THROW(s.to_static(), migraphx::exception);
    EXPECT_THROW(s.to_symbolic(), migraphx::exception);
    EXPECT_THROW(s.sym_elements(), migraphx::exception);
    EXPECT_EQ(s.to_static(3), (shape{shape::half_type, {3, 5, 7}}));
    EXPECT_EQ(s, (shape{shape::half_type, {1, 5, 7}, {8, 5, 7}, {{2, 4}, {}, {}}}));
    EXPECT_THROW((shape{shape::half_type, {1, 5}, {8}, {{}, {}}}), migraphx::exception);
    EXPECT_THROW((shape{shape::half_type, {9}, {8}, {{}}}), migraphx::exception);
    EXPECT_EQ(s.with_lens({1, 2, 3}), (shape{shape::half_type, {1, 2, 3}}));
    EXPECT_EQ(s.with_type(shape::int8_type).bytes(), 280u);
    const std::size_t top = ~std::size_t(0);
    EXPECT_EQ((shape{shape::float_type, {{0, top}, {0, top}}}.bytes()), top);
    EXPECT_TRUE((shape{std::vector<shape>{s}}.any_of_dynamic()));
    EXPECT_FALSE((shape{std::vector<shape>{s}}.dynamic()));
    EXPECT_EQ((shape{shape::float_type, {{2, 2}, {3, 3}}}.to_static()),
              (shape{shape::float_type, {2, 3}}));
}

TEST(shape_dynamic, symbolic_shapes) {
    const shape s{shape::half_type, {dim{n}, dim{5, 5}}};
    EXPECT_TRUE(s.dynamic() && s.symbolic());
    EXPECT_EQ(s.to_string(), "half_type, {n[1..8], 5}, {5, 1}");
    EXPECT_TRUE(s.packed() && s.standard());
    EXPECT_FALSE(s.transposed() || s.broadcasted() || s.scalar());
    EXPECT_EQ(s.element_space(), 40u);
    EXPECT_EQ(s.sym_elements(), n * 5);
    EXPECT_THROW(s.lens(), migraphx::exception);
    EXPECT_EQ(s.to_static({{n, 3}}), (shape{shape::half_type, {3, 5}}));
    EXPECT_THROW(s.to_static(), migraphx::exception);
    EXPECT_EQ(s.to_static(4), (shape{shape::half_type, {4, 5}}));
    const shape t{shape::float_type, {dim{n}, dim{m}}, {lit(1), n}};
    EXPECT_TRUE(t.packed() && t.transposed());
    EXPECT_FALSE(t.standard());
    EXPECT_EQ(t.to_static({{n, 3}, {m, 4}}), (shape{shape::float_type, {3, 4}, {1, 3}}));
    EXPECT_EQ(t.as_standard(), (shape{shape::float_type, {dim{n}, dim{m}}}));
    EXPECT_EQ(find_permutation(t), (std::vector<std::int64_t>{1, 0}));
    EXPECT_EQ(t.with_lens({dim{m}, dim{n}}),
              (shape{shape::float_type, {dim{m}, dim{n}}, {lit(1), m}}));
    EXPECT_EQ(t, shape::from_permutation(shape::float_type, {dim{n}, dim{m}}, {1, 0}));
    const shape b{shape::float_type, {dim{n}, dim{m}}, {lit(0), lit(1)}};
    EXPECT_TRUE(b.broadcasted());
    EXPECT_FALSE(b.packed() || b.scalar() || b.transposed());
    EXPECT_EQ(b.to_static({{n, 3}, {m, 4}}), (shape{shape::float_type, {3, 4}, {0, 1}}));
    EXPECT_TRUE((shape{shape::float_type, {dim{n}}, {lit(0)}}.scalar()));
    // One range among the dimensions makes all of them ranges.
    const shape mixed{shape::float_type, {dim{n}, dim{2, 3}}};
    EXPECT_FALSE(mixed.symbolic());
    EXPECT_EQ(mixed.to_string(), "dynamic, float_type, {[1..8], [2..3]}");
    EXPECT_THROW((shape{shape::float_type, {dim{n}, dim{2, 3}}, {lit(1), lit(1)}}),
                 migraphx::exception);
    EXPECT_THROW((shape{shape::float_type, {dim{n}}, {lit(1), lit(1)}}), migraphx::exception);
    EXPECT_THROW((shape{shape::float_type, {dim{n}}, {sym::expr{}}}), migraphx::exception);
    const sym::expr z = sym::var("z", {0, 8});
    EXPECT_TRUE(
        (shape{shape::float_type, {dim{m}, dim{z}}}.to_static({{m, 2}, {z, 0}}).standard()));
    EXPECT_EQ((shape{shape::float_type, {dim{z}}}.to_static({{z, 0}}).elements()), 0u);
    const sym::expr wide = sym::var("wide");
    EXPECT_NO_THROW((shape{shape::float_type, {dim{wide}, dim{wide}, dim{wide}}}));
    EXPECT_THROW((shape{shape::float_type, {dim{wide}, dim{wide}}}.to_static(
                     {{wide, std::size_t(1) << 40}})),
                 migraphx::exception);
}

TEST(shape_dynamic, compatibility) {
    const shape range{shape::float_type, {{1, 4}, {3, 3}}};
    const shape symbolic{shape::float_type, {dim{n}, dim{3, 3}}};
    for (const shape& expected : {range, symbolic}) {
        EXPECT_TRUE(shape::is_compatible(expected, expected));
        EXPECT_TRUE(shape::is_compatible(shape{shape::float_type, {4, 3}}, expected));
        EXPECT_FALSE(shape::is_compatible(shape{shape::float_type, {9, 3}}, expected));
        EXPECT_FALSE(shape::is_compatible(shape{shape::float_type, {4, 4}}, expected));
        EXPECT_FALSE(shape::is_compatible(shape{shape::float_type, {4}}, expected));
        EXPECT_FALSE(shape::is_compatible(shape{shape::half_type, {4, 3}}, expected));
        EXPECT_FALSE(shape::is_compatible(expected, shape{shape::float_type, {4, 3}}));
    }
    EXPECT_TRUE(shape::is_compatible(shape{shape::float_type, {{2, 3}, {3, 3}}}, range));
    EXPECT_FALSE(shape::is_compatible(shape{shape::float_type, {{2, 5}, {3, 3}}}, range));
    const shape transposed{shape::float_type, {4, 3}, {1, 4}};
    EXPECT_TRUE(shape::is_compatible(transposed, range));
    EXPECT_FALSE(shape::is_compatible(transposed, symbolic));
    EXPECT_TRUE(shape::is_compatible_lens(transposed, symbolic));
    EXPECT_TRUE(shape::same_lens(range, range));
    EXPECT_FALSE(shape::same_lens(range, symbolic));
}

TEST(shape_dynamic, saved_form) {
    const value v = to_value(dim{1, 8, {2, 4}});
    EXPECT_EQ(v.at("range").at("min").to<int>(), 1);
    EXPECT_EQ(v.at("range").at("max").to<int>(), 8);
    EXPECT_EQ(v.at("optimals").to_vector<int>(), (std::vector<int>{2, 4}));
    EXPECT_TRUE(v.at("sym").is_null());
    const value w = to_value(dim{n});
    EXPECT_TRUE(w.at("range").is_null() && w.at("optimals").is_null());
    EXPECT_EQ(w.at("sym").at("type").to<std::string>(), "sym");
    for (const dim& d : {dim{}, dim{3, 3}, dim{1, 8, {2, 4}}, dim{n}, dim{n * m / 3 + 1}}) {
        EXPECT_EQ(from_value<dim>(to_value(d)), d) << d;
        EXPECT_EQ(from_value<dim>(to_value(d)).is_symbolic(), d.is_symbolic());
    }
    EXPECT_EQ(from_value<dim>(value(5)), (dim{5, 5}));
    EXPECT_EQ(from_value<dim>(value{{"min", 1}, {"max", 4}}), (dim{1, 4}));
    EXPECT_EQ(from_value<dim>(value{{"min", 1}, {"max", 4}, {"optimals", {2}}}), (dim{1, 4, {2}}));
    EXPECT_EQ(from_value<dim>(value("n[1..8]{2, 4}")), dim{n});
    EXPECT_THROW(from_value<dim>(value(-1)), migraphx::exception);
    EXPECT_THROW(from_value<dim>(value{{"max", 4}}), migraphx::exception);
    EXPECT_THROW(from_value<dim>(value{{"min", 5}, {"max", 4}}), migraphx::exception);
    const shape shapes[] = {
        {shape::half_type, {{1, 8, {2, 4}}, {5, 5}}},
        {shape::half_type, {dim{n}, dim{5, 5}}},
        {shape::half_type, {dim{n}, dim{m}}, {lit(0), lit(1)}},
        shape{std::vector<shape>{{shape::half_type, {dim{n}}}, {shape::int8_type, {{1, 2}}}}},
    };
    for (const shape& s : shapes)
        EXPECT_EQ(from_value<shape>(to_value(s)), s) << s;
    EXPECT_EQ(to_value(shapes[1]).at("dyn_strides").size(), 2u);
    EXPECT_TRUE(to_value(shapes[0]).at("lens").empty());
}

} // namespace
