// SPDX-License-Identifier: MIT
#include "ir/output_parameter.hpp"

#include <gtest/gtest.h>

namespace migraphx {
namespace {

TEST(output_parameter, names_sort_as_their_numbers) {
    EXPECT_EQ(output_parameter_name(0), "main:#output_0");
    EXPECT_EQ(output_parameter_name(9), "main:#output_9");
    EXPECT_EQ(output_parameter_name(10), "main:#output_:00010");
    EXPECT_EQ(output_parameter_name(12345), "main:#output_:12345");
    for (std::size_t i = 1; i < 120; i++)
        EXPECT_LT(output_parameter_name(i - 1), output_parameter_name(i));
}

TEST(output_parameter, only_such_names_are_taken_for_one) {
    for (const std::size_t i : {0u, 7u, 10u, 99u, 123456u})
        EXPECT_EQ(output_parameter_index(output_parameter_name(i)), i);
    for (const auto* name : {"x", "main:#output_", "main:#output_x", "main:#output_10",
                             "main:#output_:0010", "main:#output_:00001", "main:#output_1 "})
        EXPECT_FALSE(output_parameter_index(name)) << name;
}

} // namespace
} // namespace migraphx
