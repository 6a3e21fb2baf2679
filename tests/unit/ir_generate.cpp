// SPDX-License-Identifier: MIT
// Test data is a pure function of shape and seed, of moderate values.
#include <migraphx/generate.hpp>

#include <gtest/gtest.h>

#include <algorithm>

using namespace migraphx;

TEST(ir_generate, depends_on_shape_and_seed_alone) {
    for (auto type : shape::types()) {
        const shape s{type, {5, 7}};
        EXPECT_EQ(generate_argument(s, 3), generate_argument(s, 3));
        EXPECT_EQ(generate_literal(s, 3), generate_argument(s, 3));
        EXPECT_NE(generate_argument(s, 3), generate_argument(s, 4)) << s;
        EXPECT_NE(generate_argument(s, 0), argument{s}) << s;
    }
}

TEST(ir_generate, values_are_moderate) {
    for (auto mode : {random_mode::legacy, random_mode::random})
        for (auto type : shape::types()) {
            const auto v = generate_argument({type, {10000}}, 1, mode).to_vector<double>();
            const auto [low, high] = std::minmax_element(v.begin(), v.end());
            if (shape::is_integral(type)) {
                EXPECT_GE(*low, -64);
                EXPECT_LE(*high, 127);
            } else {
                EXPECT_GE(*low, -1);
                EXPECT_LT(*low, -0.9);
                EXPECT_LE(*high, 1);
                EXPECT_GT(*high, 0.9);
                double sum = 0;
                for (auto x : v)
                    sum += x;
                EXPECT_LT(std::abs(sum / 10000), 0.03) << shape::name(type);
            }
            EXPECT_LT(*low, *high);
        }
}

TEST(ir_generate, tuples_and_storage_types) {
    const shape pair{std::vector<shape>{{shape::float_type, {3}}, {shape::float_type, {3}}}};
    const auto a = generate_argument(pair, 1);
    ASSERT_EQ(a.get_sub_objects().size(), 2U);
    EXPECT_NE(a.get_sub_objects()[0], a.get_sub_objects()[1]);
    EXPECT_EQ(fill_argument(pair, 2).get_sub_objects()[1].to_vector<int>(),
              (std::vector<int>{2, 2, 2}));
    EXPECT_EQ(generate_argument({shape::fp4x2_type, {4}}, 1).get_shape().bytes(), 4U);
    EXPECT_THROW(generate_argument({shape::float_type, {{1, 4}}}), exception);
}

TEST(ir_generate, counting_and_constant) {
    EXPECT_EQ(iota_argument({shape::int64_type, {2, 2}, {1, 2}}, 5).to_vector<int>(),
              (std::vector<int>{5, 6, 7, 8}));
    EXPECT_EQ(fill_argument({shape::half_type, {2}}, 0.5).to_vector<float>(),
              (std::vector<float>{0.5, 0.5}));
    EXPECT_EQ(abs(literal{shape{shape::float_type, {2}}, {-1.5, 2.0}}).to_vector<float>(),
              (std::vector<float>{1.5, 2}));
    EXPECT_EQ(abs(literal{shape{shape::int8_type, {2}}, {-3, 2}}).to_vector<int>(),
              (std::vector<int>{3, 2}));
}
