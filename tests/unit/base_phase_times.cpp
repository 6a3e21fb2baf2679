// SPDX-License-Identifier: MIT
// The table of compile times: order, nesting, shares, work of several threads.
#include "base/phase_times.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace migraphx {
namespace {

TEST(phase_times, rows_in_order_with_shares_and_counts) {
    phase_table t;
    const auto outer = t.begin("specialise");
    const auto inner = t.begin("simplify");
    t.end(inner, 2.5, 12, 7);
    t.end(outer, 5, 12, 7);
    const auto last = t.begin("memory plan");
    t.end(last, 15, {}, {});
    EXPECT_EQ(t.text(20), "specialise: 5.000ms, 25%, 12 -> 7\n"
                          "  simplify: 2.500ms, 13%, 12 -> 7\n"
                          "memory plan: 15.0ms, 75%\n"
                          "Total: 20.0ms\n");
}

TEST(phase_times, work_of_several_threads_is_one_row) {
    phase_table t;
    const auto lowering = t.begin("lowering");
    std::thread other([&] { t.add("packing", 1); });
    other.join();
    t.add("packing", 2);
    t.add("codegen", 1);
    t.end(lowering, 4, 9, 5);
    t.add("packing", 1); // not within lowering: a row of its own
    EXPECT_EQ(t.text(5), "lowering: 4.000ms, 80%, 9 -> 5\n"
                         "  packing: 3.000ms, 60%, sum of 2\n"
                         "  codegen: 1.000ms, 20%\n"
                         "packing: 1.000ms, 20%\n"
                         "Total: 5.000ms\n");
}

TEST(phase_times, an_empty_table_has_a_total) {
    EXPECT_EQ(phase_table{}.text(0), "Total: 0.000ms\n");
}

TEST(phase_times, written_only_while_wanted_and_to_the_outermost_report) {
    EXPECT_EQ(current_phases(), nullptr);
    testing::internal::CaptureStderr();
    {
        const phase_report none("nothing");
        EXPECT_EQ(current_phases(), nullptr);
        const timed_phase row("unseen");
        EXPECT_FALSE(row.wanted());
    }
    time_phases(true);
    {
        const phase_report report("compile");
        const phase_report inner("a part");
        timed_phase row("pass");
        row.before = 3;
        row.after = 2;
        auto* table = current_phases();
        std::thread helper([&] {
            EXPECT_EQ(current_phases(), nullptr);
            const phase_helper with(table);
            const timed_work work("packing");
        });
        helper.join();
        EXPECT_EQ(current_phases(), table);
    }
    time_phases(false);
    const auto text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(text.starts_with("Times of compile:\npass: ")) << text;
    EXPECT_NE(text.find("%, 3 -> 2\n  packing: "), std::string::npos) << text;
    EXPECT_EQ(text.find("a part"), std::string::npos) << text;
}

} // namespace
} // namespace migraphx
