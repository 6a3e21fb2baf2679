// SPDX-License-Identifier: MIT
// Boxes of positions, and kernels that move elements, on the host as a device: what operator cases
// do not reach, such as offsets beyond 32 bits.
#include "targets/gpu/lower/copy.hpp"
#include "targets/gpu/lower/strided.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <cstdint>
#include <numeric>
#include <vector>

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

device_problem problem_of(const operation& op, std::vector<shape> inputs, program& p) {
    auto& m = *p.get_main_module();
    std::vector<instruction_ref> args;
    for (std::size_t i = 0; i < inputs.size(); i++)
        args.push_back(m.add_parameter("x" + std::to_string(i), inputs[i]));
    const auto ins = m.add_instruction(op, args);
    device_problem d;
    d.ins = ins;
    d.op = op.normalized(inputs);
    d.inputs = std::move(inputs);
    d.output = ins->get_shape();
    d.on = host_device();
    return d;
}

void run(const kernel& k, std::vector<char*> inputs, std::vector<char*> outputs) {
    std::vector<char> scratch(k.scratch_bytes() + 1);
    k.run({inputs.data(), outputs.data(), scratch.data(), nullptr});
}

template <class T>
char* bytes(std::vector<T>& v) {
    return reinterpret_cast<char*>(v.data());
}

