// SPDX-License-Identifier: MIT
// tensor_view and shape_for_each: logical order over any strides.
#include <gtest/gtest.h>

#include <migraphx/shape_for_each.hpp>
#include <migraphx/tensor_view.hpp>

#include <algorithm>
#include <numeric>
#include <sstream>

using namespace migraphx;

namespace {

using sizes = std::vector<std::size_t>;

TEST(shape_view, logical_order) {
    std::vector<int> data(64);
    std::iota(data.begin(), data.end(), 0);
    const shape shapes[] = {
        {shape::int32_type, {2, 3, 4}},
        {shape::int32_type, {2, 3, 4}, {1, 2, 6}},
        {shape::int32_type, {2, 3}, {0, 1}},
        {shape::int32_type, {2, 3}, {0, 0}},
        {shape::int32_type, {4, 3}, {6, 1}},
        {shape::int32_type, {5}, {3}},
        {shape::int32_type, {3, 1, 2}, {2, 9, 1}},
        {shape::int32_type, {2, 0, 3}, {1, 1, 1}},
        {shape::int32_type},
        {shape::int32_type, {}},
    };
    for (const shape& s : shapes) {
        std::vector<int> want;
        shape_for_each(s, [&](const auto& multi) { want.push_back(data[s.index(multi)]); });
        const auto view = make_view(s, data.data());
        EXPECT_EQ(view.size(), want.size()) << s;
        EXPECT_EQ(view.to_vector(), want) << s;
        EXPECT_EQ(view.empty(), want.empty()) << s;
        for (std::size_t i = 0; i < want.size(); ++i) {
            EXPECT_EQ(view[i], want[i]) << s;
            EXPECT_EQ(view.begin()[std::ptrdiff_t(i)], want[i]) << s;
            EXPECT_EQ(*(view.end() - std::ptrdiff_t(want.size() - i)), want[i]) << s;
        }
        std::vector<int> backward;
        for (auto it = view.end(); it != view.begin();)
            backward.push_back(*--it);
        std::reverse(backward.begin(), backward.end());
        EXPECT_EQ(backward, want) << s;
        EXPECT_EQ(view.end() - view.begin(), std::ptrdiff_t(want.size()));
    }
}

TEST(shape_view, elements) {
    std::vector<float> data(24);
    std::iota(data.begin(), data.end(), 0.0f);
    const shape s{shape::float_type, {4, 3}, {6, 1}};
    auto view = make_view(s, data.data());
    EXPECT_EQ(view(1, 2), 8.0f);
    EXPECT_EQ(view[4], 7.0f);
    EXPECT_EQ((view[sizes{3, 1}]), 19.0f);
    const sizes at = {2, 0};
    EXPECT_EQ(view(at.begin(), at.end()), 12.0f);
    EXPECT_EQ(*view.begin_at(at), 12.0f);
    EXPECT_EQ(view.front(), 0.0f);
    EXPECT_EQ(view.back(), 20.0f);
    view(1, 1) = 50;
    EXPECT_EQ(data[7], 50.0f);
    const auto row = view.slice_at(sizes{0}, sizes{2});
    EXPECT_EQ(row.to_vector(), (std::vector<float>{12, 13, 14}));
    EXPECT_EQ(*std::max_element(view.begin(), view.end()), 50.0f);
    std::sort(view.begin(), view.end());
    EXPECT_TRUE(std::is_sorted(view.begin(), view.end()));
    EXPECT_EQ(view, view);
    EXPECT_NE(view, row);
    std::ostringstream os;
    os << row;
    EXPECT_EQ(os.str(), "13, 14, 18");
    EXPECT_THROW(make_view(shape{shape::float_type, {{1, 4}}}, data.data()), migraphx::exception);
}

TEST(shape_view, for_each) {
    std::vector<sizes> seen;
    std::vector<std::size_t> numbers;
    shape_for_each(shape{shape::float_type, {2, 2}, {1, 2}},
                   [&](const sizes& multi, std::size_t i) {
                       seen.push_back(multi);
                       numbers.push_back(i);
                   });
    EXPECT_EQ(seen, (std::vector<sizes>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
    EXPECT_EQ(numbers, (sizes{0, 1, 2, 3}));
    shape_for_each(shape{shape::float_type, {3, 0}}, [&](const sizes&) { FAIL(); });
}

} // namespace
