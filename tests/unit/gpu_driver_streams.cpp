// SPDX-License-Identifier: MIT
// Marks behind queued work, over functions that play a driver: memory is given out again when all
// that was queued is done, and no later.
#include "targets/gpu/device/driver_streams.hpp"

#include <gtest/gtest.h>

#include <set>

namespace migraphx::gpu {
namespace {

constexpr int not_ready = 600;

std::set<void*> busy; // streams
int waits = 0;

struct fake_event {
    void* behind = nullptr;
};

driver_api functions() {
    driver_api a;
    a.kind = platform::cuda;
    a.context_get = [](void** c) {
        *c = &busy;
        return driver_success;
    };
    a.stream_create = [](void** s, unsigned) {
        *s = new int;
        return driver_success;
    };
    a.stream_destroy = [](void* s) {
        delete static_cast<int*>(s);
        return driver_success;
    };
    a.stream_query = [](void* s) { return busy.contains(s) ? not_ready : driver_success; };
    a.event_create = [](void** e, unsigned) {
        *e = new fake_event;
        return driver_success;
    };
    a.event_destroy = [](void* e) {
        delete static_cast<fake_event*>(e);
        return driver_success;
    };
    a.event_record = [](void* e, void* s) {
        static_cast<fake_event*>(e)->behind = s;
        return driver_success;
    };
    a.event_query = [](void* e) {
        return busy.contains(static_cast<fake_event*>(e)->behind) ? not_ready : driver_success;
    };
    a.synchronise = [] {
        waits++;
        busy.clear();
        return driver_success;
    };
    return a;
}

struct driver_streams_test : testing::Test {
    driver_api api = functions();
    current_device device{api, 0, &busy};
    driver_streams streams{device};

    driver_streams_test() {
        busy.clear();
        waits = 0;
    }
};

TEST_F(driver_streams_test, marks_pass_when_the_queued_work_is_done) {
    const auto first = streams.make(), second = streams.make();
    EXPECT_TRUE(streams.mark()->passed());
    busy.insert(second.get());
    const auto mark = streams.mark();
    EXPECT_FALSE(mark->passed());
    busy.clear();
    EXPECT_TRUE(mark->passed());
}

TEST_F(driver_streams_test, idle_streams_go_without_a_trace) {
    // Programs come and go with their streams: nobody waits for the device, and yet memory is free.
    for (int i = 0; i < 100; i++) {
        const auto s = streams.make();
        streams.used(s.get());
    }
    EXPECT_TRUE(streams.mark()->passed());
    EXPECT_EQ(waits, 0);
}

TEST_F(driver_streams_test, what_a_gone_stream_still_does_is_waited_for) {
    auto s = streams.make();
    busy.insert(s.get());
    s = nullptr;
    const auto mark = streams.mark();
    EXPECT_FALSE(mark->passed());
    EXPECT_EQ(streams.synchronize_device(), driver_success);
    EXPECT_TRUE(mark->passed());
    EXPECT_TRUE(streams.mark()->passed());
}

TEST_F(driver_streams_test, others_streams_are_known_to_be_done_after_a_wait_only) {
    int theirs = 0;
    streams.used(&theirs);
    const auto mark = streams.mark();
    EXPECT_FALSE(mark->passed());
    streams.synchronize_device();
    EXPECT_TRUE(mark->passed());
}

} // namespace
} // namespace migraphx::gpu
