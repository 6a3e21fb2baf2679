// SPDX-License-Identifier: MIT
// Matrix products and convolutions, against sums written out.
#include "ops_compute_support.hpp"

#include <migraphx/op/convolution.hpp>

using namespace ops_check;

namespace {

using sizes = std::vector<std::size_t>;

reals naive_dot(const argument& a, const argument& b) {
    const auto x = values_of(a), y = values_of(b);
    const auto& la = a.get_shape().lens();
    const auto m = la[la.size() - 2], k = la.back(), n = b.get_shape().lens().back();
    const auto batch = x.size() / (m * k);
    reals out;
    for (std::size_t t = 0; t < batch; ++t)
        for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                double sum = 0;
                for (std::size_t p = 0; p < k; ++p)
                    sum += x[(t * m + i) * k + p] * y[(t * k + p) * n + j];
                out.push_back(sum);
            }
    return out;
}

TEST(ops_dot, values) {
    const auto check_dot = [](lens a, lens b) {
        const auto x = noise(of(a)), y = noise(of(b), 7);
        check(make_op("dot"), {x, y}, naive_dot(x, y), 1e-5);
    };
    check_dot({2, 3}, {3, 4});
    check_dot({1, 1}, {1, 1});
    check_dot({2, 3, 70, 130}, {2, 3, 130, 5});
    check_dot({3, 300}, {300, 600});
    check_dot({1, 257}, {257, 1});
    check(make_op("dot"), {argument(of({2, 0})), argument(of({0, 3}))}, reals(6, 0));
    check(make_op("dot"), {argument(of({0, 2})), argument(of({2, 3}))}, {});
}

TEST(ops_dot, types) {
    const shape a{shape::int8_type, {1, 3}}, b{shape::int8_type, {3, 1}};
    check(make_op("dot"), {tensor(a, {1, -2, 3}), tensor(b, {4, 5, -6})}, {-24});
    const shape c{shape::int64_type, {1, 1}};
    argument big(c);
    reinterpret_cast<int64_t*>(big.data())[0] = (int64_t{1} << 53) + 1;
    const auto r = run(make_op("dot"), {big, tensor(c, {1})});
    EXPECT_EQ(reinterpret_cast<const int64_t*>(r.data())[0], (int64_t{1} << 53) + 1);
    const shape h{shape::half_type, {2, 2}};
    check(make_op("dot"), {tensor(h, {1, 2, 3, 4}), tensor(h, {1, 0, 0, 1})}, {1, 2, 3, 4});
}

TEST(ops_dot, shapes) {
    EXPECT_EQ(make_op("dot").compute_shape(
                  {dyn({{1, 4}, {2, 2}, {8, 8}}), dyn({{1, 4}, {8, 8}, {3, 3}})}),
              dyn({{1, 4}, {2, 2}, {3, 3}}));
    EXPECT_EQ(make_op("dot").compute_shape({dyn({{1, 4}, {8, 8}}), of({8, 3})}),
              dyn({{1, 4}, {3, 3}}));
    const auto n = sym::var("n", {1, 8});
    const auto s = make_op("dot").compute_shape({dyn({dim{n}, {8, 8}}), of({8, 3})});
    EXPECT_TRUE(s.symbolic());
    EXPECT_EQ(s.dyn_dims()[0], dim{n});
    refused(make_op("dot"), {of({2, 3}), of({4, 5})}, "equal inner dimensions");
    refused(make_op("dot"), {of({2, 2, 3}), of({3, 3, 5})}, "equal leading dimensions");
    refused(make_op("dot"), {of({3}), of({3})}, "rank");
    refused(make_op("dot"), {of({2, 3}), of({3, 5}, shape::half_type)}, "one type");
}

