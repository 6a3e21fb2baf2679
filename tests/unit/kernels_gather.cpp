// SPDX-License-Identifier: MIT
// Gathers and scatters against index arithmetic, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_gather.hpp"

#include <gtest/gtest.h>

#include <cstring>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

// Indices in [-len, len), as i64 and i32.
struct indices {
    std::vector<int64_t> wide;
    std::vector<int32_t> narrow;
    indices(int64_t n, int64_t len, unsigned seed) {
        std::mt19937 gen(seed);
        for (int64_t i = 0; i < n; ++i)
            wide.push_back(int64_t(gen() % uint64_t(2 * len)) - len);
        narrow.assign(wide.begin(), wide.end());
    }
    index_list list(bool use_narrow) const {
        if (use_narrow)
            return {narrow.data(), elem_type::i32, int64_t(narrow.size())};
        return {wide.data(), elem_type::i64, int64_t(wide.size())};
    }
};

int64_t wrap(int64_t i, int64_t len) {
    return i < 0 ? i + len : i;
}

TEST(kernels_gather, rows_and_single_elements) {
    for (int elem : {1, 2, 4, 8})
        for (int64_t run : {1, 2, 5, 16, 33})
            for (int64_t n : {0, 1, 7, 300}) {
                const int64_t outer = 3, len = 11;
                const auto x = random_bytes(size_t(outer * len * run * elem), 1);
                const indices idx(n, len, 2);
                for (isa level : levels())
                    for (bool narrow : {false, true}) {
                        std::vector<char> y(size_t(outer * n * run * elem) + 1, 77);
                        gather_params p{x.data(), y.data(), idx.list(narrow), elem, len, len * run,
                                        run,      run};
                        ASSERT_EQ(run_gather(p, outer, kernels_for(level)), -1);
                        ASSERT_EQ(y.back(), 77);
                        for (int64_t o = 0; o < outer; ++o)
                            for (int64_t j = 0; j < n; ++j)
                                ASSERT_EQ(
                                    0, std::memcmp(y.data() + (o * n + j) * run * elem,
                                                   x.data() +
                                                       (o * len + wrap(idx.wide[size_t(j)], len)) *
                                                           run * elem,
                                                   size_t(run * elem)));
                    }
            }
}

TEST(kernels_gather, first_bad_index_is_reported) {
    indices idx(1000000, 11, 2);
    for (int64_t at : {999999, 600001, 300, 5, 0}) {
        for (int64_t bad : {11, -12}) {
            auto copy = idx;
            copy.wide[size_t(at)] = copy.narrow[size_t(at)] = int32_t(bad);
            const float x[11] = {};
            for (isa level : levels())
                for (bool narrow : {false, true}) {
                    gather_params p{reinterpret_cast<const char*>(x),
                                    nullptr,
                                    copy.list(narrow),
                                    4,
                                    11,
                                    11,
                                    1,
                                    1};
                    ASSERT_EQ(run_gather(p, 1, kernels_for(level)), at);
                }
        }
        idx.wide[size_t(at)] = idx.narrow[size_t(at)] = 50;
    }
}

index_walk_params walk_params(const dims& lens, const dims& tensor, int axis, elem_type type) {
    index_walk_params p{};
    p.type = type;
    p.rank = int(lens.size());
    p.axis = axis;
    p.axis_len = tensor[size_t(axis)];
    const dims steps = packed(tensor);
    for (size_t d = 0; d < lens.size(); ++d) {
        p.lens[d] = lens[d];
        p.steps[d] = steps[d];
    }
    return p;
}

TEST(kernels_gather, elements) {
    for (int axis = 0; axis < 3; ++axis) {
        const dims tensor{5, 6, 9};
        dims lens{4, 5, 8};
        lens[size_t(axis)] = 13;
        const auto x = random_floats(size_t(count(tensor)), 1);
        const indices idx(count(lens), tensor[size_t(axis)], 2);
        for (isa level : levels()) {
            std::vector<float> y(size_t(count(lens)));
            auto p = walk_params(lens, tensor, axis, elem_type::f32);
            p.tensor = reinterpret_cast<char*>(const_cast<float*>(x.data()));
            p.packed = reinterpret_cast<char*>(y.data());
            p.idx = idx.list(false);
            ASSERT_EQ(run_gather_elements(p, kernels_for(level)), -1);
            for_each_index(lens, [&](dims i) {
                const size_t at = size_t(dot(i, packed(lens)));
                i[size_t(axis)] = wrap(idx.wide[at], tensor[size_t(axis)]);
                ASSERT_EQ(y[at], x[size_t(dot(i, packed(tensor)))]);
            });
        }
    }
}

template <class T>
T joined(scatter_op op, T a, T x) {
    switch (op) {
    case scatter_op::add:
        return T(a + x);
    case scatter_op::mul:
        return T(a * x);
    case scatter_op::max:
        return std::max(a, x);
    case scatter_op::min:
        return std::min(a, x);
    default:
        return x;
    }
}

const scatter_op scatter_ops[] = {scatter_op::none, scatter_op::add, scatter_op::mul,
                                  scatter_op::max, scatter_op::min};

