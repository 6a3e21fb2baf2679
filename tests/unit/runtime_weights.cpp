// SPDX-License-Identifier: MIT
// The weight store: who shares a packed form, and where forms lie.
#include "runtime/weight_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace migraphx {
namespace {

argument constant(std::size_t n, float first, float last) {
    argument a{shape{shape::float_type, {n}}};
    auto* p = reinterpret_cast<float*>(a.data());
    for (std::size_t i = 0; i < n; i++)
        p[i] = first + float(i % 100);
    p[n / 2 + 1] = last; // between the lines that are looked at first
    return a;
}

struct counted_packer {
    const argument& from;
    int& made;
    packed_weight operator()() const {
        made++;
        auto w = allocate_weight(from.get_shape().bytes());
        std::memcpy(w.data.get(), from.data(), w.bytes);
        return w;
    }
};

TEST(weight_store, equal_constants_share_one_form) {
    for (const std::size_t n : {3u, 100u, 100000u}) {
        weight_store store;
        int made = 0;
        const auto a = constant(n, 1, 5), b = constant(n, 1, 5), c = constant(n, 1, 6);
        const auto x = store.get(a, "f", counted_packer{a, made});
        EXPECT_EQ(store.get(b, "f", counted_packer{b, made}), x);
        const auto z = store.get(c, "f", counted_packer{c, made});
        EXPECT_NE(z, x);
        EXPECT_EQ(std::memcmp(z->data.get(), c.data(), z->bytes), 0);
        EXPECT_NE(store.get(a, "g", counted_packer{a, made}), x);
        // What was seen in this memory is known without a look at it.
        const int before = made;
        EXPECT_EQ(store.get(a, "f", counted_packer{a, made}), x);
        EXPECT_EQ(store.get(b, "f", counted_packer{b, made}), x);
        EXPECT_EQ(store.get(c, "f", counted_packer{c, made}), z);
        EXPECT_EQ(made, before);
    }
}

TEST(weight_store, views_of_one_memory_are_told_apart) {
    weight_store store;
    int made = 0;
    const auto a = constant(64, 1, 5);
    const auto square = a.view(shape{shape::float_type, {8, 8}}, 0);
    const auto x = store.get(a, "f", counted_packer{a, made});
    EXPECT_NE(store.get(square, "f", counted_packer{square, made}), x);
}

TEST(weight_store, forms_go_with_their_last_user_and_memory_with_its_content) {
    weight_store store;
    int made = 0;
    auto a = constant(100000, 1, 5);
    store.get(a, "f", counted_packer{a, made}).reset();
    EXPECT_NE(store.get(a, "f", counted_packer{a, made}), nullptr);
    EXPECT_EQ(made, 2);
    // Memory that is used again for other numbers is another constant.
    const auto x = store.get(a, "f", counted_packer{a, made});
    std::vector<float> old(100000);
    std::memcpy(old.data(), a.data(), a.get_shape().bytes());
    auto other = constant(100000, 2, 5);
    a = argument{a.get_shape(), std::shared_ptr<char>(other.handle(), other.data())};
    const auto y = store.get(a, "f", counted_packer{a, made});
    EXPECT_EQ(std::memcmp(y->data.get(), other.data(), y->bytes), 0);
    EXPECT_EQ(std::memcmp(x->data.get(), old.data(), x->bytes), 0);
}

TEST(weight_store, threads_make_a_form_once) {
    weight_store store;
    std::atomic<int> calls = 0;
    const auto a = constant(100000, 1, 5);
    std::vector<std::shared_ptr<const packed_weight>> got(8);
    std::vector<std::thread> threads;
    for (auto& g : got)
        threads.emplace_back([&] {
            g = store.get(a, "f", [&] {
                calls++;
                auto w = allocate_weight(a.get_shape().bytes());
                std::memcpy(w.data.get(), a.data(), w.bytes);
                return w;
            });
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(calls, 1);
    for (const auto& g : got)
        EXPECT_EQ(g, got.front());
}

TEST(weight_memory, blocks_are_aligned_and_do_not_overlap) {
    std::vector<packed_weight> all;
    for (std::size_t i = 0; i < 300; i++) {
        const std::size_t bytes = i % 50 == 49 ? 20u << 20 : i * 1237 % 300000;
        all.push_back(allocate_weight(bytes));
        auto& w = all.back();
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(w.data.get()) % 64, 0u);
        ASSERT_EQ(w.bytes, bytes);
        std::memset(w.data.get(), int(i), std::min<std::size_t>(bytes, 300000));
        if (i % 3 == 2)
            all[i - 1] = {};
    }
    for (std::size_t i = 0; i < all.size(); i++)
        for (std::size_t b = 0; b < std::min<std::size_t>(all[i].bytes, 300000); b += 97)
            ASSERT_EQ(all[i].data.get()[b], char(i)) << i;
    EXPECT_THROW(allocate_weight(std::size_t(-1)), std::exception);
    EXPECT_THROW(allocate_weight(std::size_t(1) << 60), std::exception);
}

} // namespace
} // namespace migraphx