TEST(ops_quant_dot, values) {
    const shape a{shape::int8_type, {1, 3}}, b{shape::int8_type, {3, 1}};
    const auto x = tensor(a, {100, -128, 127}), y = tensor(b, {100, 127, 127});
    check(make_op("quant_dot"), {x, y}, {10000 - 128 * 127 + 127 * 127});
    EXPECT_EQ(make_op("quant_dot").compute_shape({a, b}), of({1, 1}, shape::int32_type));
    EXPECT_EQ(make_op("quant_dot").compute_shape({of({1, 3}), of({3, 1})}), of({1, 1}));
    const auto sx = floats({1, 1}, {0.5}), sy = floats({3, 1}, {1, 0, 2});
    check(make_op("quant_dot"), {x, y, sx, sy}, {0.5 * (10000 + 2 * 127 * 127)});
    refused(make_op("quant_dot"), {of({1, 3}, shape::int32_type), of({3, 1}, shape::int32_type)},
            "int8");
}

struct conv_case {
    lens x, w;
    sizes padding, stride, dilation;
    int group = 1;
};

// Two spatial dimensions, both paddings given.
reals naive_conv(const argument& x, const argument& w, const conv_case& c, const lens& out) {
    const auto at = [](const argument& a, const reals& v, const lens& i) {
        return v[a.get_shape().as_standard().index(i)];
    };
    const auto vx = values_of(x), vw = values_of(w);
    reals result;
    const auto per_group = c.w[0] / static_cast<std::size_t>(c.group);
    for (std::size_t n = 0; n < out[0]; ++n)
        for (std::size_t o = 0; o < out[1]; ++o)
            for (std::size_t h = 0; h < out[2]; ++h)
                for (std::size_t v = 0; v < out[3]; ++v) {
                    double sum = 0;
                    for (std::size_t k = 0; k < c.w[1]; ++k)
                        for (std::size_t i = 0; i < c.w[2]; ++i)
                            for (std::size_t j = 0; j < c.w[3]; ++j) {
                                const auto y = h * c.stride[0] + i * c.dilation[0],
                                           z = v * c.stride[1] + j * c.dilation[1];
                                if (y < c.padding[0] or z < c.padding[1] or
                                    y - c.padding[0] >= c.x[2] or z - c.padding[1] >= c.x[3])
                                    continue;
                                sum += at(x, vx,
                                          {n, o / per_group * c.w[1] + k, y - c.padding[0],
                                           z - c.padding[1]}) *
                                       at(w, vw, {o, k, i, j});
                            }
                    result.push_back(sum);
                }
    return result;
}

TEST(ops_convolution, values) {
    const std::vector<conv_case> cases = {
        {{1, 2, 5, 5}, {3, 2, 3, 3}, {0, 0, 0, 0}, {1, 1}, {1, 1}},
        {{2, 4, 9, 9}, {8, 2, 3, 3}, {1, 1, 1, 1}, {2, 2}, {1, 1}, 2},
        {{1, 3, 7, 11}, {3, 1, 3, 2}, {1, 0, 2, 1}, {1, 3}, {2, 1}, 3},
        {{1, 40, 20, 20}, {5, 40, 3, 3}, {1, 1, 1, 1}, {1, 1}, {1, 1}},
        {{1, 300, 3, 3}, {70, 300, 1, 1}, {0, 0, 0, 0}, {1, 1}, {1, 1}},
    };
    for (const auto& c : cases) {
        const auto op = make_op("convolution", {{"padding", c.padding},
                                                {"stride", c.stride},
                                                {"dilation", c.dilation},
                                                {"group", c.group}});
        const auto x = noise(of(c.x)), w = noise(of(c.w), 9);
        const auto out = op.compute_shape({of(c.x), of(c.w)});
        check(op, {x, w}, naive_conv(x, w, c, out.lens()), 1e-5);
    }
}