template <class T>
void check_scatter(elem_type type) {
    for (auto op : scatter_ops)
        for (int axis = 0; axis < 3; ++axis) {
            const dims tensor{5, 6, 9};
            dims lens{4, 5, 8};
            lens[size_t(axis)] = 13;
            const auto base = random_bytes(size_t(count(tensor)), 1),
                       add = random_bytes(size_t(count(lens)), 2);
            std::vector<T> x, u;
            for (char c : base)
                x.push_back(T(c % 16));
            for (char c : add)
                u.push_back(T(c % 4));
            const indices idx(count(lens), tensor[size_t(axis)], 2);
            auto want = x;
            for_each_index(lens, [&](dims i) {
                const size_t at = size_t(dot(i, packed(lens)));
                i[size_t(axis)] = wrap(idx.wide[at], tensor[size_t(axis)]);
                auto& to = want[size_t(dot(i, packed(tensor)))];
                to = joined(op, to, u[at]);
            });
            for (isa level : levels()) {
                auto got = x;
                auto p = walk_params(lens, tensor, axis, type);
                p.tensor = reinterpret_cast<char*>(got.data());
                p.packed = reinterpret_cast<char*>(u.data());
                p.idx = idx.list(true);
                ASSERT_EQ(run_scatter_elements(p, op, kernels_for(level)), -1);
                ASSERT_TRUE(got == want) << to_string(level) << int(op) << axis;
            }
        }
}

TEST(kernels_gather, scatter_elements) {
    check_scatter<float>(elem_type::f32);
    check_scatter<double>(elem_type::f64);
    check_scatter<_Float16>(elem_type::f16);
    check_scatter<int8_t>(elem_type::i8);
    check_scatter<int64_t>(elem_type::i64);
    check_scatter<uint16_t>(elem_type::u16);
}

TEST(kernels_gather, scatter_skips_outside_when_told) {
    for (isa level : levels()) {
        std::vector<float> x(4, 1.0f), u{10, 20, 30};
        const std::vector<int64_t> idx{2, 9, -1};
        auto p = walk_params({3}, {4}, 0, elem_type::f32);
        p.tensor = reinterpret_cast<char*>(x.data());
        p.packed = reinterpret_cast<char*>(u.data());
        p.idx = {idx.data(), elem_type::i64, 3};
        EXPECT_EQ(run_scatter_elements(p, scatter_op::add, kernels_for(level)), 1);
        EXPECT_EQ(x, std::vector<float>(4, 1.0f));
        p.skip_outside = true;
        EXPECT_EQ(run_scatter_elements(p, scatter_op::add, kernels_for(level)), -1);
        EXPECT_EQ(x, (std::vector<float>{1, 1, 11, 31}));
    }
}

TEST(kernels_gather, tuples) {
    const dims tensor{2, 5, 6, 7};
    for (int depth = 1; depth <= 3; ++depth) {
        int64_t run = 1;
        for (size_t d = size_t(depth) + 1; d < 4; ++d)
            run *= tensor[d];
        const int64_t tuples = 9;
        std::vector<int64_t> idx;
        std::mt19937 gen(3);
        for (int64_t t = 0; t < 2 * tuples; ++t)
            for (int d = 0; d < depth; ++d) {
                const int64_t len = tensor[size_t(d) + 1];
                idx.push_back(int64_t(gen() % uint64_t(2 * len)) - len);
            }
        auto x = random_floats(size_t(count(tensor)), 1);
        const auto u = random_floats(size_t(2 * tuples * run), 2);
        index_tuple_params p{};
        p.idx = {idx.data(), elem_type::i64, int64_t(idx.size())};
        p.type = elem_type::f32;
        p.depth = depth;
        p.batches = 2;
        p.tuples = tuples;
        p.batch_step = packed(tensor)[0];
        for (int d = 0; d < depth; ++d) {
            p.lens[d] = tensor[size_t(d) + 1];
            p.steps[d] = packed(tensor)[size_t(d) + 1];
        }
        p.run = run;
        const auto offset = [&](int64_t t) {
            int64_t at = t / tuples * p.batch_step;
            for (int d = 0; d < depth; ++d)
                at += wrap(idx[size_t(t * depth + d)], p.lens[d]) * p.steps[d];
            return at;
        };
        for (isa level : levels()) {
            std::vector<float> y(size_t(2 * tuples * run));
            p.tensor = reinterpret_cast<char*>(x.data());
            p.packed = reinterpret_cast<char*>(y.data());
            ASSERT_EQ(run_gather_tuples(p, kernels_for(level)), -1);
            for (int64_t t = 0; t < 2 * tuples; ++t)
                for (int64_t i = 0; i < run; ++i)
                    ASSERT_EQ(y[size_t(t * run + i)], x[size_t(offset(t) + i)]);
            for (auto op : scatter_ops) {
                auto got = x, want = x;
                p.tensor = reinterpret_cast<char*>(got.data());
                p.packed = reinterpret_cast<char*>(const_cast<float*>(u.data()));
                ASSERT_EQ(run_scatter_tuples(p, op, kernels_for(level)), -1);
                for (int64_t t = 0; t < 2 * tuples; ++t)
                    for (int64_t i = 0; i < run; ++i) {
                        float& to = want[size_t(offset(t) + i)];
                        to = joined(op, to, u[size_t(t * run + i)]);
                    }
                ASSERT_EQ(got, want);
            }
            auto bad = idx;
            bad.back() = 100;
            auto q = p;
            q.idx.data = bad.data();
            ASSERT_EQ(run_gather_tuples(q, kernels_for(level)), int64_t(idx.size()) - 1);
        }
    }
}

} // namespace
