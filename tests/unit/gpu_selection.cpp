// SPDX-License-Identifier: MIT
// Operators that choose: suppression of boxes in many tiles, distinct elements, numbers that differ
// from run to run, on the host as a device; results whose size only a run tells stay there.
#include "gpu_plan_support.hpp"

#include <migraphx/make_op.hpp>

#include "targets/gpu/plan/between_parts.hpp"

#include <cmath>
#include <random>
#include <set>

namespace migraphx::gpu {
namespace {

// The operator's own result, and the device's, which is to lie there.
void compare(const operation& op, const std::vector<argument>& in) {
    const auto on = host_device();
    const between_parts between(on);
    std::vector<argument> there;
    for (const auto& a : in)
        there.push_back(to_device(on, a));
    const auto found = between.evaluate(op, there);
    ASSERT_TRUE(found) << op;
    auto got = between.to_host({*found}).front();
    auto wanted = op.compute(op.compute_shape(to_shapes(in)), in);
    if (got.get_shape().type() != shape::tuple_type) {
        EXPECT_TRUE(on->owns(found->data()));
        got = argument{{got}};
        wanted = argument{{wanted}};
    }
    const auto a = got.get_sub_objects(), b = wanted.get_sub_objects();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); i++) {
        ASSERT_EQ(a[i].get_shape().lens(), b[i].get_shape().lens()) << op << ", result " << i;
        EXPECT_EQ(a[i].to_string(), b[i].to_string()) << op << ", result " << i;
    }
}

argument integers(shape::type_t type, const std::vector<std::size_t>& lens, int64_t low,
                  int64_t high, unsigned seed) {
    std::mt19937 engine(seed);
    argument a{shape{type, lens}};
    a.visit([&](auto view) {
        for (auto& x : view)
            x = static_cast<std::decay_t<decltype(x)>>(low + int64_t(engine() % (high - low + 1)));
    });
    return a;
}

argument one(shape::type_t type, double x) {
    argument a{shape{type, {1}}};
    a.visit(
        [&](auto view) { view.front() = static_cast<std::decay_t<decltype(view.front())>>(x); });
    return a;
}

TEST(gpu_selection, boxes_of_many_tiles) {
    // Corners are integers, so overlaps are exact in float; equal scores are many.
    const auto boxes = integers(shape::float_type, {2, 3000, 4}, 0, 60, 1);
    const auto scores = integers(shape::float_type, {2, 3, 3000}, 0, 700, 2);
    for (const bool center : {false, true})
        for (const double most : {0, 3, 900, 5000})
            compare(make_op("nonmaxsuppression",
                            {{"center_point_box", center}, {"use_dyn_output", true}}),
                    {boxes, scores, one(shape::int64_type, most), one(shape::float_type, 0.45),
                     one(shape::float_type, 25)});
    compare(make_op("nonmaxsuppression", {{"use_dyn_output", true}}),
            {boxes, scores, one(shape::int64_type, 3000), one(shape::float_type, 0.01)});
}

TEST(gpu_selection, distinct_elements) {
    for (const bool sorted : {true, false}) {
        const auto op = make_op("unique", {{"sorted", sorted}});
        for (const auto type : {shape::float_type, shape::int32_type, shape::int64_type,
                                shape::uint8_type, shape::half_type, shape::double_type}) {
            compare(op, {integers(type, {9001}, 0, 200, 3)});
            compare(op, {integers(type, {3, 5, 7}, 0, 3, 4)});
            compare(op, {integers(type, {1}, 5, 5, 5)});
        }
        compare(op, {integers(shape::int32_type, {20000}, -100000, 100000, 6)});
        auto special = integers(shape::float_type, {4099}, -1, 1, 7);
        auto* x = reinterpret_cast<float*>(special.data());
        x[5] = x[4000] = NAN;
        x[17] = -0.0f;
        compare(op, {special});
    }
    compare(make_op("unique", {{"axis", 0}}), {integers(shape::int32_type, {77}, 0, 9, 8)});
}