TEST(ops_convolution, other_ranks_and_types) {
    const auto one = make_op("convolution", {{"padding", {1}}, {"stride", {1}}, {"dilation", {1}}});
    check(one, {floats({1, 1, 3}, {1, 2, 3}), floats({1, 1, 3}, {1, 1, 1})}, {3, 6, 5});
    const auto three = make_op(
        "convolution", {{"padding", {0, 0, 0}}, {"stride", {1, 1, 1}}, {"dilation", {1, 1, 1}}});
    check(three, {ramp(of({1, 1, 2, 2, 2})), ramp(of({1, 1, 2, 2, 2}))}, {140});
    check(
        one,
        {tensor({shape::half_type, {1, 1, 2}}, {1, 2}), tensor({shape::half_type, {1, 1, 1}}, {3})},
        {0, 3, 6, 0});
    check(one, {argument(of({0, 1, 3})), argument(of({1, 1, 3}))}, {});
}

TEST(ops_convolution, shapes) {
    const auto conv = [](sizes p, sizes s, int g = 1, int mode = 0) {
        return make_op("convolution",
                       {{"padding", p}, {"stride", s}, {"group", g}, {"padding_mode", mode}});
    };
    EXPECT_EQ(conv({1, 1}, {2, 2}, 2).compute_shape({of({1, 4, 9, 9}), of({8, 2, 3, 3})}).lens(),
              (lens{1, 8, 5, 5}));
    EXPECT_EQ(conv({0, 0}, {2, 2}, 1, op::same_upper)
                  .compute_shape({of({1, 1, 5, 6}), of({1, 1, 3, 3})})
                  .lens(),
              (lens{1, 1, 3, 3}));
    EXPECT_EQ(conv({0, 0}, {1, 1}).compute_shape({of({1, 1, 2, 5}), of({1, 1, 3, 3})}).lens(),
              (lens{1, 1, 0, 3}));
    const auto nhwc = shape::from_permutation(shape::float_type, lens{1, 4, 8, 8}, {0, 2, 3, 1});
    EXPECT_EQ(find_permutation(conv({1, 1}, {1, 1}).compute_shape({nhwc, of({6, 4, 3, 3})})),
              (std::vector<int64_t>{0, 2, 3, 1}));
    EXPECT_EQ(conv({1, 1}, {2, 2})
                  .compute_shape({dyn({{1, 4}, {3, 3}, {8, 16}, {8, 8}}), of({2, 3, 3, 3})}),
              dyn({{1, 4}, {2, 2}, {4, 8}, {4, 4}}));
    const auto h = sym::var("h", {8, 64});
    const auto s = conv({1, 1}, {2, 2})
                       .compute_shape({dyn({{1, 1}, {3, 3}, dim{h}, {8, 8}}), of({2, 3, 3, 3})});
    ASSERT_TRUE(s.symbolic());
    EXPECT_EQ(s.dyn_dims()[2], dim{(h - 1) / 2 + 1});
    refused(conv({1, 1}, {1, 1}), {of({1, 3, 8, 8}), of({2, 4, 3, 3})}, "input channels");
    refused(conv({1, 1}, {1, 1}, 2), {of({1, 4, 8, 8}), of({3, 2, 3, 3})}, "output channels");
    refused(conv({1, 1}, {0, 1}), {of({1, 4, 8, 8}), of({4, 4, 3, 3})}, "stride");
    refused(conv({1, 1, 1}, {1, 1}), {of({1, 4, 8, 8}), of({4, 4, 3, 3})}, "padding");
    refused(conv({1, 1}, {1, 1}, 0), {of({1, 4, 8, 8}), of({4, 4, 3, 3})}, "group");
    refused(conv({}, {1, 1}), {of({1, 4}), of({4, 4})}, "rank");
    op::convolution named;
    named.padding = {1, 1};
    EXPECT_EQ(operation{named}, conv({1, 1}, {1, 1}));
    EXPECT_EQ(any_cast<op::convolution>(conv({2, 2}, {1, 1})).padding, (sizes{2, 2}));
}

