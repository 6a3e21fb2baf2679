// SPDX-License-Identifier: MIT
// Strided copies against index arithmetic, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_copy.hpp"

#include <gtest/gtest.h>

#include <cstring>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

// Copies by definition, element by element.
void naive_copy(int elem, const dims& lens, const char* src, const dims& ss, char* dst,
                const dims& ds) {
    for_each_index(lens, [&](const dims& i) {
        std::memcpy(dst + dot(i, ds) * elem, src + dot(i, ss) * elem, size_t(elem));
    });
}

// src starts at an odd element offset; guards surround the destination.
void check_copy(int elem, const dims& lens, const dims& ss, const dims& ds) {
    const extent se = extent_of(lens, ss), de = extent_of(lens, ds);
    const auto src = random_bytes(size_t((se.size() + 3) * elem), 7);
    const char* s = src.data() + (1 - se.low) * elem;
    for (isa level : levels()) {
        std::vector<char> got(size_t(de.size() + 64) * elem, 0x5a), want = got;
        const int64_t at = (32 + 1 - de.low) * elem;
        run_copy(elem, int(lens.size()), lens.data(), s, ss.data(), got.data() + at, ds.data(),
                 kernels_for(level));
        naive_copy(elem, lens, s, ss, want.data() + at, ds);
        ASSERT_EQ(got, want) << to_string(level) << " elem " << elem << " lens " << show(lens)
                             << " src " << show(ss) << " dst " << show(ds);
    }
}

void check_permutation(int elem, const dims& lens, const dims& perm) {
    const dims in = packed(lens);
    dims out_lens, strides;
    for (auto p : perm) {
        out_lens.push_back(lens[size_t(p)]);
        strides.push_back(in[size_t(p)]);
    }
    check_copy(elem, out_lens, strides, packed(out_lens));
    check_copy(elem, out_lens, packed(out_lens), strides);
}

TEST(kernels_copy, runs_of_every_length) {
    for (int elem : {1, 2, 4, 8})
        for (int64_t n = 0; n < 70; ++n)
            check_copy(elem, {3, n}, {n + 5, 1}, {n + 1, 1});
}

TEST(kernels_copy, transposes_around_tile_sizes) {
    for (int elem : {1, 2, 4, 8})
        for (int64_t m : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 50})
            for (int64_t n : {1, 2, 4, 5, 8, 13, 16, 19, 32, 70})
                check_permutation(elem, {m, n}, {1, 0});
}

TEST(kernels_copy, permutations_of_higher_rank) {
    for (int elem : {1, 2, 4, 8}) {
        check_permutation(elem, {2, 3, 17, 5}, {0, 2, 3, 1});
        check_permutation(elem, {2, 17, 5, 3}, {0, 3, 1, 2});
        check_permutation(elem, {3, 4, 5, 6}, {3, 2, 1, 0});
        check_permutation(elem, {2, 12, 9, 16}, {0, 2, 1, 3});
        check_permutation(elem, {2, 1, 3, 2, 1, 3, 2, 2}, {7, 0, 6, 1, 5, 2, 4, 3});
    }
}

TEST(kernels_copy, broadcasts_slices_steps_and_reversals) {
    for (int elem : {1, 2, 4, 8}) {
        check_copy(elem, {4, 33}, {1, 0}, {33, 1});
        check_copy(elem, {33, 4}, {0, 1}, {4, 1});
        check_copy(elem, {2, 5, 7}, {0, 0, 0}, {35, 7, 1});
        check_copy(elem, {6, 31}, {40, -1}, {31, 1});
        check_copy(elem, {6, 31}, {-31, 1}, {31, 1});
        check_copy(elem, {6, 31}, {31, 1}, {31, -1});
        check_copy(elem, {6, 31}, {31, 1}, {-31, -1});
        for (int64_t step = 2; step < 6; ++step) {
            check_copy(elem, {6, 31}, {31 * step, step}, {31, 1});
            check_copy(elem, {6, 31}, {31, 1}, {31 * step, step});
        }
    }
}

TEST(kernels_copy, large_copies_are_split_over_threads) {
    check_copy(4, {1 << 20}, {1}, {1});
    check_copy(4, {700, 900}, {1, 700}, {900, 1});
    check_copy(2, {64, 3, 4001}, {12003, 1, 3}, {12003, 4001, 1});
}

TEST(kernels_copy, scalars_and_empty_tensors) {
    check_copy(4, {}, {}, {});
    check_copy(8, {1, 1}, {5, 0}, {0, 9});
    check_copy(4, {3, 0, 5}, {0, 5, 1}, {0, 5, 1});
}

TEST(kernels_copy, rank_above_eight_is_refused) {
    const dims nine(9, 2);
    char c = 0;
    EXPECT_ANY_THROW(run_copy(1, 9, nine.data(), &c, packed(nine).data(), &c, packed(nine).data()));
}

int64_t pad_index(pad_kind kind, int64_t i, int64_t len) {
    if (kind == pad_kind::edge)
        return i < 0 ? 0 : i >= len ? len - 1 : i;
    while (i < 0 || i >= len)
        i = i < 0 ? -i : 2 * (len - 1) - i;
    return i;
}

void check_pad(pad_kind kind, const dims& lens, const dims& before, const dims& after) {
    dims out;
    for (size_t i = 0; i < lens.size(); ++i)
        out.push_back(lens[i] + before[i] + after[i]);
    const dims ss = packed(lens), ds = packed(out);
    std::vector<int32_t> src(size_t(count(lens)));
    for (size_t i = 0; i < src.size(); ++i)
        src[i] = int32_t(i) + 1;
    const int32_t value = -7;
    for (isa level : levels()) {
        std::vector<int32_t> got(size_t(count(out)), 99);
        run_pad(kind, 4, int(lens.size()), lens.data(), before.data(), after.data(), &value,
                src.data(), ss.data(), got.data(), ds.data(), kernels_for(level));
        for_each_index(out, [&](const dims& i) {
            int64_t at = 0;
            bool inside = true;
            for (size_t d = 0; d < i.size(); ++d) {
                int64_t k = i[d] - before[d];
                if (k < 0 || k >= lens[d]) {
                    inside = inside && kind != pad_kind::constant;
                    k = kind == pad_kind::constant ? 0 : pad_index(kind, k, lens[d]);
                }
                at += k * ss[d];
            }
            ASSERT_EQ(got[size_t(dot(i, ds))], inside ? src[size_t(at)] : value) << show(i);
        });
    }
}

TEST(kernels_copy, pads) {
    for (auto kind : {pad_kind::constant, pad_kind::reflect, pad_kind::edge}) {
        check_pad(kind, {2, 3, 5, 7}, {0, 0, 1, 3}, {0, 0, 2, 1});
        check_pad(kind, {3, 4}, {2, 9}, {5, 11});
        check_pad(kind, {4}, {0}, {0});
    }
    check_pad(pad_kind::constant, {0, 3}, {1, 1}, {1, 1});
}

} // namespace