TEST(gpu_selection, nonzero_elements) {
    const auto op = make_op("nonzero", {{"use_dyn_output", true}});
    compare(op, {integers(shape::float_type, {30, 40, 11}, 0, 1, 9)});
    compare(op, {integers(shape::int8_type, {9, 1, 2}, 0, 0, 10)});
    compare(op, {integers(shape::bool_type, {4097}, 0, 1, 11)});
}

TEST(gpu_selection, sizes_that_values_decide) {
    const auto x = integers(shape::half_type, {30, 40, 11}, -50, 50, 12);
    const auto at = [](const std::vector<int64_t>& v) {
        argument a{shape{shape::int64_type, {v.size()}}};
        std::copy(v.begin(), v.end(), reinterpret_cast<int64_t*>(a.data()));
        return a;
    };
    compare(make_op("slice_dynamic"), {x, at({3, 2}), at({-1, 30}), at({0, 1})});
    compare(make_op("slice_dynamic"), {x, at({-1}), at({-100}), at({1}), at({-3})});
    compare(make_op("pad_dynamic", {{"mode", 1}}), {x, at({1, 2, 0, 3, -1, 2})});
    compare(make_op("pad_dynamic"), {x, at({1, 2}), one(shape::half_type, 7), at({1})});
    compare(make_op("tile_dynamic"), {x, at({2, 1, 3})});
    compare(make_op("slice", {{"axes", {1, 2}}}), {x, at({2, 1}), at({9, 8})});
    compare(make_op("reduce_max"), {x, at({0, 2})});
    compare(make_op("reshape_dynamic"), {x, at({40, -1, 10})});
}

TEST(gpu_selection, nothing_to_gain_where_all_lies_on_the_host) {
    const between_parts between(host_device());
    EXPECT_FALSE(between.evaluate(make_op("nonzero", {{"use_dyn_output", true}}),
                                  {integers(shape::float_type, {9}, 0, 1, 1)}));
}

TEST(gpu_selection, what_needs_no_host) {
    device_problem p;
    p.on = host_device();
    const auto lowered_on_device = [&](const operation& op, const std::vector<shape>& in,
                                       const shape& out, std::vector<argument> constants = {}) {
        p.op = op.normalized(in);
        p.inputs = in;
        p.output = out;
        p.constants = std::move(constants);
        return not runs_on_host(*lower(p));
    };
    const shape none{shape::float_type, {2, 0, 3}}, x{shape::half_type, {2, 3}};
    EXPECT_TRUE(lowered_on_device(make_op("softmax", {{"axis", 2}}), {none}, none));
    // A padding value that a run gives.
    argument pads{shape{shape::int64_type, {4}}};
    const std::vector<int64_t> ones(4, 1);
    pads.fill(ones.begin(), ones.end());
    EXPECT_TRUE(lowered_on_device(make_op("pad_dynamic"),
                                  {x, pads.get_shape(), shape{shape::half_type, {1}}},
                                  {shape::half_type, {4, 5}}, {{}, pads, {}}));
}

TEST(gpu_selection, seeds_differ_from_run_to_run) {
    device_problem p;
    p.on = host_device();
    for (const auto type : {shape::uint64_type, shape::int32_type, shape::float_type}) {
        p.op = make_op("random_seed", {{"dtype", type}});
        p.output = shape{type};
        const auto k = lower(p);
        EXPECT_FALSE(runs_on_host(*k));
        std::set<std::string> seen;
        for (int i = 0; i < 50; i++) {
            argument out{p.output};
            char* to = out.data();
            k->run({nullptr, &to, nullptr, nullptr});
            seen.insert(out.to_string());
        }
        EXPECT_GT(seen.size(), 45u);
    }
}

} // namespace
} // namespace migraphx::gpu