TEST(ops_convolution, same_padding) {
    const auto same = [](op::padding_mode_t m) {
        return make_op("convolution",
                       {{"stride", {1}}, {"dilation", {1}}, {"padding", {0}}, {"padding_mode", m}});
    };
    const auto x = floats({1, 1, 3}, {1, 2, 3}), w = floats({1, 1, 2}, {1, 10});
    check(same(op::same_upper), {x, w}, {21, 32, 3});
    check(same(op::same_lower), {x, w}, {10, 21, 32});
}

TEST(ops_convolution_backwards, values) {
    const auto op =
        make_op("convolution_backwards", {{"padding", {0}}, {"stride", {2}}, {"dilation", {1}}});
    check(op, {floats({1, 1, 2}, {1, 10}), floats({1, 1, 3}, {1, 2, 3})}, {1, 2, 13, 20, 30});
    // The adjoint of a convolution: <conv(x), y> = <x, backwards(y)>.
    for (int group : {1, 2}) {
        const auto g = static_cast<std::size_t>(group);
        const auto conv =
            make_op("convolution", {{"padding", {1, 1}}, {"stride", {2, 2}}, {"group", group}});
        const auto back = make_op("convolution_backwards",
                                  {{"padding", {1, 1}}, {"stride", {2, 2}}, {"group", group}});
        const auto x = noise(of({2, 4, 9, 9})), w = noise(of({6, 4 / g, 3, 3}), 3);
        const auto forward = run(conv, {x, w});
        const auto y = noise(forward.get_shape(), 5);
        const auto back_y = run(back, {scattered(y), w});
        ASSERT_EQ(back_y.get_shape().lens(), x.get_shape().lens());
        const auto inner = [](const argument& a, const argument& b) {
            const auto u = values_of(a), v = values_of(b);
            double sum = 0;
            for (std::size_t i = 0; i < u.size(); ++i)
                sum += u[i] * v[i];
            return sum;
        };
        EXPECT_NEAR(inner(forward, y), inner(x, back_y), 1e-4);
    }
}

TEST(ops_convolution_backwards, shapes) {
    const auto op = make_op("convolution_backwards", {{"padding", {1, 1}}, {"stride", {2, 2}}});
    EXPECT_EQ(op.compute_shape({of({1, 4, 5, 5}), of({4, 3, 3, 3})}).lens(), (lens{1, 3, 9, 9}));
    EXPECT_EQ(op.compute_shape({dyn({{1, 4}, {4, 4}, {5, 9}, {5, 5}}), of({4, 3, 3, 3})}),
              dyn({{1, 4}, {3, 3}, {9, 17}, {9, 9}}));
    refused(op, {of({1, 3, 5, 5}), of({4, 3, 3, 3})}, "input channels");
}

TEST(ops_quant_convolution, values) {
    const auto op =
        make_op("quant_convolution", {{"padding", {0}}, {"stride", {1}}, {"dilation", {1}}});
    const auto x = tensor({shape::int8_type, {1, 1, 3}}, {100, -128, 3}),
               w = tensor({shape::int8_type, {1, 1, 2}}, {127, 2});
    check(op, {x, w}, {12700 - 256, -128 * 127 + 6});
    EXPECT_EQ(op.compute_shape(to_shapes({x, w})).type(), shape::int32_type);
    check(op, {x, w, floats({1, 1, 1}, {0.5}), floats({1, 1, 1}, {2})},
          {12700 - 256, -128 * 127 + 6});
}

TEST(ops_im2col, values) {
    const auto x = ramp(of({1, 1, 3, 3}));
    check(make_op("im2col"), {x, argument(of({1, 1, 2, 2}))},
          {0, 1, 3, 4, 1, 2, 4, 5, 3, 4, 6, 7, 4, 5, 7, 8});
    refused(make_op("im2col"), {of({2, 1, 3, 3}), of({1, 1, 2, 2})}, "batch of 1");
}

} // namespace
