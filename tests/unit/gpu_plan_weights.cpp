// SPDX-License-Identifier: MIT
// Constants in device memory: who shares them, and that their bytes arrive.
#include "targets/gpu/weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace migraphx::gpu {
namespace {

argument numbers(std::size_t n, float first, float odd) {
    argument a{shape{shape::float_type, {n}}};
    auto* p = reinterpret_cast<float*>(a.data());
    std::iota(p, p + n, first);
    p[n / 2 + 1] = odd; // a large constant is not looked at here before its form is compared
    return a;
}

TEST(gpu_weights, constants_arrive_and_equal_ones_are_shared) {
    auto on = host_device();
    for (const std::size_t n : {3u, 1000u, 200000u, 3000000u}) {
        const auto a = numbers(n, 1, 5), b = numbers(n, 1, 5), c = numbers(n, 1, 6);
        const auto x = device_constant(*on, a), y = device_constant(*on, b);
        const auto z = device_constant(*on, c);
        EXPECT_EQ(x, y);
        EXPECT_NE(x, z);
        EXPECT_EQ(x->bytes, 4 * n);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x->data.get()) % 256, 0u);
        EXPECT_EQ(std::memcmp(x->data.get(), a.data(), 4 * n), 0);
        EXPECT_EQ(std::memcmp(z->data.get(), c.data(), 4 * n), 0);
        EXPECT_NE(x->data.get(), a.data());
    }
}

TEST(gpu_weights, forms_are_made_once_and_go_with_their_last_user) {
    auto on = host_device();
    const auto a = numbers(100, 7, 1);
    int made = 0;
    const auto get = [&] {
        return device_constant(*on, a, "reversed", 400, [&](char* to) {
            made++;
            const auto* from = reinterpret_cast<const float*>(a.data());
            std::reverse_copy(from, from + 100, reinterpret_cast<float*>(to));
        });
    };
    auto x = get();
    EXPECT_EQ(get(), x);
    EXPECT_EQ(made, 1);
    EXPECT_EQ(reinterpret_cast<float*>(x->data.get())[0],
              reinterpret_cast<const float*>(a.data())[99]);
    EXPECT_NE(device_constant(*on, a), x);
    x = nullptr;
    get();
    EXPECT_EQ(made, 2);
}

} // namespace
} // namespace migraphx::gpu
