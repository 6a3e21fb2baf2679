// SPDX-License-Identifier: MIT
// Products on matrix units on the gpu target, where the sum over k is long and the tiles are few:
// parts of it by the blocks of a cluster (Hopper), or by launches of their own.
#include "targets/gpu/lower/own_product.hpp"

#include "device/kernels.hpp"

#include <cmath>
#include <migraphx/generate.hpp>
#include <migraphx/make_op.hpp>
#include <string>
#include <vector>

namespace device_test {

namespace {

using lens = std::vector<std::size_t>;

struct gpu_product : on_device {
    void expect_right(const lens& a, const lens& b, int variant,
                      lowered (*make)(const device_problem&) = matrix_unit_product) const {
        const auto t = shape::half_type;
        const std::vector<argument> in{
            generate_argument({t, a}, 1, random_mode::random),
            generate_argument(shape::from_permutation(t, b, {1, 0}), 2, random_mode::random)};
        auto p = problem_of(d, make_op("dot"), in);
        p.variant = variant;
        const auto made = make(p);
        if (not made and made.reason == "no groups of warps")
            return;
        ASSERT_TRUE(made) << made.reason;
        device_arguments x(p, in, s);
        x.run(*made.k);
        EXPECT_LE(largest_difference(x.results(), reference(p, in)), 2e-3 * std::sqrt(double(a[1])))
            << made.k->name() << " of " << a[0] << 'x' << a[1] << 'x' << b[1];
        const auto& is = d->properties();
        if (variant == 0 and make == matrix_unit_product and is.kind == platform::cuda and
            is.capability >= 90 and is.multiprocessors > 100)
            EXPECT_NE(made.k->name().find("together"), std::string::npos) << made.k->name();
    }
};
ON_EACH_DEVICE(gpu_product);

} // namespace

TEST_P(gpu_product, parts_of_long_sums) {
    // First and last parts of all lengths, rows and columns that fill no tile.
    const std::vector<lens> sizes =
        is_gpu() ? std::vector<lens>{{49, 2048, 512}, {196, 1024, 256}, {784, 512, 128},
                                     {60, 1032, 72},  {5, 520, 8},      {130, 4095, 264}}
                 : std::vector<lens>{{49, 256, 40}, {5, 392, 8}};
    for (const auto& n : sizes)
        for (int variant = 0; variant <= 6; variant++)
            expect_right({n[0], n[1]}, {n[1], n[2]}, variant);
}

TEST_P(gpu_product, groups_of_four_warps) {
    const std::vector<lens> sizes =
        is_gpu() ? std::vector<lens>{{1000, 64, 256},  {3136, 16, 96}, {130, 200, 136},
                                     {784, 2048, 512}, {257, 72, 72},  {640, 128, 24}}
                 : std::vector<lens>{{130, 200, 72}};
    for (const auto& n : sizes)
        for (const auto make : {wide_group_product, narrow_group_product})
            for (int turn = 0; turn < 3; turn++)
                expect_right({n[0], n[1]}, {n[1], n[2]}, 0, make);
}

} // namespace device_test
