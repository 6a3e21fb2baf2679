// SPDX-License-Identifier: MIT
// Normalisations, attention, quantisation, unique elements, random numbers.
#include "ops_compute_support.hpp"

#include <migraphx/op_info.hpp>

#include <algorithm>

using namespace ops_check;

namespace {

TEST(ops_layer_norm, values) {
    const auto x = floats({2, 2}, {1, 3, -2, 2});
    const auto op = make_op("layer_norm", {{"epsilon", 0.0}});
    check(op, {x}, {-1, 1, -1, 1});
    check(op, {x, floats({2}, {2, 3}), floats({2}, {10, 20})}, {8, 23, 8, 23});
    check(make_op("layer_norm", {{"axis", 0}, {"epsilon", 0.0}}), {floats({2, 2}, {1, 1, 1, 1})},
          reals(4, not_a_number));
    check(make_op("layer_norm", {{"epsilon", 3.0}}), {x},
          {-0.5, 0.5, -2 / std::sqrt(7), 2 / std::sqrt(7)});
    check(make_op("rms_norm", {{"epsilon", 0.0}}), {floats({1, 2}, {3, 4}), floats({2}, {1, 2})},
          {3 / std::sqrt(12.5), 8 / std::sqrt(12.5)});
    refused(op, {of({2, 2}), of({3})}, "");
    refused(op, {of({2, 2}, shape::int32_type)}, "floating-point");
    EXPECT_EQ(op.compute_shape({dyn({{1, 4}, {2, 2}}), of({2})}), dyn({{1, 4}, {2, 2}}));
}

reals naive_attention(const argument& q, const argument& k, const argument& v, double scale,
                      bool causal) {
    const auto a = numbers<double>(q), b = numbers<double>(k), c = numbers<double>(v);
    reals out;
    for (std::size_t n = 0; n < a.lens[0]; ++n)
        for (std::size_t h = 0; h < a.lens[1]; ++h)
            for (std::size_t s = 0; s < a.lens[2]; ++s) {
                const auto g = h / (a.lens[1] / b.lens[1]);
                reals p;
                double total = 0;
                for (std::size_t t = 0; t < b.lens[2]; ++t) {
                    double dot = 0;
                    for (std::size_t d = 0; d < a.lens[3]; ++d)
                        dot += a({n, h, s, d}) * b({n, g, t, d});
                    p.push_back(causal and t + a.lens[2] > s + b.lens[2] ? 0
                                                                         : std::exp(dot * scale));
                    total += p.back();
                }
                for (std::size_t e = 0; e < c.lens[3]; ++e) {
                    double sum = 0;
                    for (std::size_t t = 0; t < p.size(); ++t)
                        sum += p[t] / total * c({n, g, t, e});
                    out.push_back(sum);
                }
            }
    return out;
}

TEST(ops_attention, values) {
    const auto q = noise(of({2, 4, 3, 8})), k = noise(of({2, 2, 5, 8}), 2),
               v = noise(of({2, 2, 5, 6}), 3);
    check(make_op("attention"), {q, k, v}, naive_attention(q, k, v, 1 / std::sqrt(8.0), false),
          1e-5);
    check(make_op("attention", {{"scale", 0.3}, {"causal", true}}), {q, k, v},
          naive_attention(q, k, v, 0.3, true), 1e-5);
    EXPECT_EQ(make_op("attention").compute_shape(to_shapes({q, k, v})), of({2, 4, 3, 6}));
}

TEST(ops_attention, masks) {
    const auto q = noise(of({1, 1, 2, 4})), k = noise(of({1, 1, 2, 4}), 2),
               v = floats({1, 1, 2, 1}, {10, 20});
    check(make_op("attention"), {q, k, v, tensor({shape::bool_type, {2, 2}}, {1, 0, 0, 1})},
          {10, 20});
    check(make_op("attention"), {q, k, v, floats({1, 1, 1, 2}, {-1e30, 0})}, {20, 20});
    check(make_op("attention"), {q, k, v, tensor({shape::bool_type, {1, 2}}, {0, 0})}, {0, 0});
    const auto op = make_op("attention");
    refused(op, {of({1, 3, 2, 4}), of({1, 2, 2, 4}), of({1, 2, 2, 4})}, "heads");
    refused(op, {of({1, 2, 2, 4}), of({1, 2, 2, 5}), of({1, 2, 2, 5})}, "head sizes");
    refused(op, {of({1, 2, 2, 4}), of({1, 2, 2, 4}), of({1, 2, 3, 4})}, "lengths");
    EXPECT_EQ(op.compute_shape({dyn({{1, 4}, {2, 2}, {1, 9}, {8, 8}}),
                                dyn({{1, 4}, {2, 2}, {1, 9}, {8, 8}}),
                                dyn({{1, 4}, {2, 2}, {1, 9}, {8, 8}})}),
              dyn({{1, 4}, {2, 2}, {1, 9}, {8, 8}}));
}

TEST(ops_quantizelinear, values) {
    const auto x = floats({6}, {0.5, 1.5, -1.5, 300, -300, 2.4});
    const auto ones = floats({6}, reals(6, 1));
    check(make_op("quantizelinear"), {x, ones}, {0, 2, 0, 255, 0, 2});
    check(make_op("quantizelinear", {{"out_type", shape::int8_type}}), {x, ones},
          {0, 2, -2, 127, -128, 2});
    const auto zero = tensor({shape::int8_type, {6}}, reals(6, 10));
    check(make_op("quantizelinear"), {x, ones, zero}, {10, 12, 8, 127, -128, 12});
    check(make_op("quantizelinear", {{"out_type", shape::fp8e4m3fn_type}}),
          {floats({2}, {1.25, 1e6}), floats({2}, {1, 1})}, {1.25, 448});
    EXPECT_EQ(make_op("quantizelinear").compute_shape(to_shapes({x, ones})).type(),
              shape::uint8_type);
    refused(make_op("quantizelinear"), {of({2}), of({1})}, "equal dimensions");
    refused(make_op("quantizelinear"), {of({2}), of({2}, shape::half_type)}, "one type");
}

TEST(ops_dequantizelinear, values) {
    const auto x = tensor({shape::int8_type, {3}}, {-128, 0, 127});
    const auto scale = floats({3}, {0.5, 1, 2}),
               zero = tensor({shape::int8_type, {3}}, {1, 2, 127});
    check(make_op("dequantizelinear"), {x, scale}, {-64, 0, 254});
    check(make_op("dequantizelinear"), {x, scale, zero}, {-64.5, -2, 0});
    refused(make_op("dequantizelinear"),
            {of({3}, shape::int8_type), of({3}), of({3}, shape::uint8_type)}, "zero point");
}

TEST(ops_unique, elements) {
    const auto x = floats({2, 3}, {2, 1, 1, 3, 4, 3});
    const auto op = make_op("unique");
    check(op, {x}, {1, 2, 3, 4}, 0, 0);
    check(op, {x}, {1, 0, 3, 4}, 0, 1);
    check(op, {x}, {1, 0, 0, 2, 3, 2}, 0, 2);
    check(op, {x}, {2, 1, 2, 1}, 0, 3);
    const auto first = make_op("unique", {{"sorted", false}});
    check(first, {x}, {2, 1, 3, 4}, 0, 0);
    check(first, {x}, {0, 1, 1, 2, 3, 2}, 0, 2);
    check(op, {floats({3}, {not_a_number, 1, not_a_number})}, {1, not_a_number}, 0, 0);
    EXPECT_EQ(op.compute_shape({of({2, 3})}).sub_shapes().at(0), dyn({{1, 6}}));
    EXPECT_EQ(op.info().resolve(op.self(), {x}).sub_shapes().at(0), of({4}));
}

TEST(ops_unique, slices) {
    const auto x = floats({3, 2}, {5, 0, 1, 2, 5, 0});
    const auto op = make_op("unique", {{"axis", 0}});
    check(op, {x}, {1, 2, 5, 0}, 0, 0);
    check(op, {x}, {1, 0, 1}, 0, 2);
    check(make_op("unique", {{"axis", -1}}), {floats({2, 3}, {1, 0, 1, 2, 3, 2})}, {0, 1, 3, 2}, 0,
          0);
    EXPECT_EQ(op.compute_shape({of({3, 2})}).sub_shapes().at(0), dyn({{1, 3}, {2, 2}}));
}

TEST(ops_random, numbers) {
    const auto seed = tensor({shape::uint64_type}, {42});
    for (auto type : {shape::float_type, shape::half_type, shape::bf16_type}) {
        const auto r =
            values_of(run(make_op("random_uniform"), {seed, argument(of({1000}, type))}));
        EXPECT_GE(*std::min_element(r.begin(), r.end()), 0);
        EXPECT_LT(*std::max_element(r.begin(), r.end()), 1);
        EXPECT_EQ(r, values_of(run(make_op("random_uniform"), {seed, argument(of({1000}, type))})));
    }
    const auto i =
        values_of(run(make_op("random_uniform"), {seed, argument(of({100}, shape::uint8_type))}));
    EXPECT_GT(*std::max_element(i.begin(), i.end()), 100);
    const auto op = make_op("random_seed");
    EXPECT_EQ(op.compute_shape({}), shape{shape::uint64_type});
    EXPECT_NE(op.compute(op.compute_shape({}), {}).at<uint64_t>(),
              op.compute(op.compute_shape({}), {}).at<uint64_t>());
    EXPECT_TRUE(op.info().has_side_effect);
}

TEST(ops_random, multinomial) {
    const auto cdf = floats({2, 3}, {1, 3, 4, 0, 0, 2});
    const auto u = floats({2, 3}, {0, 0.5, 0.99, 0.1, 0, 0.9});
    check(make_op("multinomial"), {cdf, u}, {0, 1, 2, 2, 2, 2});
    EXPECT_EQ(make_op("multinomial", {{"dtype", shape::int64_type}})
                  .compute_shape(to_shapes({cdf, u}))
                  .type(),
              shape::int64_type);
    refused(make_op("multinomial", {{"dtype", shape::bool_type}}), to_shapes({cdf, u}), "numbers");
    refused(make_op("multinomial"), {of({2, 3}), of({3, 3})}, "equal batches");
}

} // namespace
