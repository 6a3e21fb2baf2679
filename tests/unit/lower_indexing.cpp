// SPDX-License-Identifier: MIT
#include "lower_support.hpp"

using namespace lower_check;

namespace {

// Positions in [-n, n).
argument positions(const shape& s, std::size_t n, unsigned seed = 7) {
    reals v(s.elements());
    for (auto& x : v) {
        seed = seed * 1664525u + 1013904223u;
        x = double((seed >> 8) % (2 * n)) - double(n);
    }
    return tensor(s, v);
}

TEST(lower_indexing, gather) {
    for (auto t : {shape::float_type, shape::int8_type, shape::int64_type})
        for (const auto& x : layouts(noise({t, {6, 7, 8}})))
            for (int axis = 0; axis < 3; ++axis)
                for (auto it : {shape::int32_type, shape::int64_type})
                    for (const auto& il : {lens{1}, lens{5}, lens{2, 3}}) {
                        const auto i = positions({it, il}, std::size_t(6 + axis));
                        check_lowered(make_op("gather", {{"axis", axis}}), {x, i},
                                      {.compiled = il.size() == 2});
                        check_lowered(make_op("gather", {{"axis", axis}}), {x, i},
                                      {.constants = {1}, .compiled = il.size() == 2});
                        check_lowered(make_op("gather", {{"axis", axis}}), {x, scattered(i)},
                                      {.compiled = false});
                    }
    const auto single = tensor(shape{shape::int64_type}, {2});
    for (const auto& x : layouts(noise(of({4, 5}))))
        for (bool constant : {false, true})
            check_lowered(
                make_op("gather", {{"axis", 1}}), {x, single},
                {.constants = constant ? std::set<std::size_t>{1} : std::set<std::size_t>{}});
    check_lowered(make_op("gather", {{"axis", 0}}), {noise(of({9})), single}, {.constants = {1}});
    check_lowered(make_op("gather", {{"axis", 0}}), {noise(of({9})), single});
}

TEST(lower_indexing, gather_refuses_indices_out_of_range) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", of({4, 3})),
               i = m->add_parameter("i", {shape::int64_type, {2}});
    m->add_return({m->add_instruction(make_op("gather"), x, i)});
    p.compile(make_target("cpu"));
    parameter_map in{{"x", noise(of({4, 3}))}, {"i", tensor({shape::int64_type, {2}}, {1, 4})}};
    EXPECT_THROW(p.eval(in), migraphx::exception);
}

TEST(lower_indexing, gathernd) {
    for (const auto& x : layouts(noise(of({4, 4, 4, 4}))))
        for (int batch : {0, 1})
            for (std::size_t depth : {1, 2, 3})
                check_lowered(make_op("gathernd", {{"batch_dims", batch}}),
                              {x, positions({shape::int64_type, {4, 5, depth}}, 4)});
}

TEST(lower_indexing, scatter) {
    for (const auto* name : {"scatter_none", "scatter_add", "scatter_mul"})
        for (const auto& x : layouts(noise(of({5, 6, 7}))))
            for (int axis = 0; axis < 3; ++axis) {
                lens l{3, 4, 2};
                // Distinct positions, so that the order does not matter.
                argument i(shape{shape::int64_type, l});
                reals v;
                for (std::size_t n = 0; n < 24; ++n) {
                    const std::size_t at[] = {n / 8, n / 2 % 4, n % 2};
                    v.push_back(double(at[axis]) - (n % 3 == 0 ? 5 + axis : 0));
                }
                store(i, v);
                for (const auto& u : layouts(noise(of(l), 9)))
                    check_lowered(make_op(name, {{"axis", axis}}), {x, i, u},
                                  {.compiled = axis == 1});
            }
    check_lowered(make_op("scatter_max", {{"axis", 0}}),
                  {ramp({shape::int32_type, {5, 3}}), positions({shape::int32_type, {2, 3}}, 5),
                   ramp({shape::int32_type, {2, 3}}, 3)});
    check_lowered(make_op("scatter_none", {{"axis", 0}, {"skip_out_of_bounds", true}}),
                  {noise(of({5})), tensor({shape::int64_type, {3}}, {1, 9, 2}), noise(of({3}), 3)});
}

TEST(lower_indexing, scatternd) {
    for (const auto* name : {"scatternd_none", "scatternd_add", "scatternd_mul"})
        for (const auto& x : layouts(noise(of({6, 5, 4})))) {
            check_lowered(
                make_op(name),
                {x, tensor({shape::int64_type, {3, 1}}, {4, -6, 2}), noise(of({3, 5, 4}), 3)},
                {.may_refuse = not x.get_shape().standard()});
            check_lowered(
                make_op(name),
                {x, tensor({shape::int64_type, {2, 2}}, {4, 1, 0, 3}), noise(of({2, 4}), 3)},
                {.may_refuse = not x.get_shape().standard()});
        }
}

TEST(lower_indexing, onehot) {
    const auto i = positions({shape::int64_type, {3, 4}}, 9);
    for (int axis : {0, 1, 2})
        check_lowered(make_op("onehot", {{"axis", axis}, {"depth", 6}}),
                      {i, tensor(of({2}), {-1, 2})}, {.compiled = false});
}

TEST(lower_indexing, topk) {
    for (bool largest : {true, false})
        for (const auto& x : layouts(noise(of({4, 30, 5}))))
            for (int axis = 0; axis < 3; ++axis)
                for (int k : {1, 3})
                    check_lowered(make_op("topk", {{"axis", axis}, {"k", k}, {"largest", largest}}),
                                  {x}, {.compiled = k == 3});
    check_lowered(make_op("topk", {{"axis", 0}, {"k", 700}}), {noise(of({1000}))});
    check_lowered(make_op("topk", {{"axis", 1}, {"k", 2}}),
                  {noise(of({3, 4})), ramp({shape::int64_type, {3, 4}}, 10)});
}

TEST(lower_indexing, nonzero) {
    const auto x = tensor({shape::bool_type, {3, 4}}, {0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1});
    for (const auto& y : layouts(x))
        check_lowered(make_op("nonzero"), {y});
    check_lowered(make_op("nonzero"), {tensor(of({5}), {0, 0.5, -0.0, 2, not_a_number})});
}

TEST(lower_indexing, nonmaxsuppression) {
    auto boxes = noise(of({2, 40, 4}), 11), scores = noise(of({2, 3, 40}), 12);
    auto* b = reinterpret_cast<float*>(boxes.data());
    for (int i = 0; i < 80; ++i)
        for (int j : {2, 3})
            b[4 * i + j] = b[4 * i + j - 2] + 0.4f;
    const auto most = tensor({shape::int64_type, {1}}, {5}), iou = tensor(of({1}), {0.3}),
               least = tensor(of({1}), {0.1});
    for (bool center : {false, true}) {
        check_lowered(make_op("nonmaxsuppression", {{"center_point_box", center}}),
                      {boxes, scores, most, iou, least});
        check_lowered(make_op("nonmaxsuppression", {{"center_point_box", center}}),
                      {scattered(boxes), scores, most, iou});
    }
    check_lowered(make_op("nonmaxsuppression"), {boxes, scores});
}

} // namespace