// Addresses without memory behind them until they are written.
struct far_memory {
    std::size_t size;
    char* first;
    explicit far_memory(std::size_t n)
        : size(n),
          first(static_cast<char*>(mmap(nullptr, n, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {}
    ~far_memory() { munmap(first, size); }
    far_memory(const far_memory&) = delete;
    far_memory& operator=(const far_memory&) = delete;
};

TEST(gpu_moves, axes_that_continue_each_other_in_all_tensors_merge) {
    box b{{2, 3, 1, 4}, {{12, 4, 4, 1}, {24, 8, 8, 1}}};
    b.simplify();
    EXPECT_EQ(b.lens, (sizes{6, 4}));
    EXPECT_EQ(b.strides, (std::vector<sizes>{{4, 1}, {8, 1}}));
}

TEST(gpu_moves, the_largest_stride_of_the_first_tensor_comes_first_unless_order_matters) {
    const box given{{2, 3}, {{1, 2}, {3, 1}}};
    auto b = given;
    b.simplify();
    EXPECT_EQ(b.lens, (sizes{3, 2}));
    b = given;
    b.simplify(true);
    EXPECT_EQ(b.lens, (sizes{2, 3}));
}

TEST(gpu_moves, one_element_is_one_axis) {
    box b{{1, 1}, {{5, 5}}};
    b.simplify();
    EXPECT_EQ(b.lens, (sizes{1}));
    EXPECT_EQ(b.elements(), 1);
}

TEST(gpu_moves, accesses_are_as_wide_as_every_stride_and_offset_allows) {
    const box b{{5, 24}, {{24, 1}, {32, 1}}};
    EXPECT_EQ(b.widest_access(2, 2), 8);
    EXPECT_EQ(b.widest_access(4, 2), 4);
    EXPECT_EQ(b.widest_access(8, 2), 2);
    EXPECT_EQ(b.widest_access(2, 2, {4}), 4);
    EXPECT_EQ(b.widest_access(2, 2, {3}), 1);
    const box odd{{5, 24}, {{24, 1}, {30, 1}}};
    EXPECT_EQ(odd.widest_access(2, 2), 2);
    // What is not moved must not go on within an access.
    const box indexed{{5, 24}, {{24, 1}, {0, 1}}};
    EXPECT_EQ(indexed.widest_access(2, 1), 1);
}

TEST(gpu_moves, sizes_beyond_30_bits_need_wide_indices) {
    EXPECT_FALSE((box{{1 << 10, 1 << 19}, {{1 << 19, 1}}}.is_large()));
    EXPECT_TRUE((box{{1 << 10, 1 << 20}, {{1 << 20, 1}}}.is_large()));
    EXPECT_TRUE((box{{2, 4}, {{int64_t{1} << 30, 1}}}.is_large()));
}

TEST(gpu_moves, copies_reach_offsets_beyond_32_bits) {
    const std::size_t far = (std::size_t{1} << 32) + 64;
    far_memory memory{far + 4096};
    for (int i = 0; i < 48; i++) {
        memory.first[i] = char(i);
        memory.first[far + std::size_t(i)] = char(100 + i);
    }
    const shape from{shape::int8_type, {2, 48}, {far, 1}};
    program p;
    const auto d = problem_of(make_op("contiguous"), {from}, p);
    std::vector<char> y(96, 0);
    run(*lower(d), {memory.first}, {y.data()});
    for (int i = 0; i < 48; i++) {
        EXPECT_EQ(y[std::size_t(i)], char(i));
        EXPECT_EQ(y[std::size_t(48 + i)], char(100 + i));
    }
}

TEST(gpu_moves, gathers_reach_offsets_beyond_32_bits) {
    const std::size_t step = std::size_t{1} << 31;
    far_memory memory{3 * step};
    for (std::size_t row = 0; row < 3; row++)
        memory.first[row * step + 5] = char(row + 1);
    program p;
    const auto d =
        problem_of(make_op("gather", {{"axis", 0}}),
                   {shape{shape::int8_type, {3, 7}, {step, 1}}, shape{shape::int64_type, {4}}}, p);
    std::vector<int64_t> index{2, 0, -2, 2};
    std::vector<char> y(28, 9);
    run(*lower(d), {memory.first, bytes(index)}, {y.data()});
    for (std::size_t i = 0; i < 4; i++)
        EXPECT_EQ(y[i * 7 + 5], char((index[i] + 3) % 3 + 1));
}

TEST(gpu_moves, indices_outside_touch_nothing_else) {
    program p;
    const auto d = problem_of(make_op("scatter_none", {{"axis", 0}}),
                              {shape{shape::float_type, {4}}, shape{shape::int64_type, {3}},
                               shape{shape::float_type, {3}}},
                              p);
    std::vector<float> x{1, 2, 3, 4}, updates{10, 20, 30}, y(6, -1);
    std::vector<int64_t> index{4, 1, -5};
    run(*lower(d), {bytes(x), bytes(index), bytes(updates)}, {bytes(y)});
    EXPECT_EQ(y, (std::vector<float>{1, 20, 3, 4, -1, -1}));
}

TEST(gpu_moves, parts_that_are_in_place_are_not_copied) {
    program p;
    const shape part{shape::float_type, {2, 3}};
    const auto d = problem_of(make_op("concat", {{"axis", 0}}), {part, part}, p);
    const auto k = lower(d);
    std::vector<float> y(12);
    std::iota(y.begin(), y.end(), 0.0f);
    const auto wanted = y;
    run(*k, {bytes(y), bytes(y) + 24}, {bytes(y)});
    EXPECT_EQ(y, wanted);
    // One of them elsewhere.
    std::vector<float> other(6, 7);
    run(*k, {bytes(y), bytes(other)}, {bytes(y)});
    EXPECT_EQ(y, (std::vector<float>{0, 1, 2, 3, 4, 5, 7, 7, 7, 7, 7, 7}));
}

TEST(gpu_moves, addresses_that_are_no_multiples_of_an_access_are_read_and_written) {
    program p;
    const shape s{shape::half_type, {3, 16}};
    const auto d = problem_of(make_op("contiguous"), {s}, p);
    std::vector<uint16_t> x(49), y(49, 0);
    std::iota(x.begin(), x.end(), uint16_t{0});
    run(*lower(d), {bytes(x) + 2}, {bytes(y) + 2});
    EXPECT_EQ(std::vector<uint16_t>(y.begin() + 1, y.end()),
              std::vector<uint16_t>(x.begin() + 1, x.end()));
}

TEST(gpu_moves, scans_reach_offsets_beyond_32_bits) {
    const std::size_t step = std::size_t{1} << 30;
    far_memory memory{4 * step * sizeof(float)};
    auto* x = reinterpret_cast<float*>(memory.first);
    for (std::size_t i = 0; i < 4; i++)
        x[i * step] = float(i + 1);
    program p;
    auto d = problem_of(make_op("prefix_scan_sum", {{"axis", 0}}),
                        {shape{shape::float_type, {4, 1}, {step, 1}}}, p);
    d.output = shape{shape::float_type, {4, 1}};
    std::vector<float> y(4);
    run(*lower(d), {memory.first}, {bytes(y)});
    EXPECT_EQ(y, (std::vector<float>{1, 3, 6, 10}));
}

TEST(gpu_moves, what_moves_elements_writes_and_reads_parts_of_a_concat) {
    program p;
    const auto d = problem_of(make_op("contiguous"), {shape{shape::float_type, {2, 3}}}, p);
    EXPECT_TRUE(writes_strided(d));
    EXPECT_TRUE(reads_strided(d, 0));
    program q;
    const auto e = problem_of(
        make_op("dot"), {shape{shape::float_type, {2, 3}}, shape{shape::float_type, {3, 2}}}, q);
    EXPECT_FALSE(writes_strided(e));
}

} // namespace
