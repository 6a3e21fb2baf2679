// SPDX-License-Identifier: MIT
// The device over a driver, with a driver that is a few lines of this file: memory of a limited
// size, streams that run at once, recordings that are counted. What needs real work is in
// tests/device.
#include "targets/gpu/device/driver_api.hpp"
#include "targets/gpu/device/memory_pool.hpp"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <migraphx/errors.hpp>
#include <set>
#include <string>
#include <vector>

using namespace migraphx::gpu;

namespace {

struct fake_driver {
    std::size_t capacity = 1 << 20;
    std::size_t used = 0;
    std::map<void*, std::size_t> blocks;
    std::set<void*> streams, events, recording, graphs;
    int pending = 0; ///< events say "not ready" as long as it is not 0
    int allocations = 0, device_waits = 0, launches = 0, fail_launch = 0;
    int shared_allowed = 0;
    bool spoilt = false; ///< the recording in progress cannot become a graph
    std::uintptr_t next = 4096;

    void* handle() { return reinterpret_cast<void*>(next += 16); }
};
fake_driver* fake = nullptr;
thread_local void* current_context = nullptr;

driver_api fake_api() {
    driver_api a;
    a.init = [](unsigned) { return 0; };
    a.driver_version = [](int* v) { return *v = 13000, 0; };
    a.device_count = [](int* n) { return *n = 1, 0; };
    a.device_get = [](int* d, int) { return *d = 7, 0; };
    a.device_name = [](char* name, int, int) { return std::strcpy(name, "a fake"), 0; };
    a.device_memory = [](std::size_t* bytes, int) { return *bytes = fake->capacity, 0; };
    a.device_attribute = [](int* value, int which, int) {
        *value = which == cuda_attributes.major       ? 9
                 : which == cuda_attributes.shared    ? 227 * 1024
                 : which == cuda_attributes.warp_size ? 32
                                                      : 0;
        return 0;
    };
    a.context_retain = [](void** c, int) { return *c = &fake, 0; };
    a.context_get = [](void** c) { return *c = current_context, 0; };
    a.context_set = [](void* c) { return current_context = c, 0; };
    a.synchronise = [] {
        EXPECT_TRUE(fake->recording.empty()) << "the whole device is waited for while one records";
        fake->device_waits++;
        fake->pending = 0;
        return 0;
    };
    a.memory_info = [](std::size_t* free, std::size_t* total) {
        *total = fake->capacity;
        *free = fake->capacity - fake->used;
        return 0;
    };
    a.allocate = [](void** p, std::size_t bytes) {
        EXPECT_EQ(current_context, &fake);
        if (fake->used + bytes > fake->capacity)
            return driver_out_of_memory;
        fake->allocations++;
        fake->used += bytes;
        *p = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
        fake->blocks[*p] = bytes;
        return 0;
    };
    a.release = [](void* p) {
        EXPECT_EQ(fake->blocks.count(p), 1U) << "what is no block, or was released before";
        fake->used -= fake->blocks[p];
        fake->blocks.erase(p);
        std::free(p);
        return 0;
    };
    a.allocate_host = [](void** p, std::size_t bytes, unsigned) {
        return *p = std::malloc(bytes), 0;
    };
    a.release_host = [](void* p) { return std::free(p), 0; };
    a.copy_to_device = [](void* to, const void* from, std::size_t n, void*) {
        return std::memcpy(to, from, n), 0;
    };
    a.copy_to_host = [](void* to, void* from, std::size_t n, void*) {
        return std::memcpy(to, from, n), 0;
    };
    a.copy_on_device = a.copy_to_host;
    a.fill = [](void* to, unsigned char byte, std::size_t n, void*) {
        return std::memset(to, byte, n), 0;
    };
    a.pointer_attributes = [](unsigned count, int* attributes, void** values, void* p) {
        const bool known = fake->blocks.count(p) == 1;
        for (unsigned i = 0; i < count; i++) {
            const int x = attributes[i] == pointer_memory_type ? 2 * known : known ? 0 : -2;
            std::memcpy(values[i], &x, sizeof(x));
        }
        return 0;
    };
    a.stream_create = [](void** s, unsigned flags) {
        EXPECT_EQ(flags, stream_non_blocking);
        fake->streams.insert(*s = fake->handle());
        return 0;
    };
    a.stream_destroy = [](void* s) { return fake->streams.erase(s) == 1 ? 0 : 1; };
    a.stream_synchronise = [](void* s) {
        EXPECT_EQ(fake->recording.count(s), 0U) << "a stream that records is waited for";
        return 0;
    };
    a.stream_query = [](void*) { return fake->pending > 0 ? driver_not_ready : 0; };
    a.stream_wait = [](void*, void*, unsigned) { return 0; };
    a.capture_begin = [](void* s, int mode) {
        EXPECT_EQ(mode, capture_relaxed);
        return fake->recording.insert(s).second ? 0 : 1;
    };
    a.capture_end = [](void* s, void** graph) {
        fake->recording.erase(s);
        if (fake->spoilt)
            return driver_capture_invalidated;
        fake->graphs.insert(*graph = fake->handle());
        return 0;
    };
    a.event_create = [](void** e, unsigned) {
        fake->events.insert(*e = fake->handle());
        return 0;
    };
    a.event_destroy = [](void* e) { return fake->events.erase(e) == 1 ? 0 : 1; };
    a.event_record = [](void*, void* s) {
        EXPECT_EQ(fake->recording.count(s), 0U) << "an event on a stream that records";
        return 0;
    };
    a.event_query = [](void*) { return fake->pending > 0 ? driver_not_ready : 0; };
    a.event_synchronise = [](void*) { return 0; };
    a.event_elapsed = [](float* ms, void*, void*) { return *ms = 1, 0; };
    a.graph_instantiate = [](void** exec, void*, unsigned long long) {
        fake->graphs.insert(*exec = fake->handle());
        return 0;
    };
    a.graph_launch = [](void*, void*) { return 0; };
    a.graph_exec_destroy = [](void* g) { return fake->graphs.erase(g) == 1 ? 0 : 1; };
    a.graph_destroy = a.graph_exec_destroy;
    a.module_load = [](void** m, const void* image, unsigned, int* keys, void** values) {
        EXPECT_EQ(keys[0], jit_error_log);
        if (std::strcmp(static_cast<const char*>(image), "bad") == 0) {
            std::strcpy(static_cast<char*>(values[0]), "line 3 is bad");
            return driver_invalid_code;
        }
        return *m = fake->handle(), 0;
    };
    a.module_unload = [](void*) { return 0; };
    a.module_function = [](void** f, void*, const char* name) {
        return std::strcmp(name, "entry") == 0 ? (*f = fake->handle(), 0) : driver_not_found;
    };
    a.function_attribute = [](void*, int attribute, int value) {
        EXPECT_EQ(attribute, function_dynamic_shared);
        return fake->shared_allowed = value, 0;
    };
    a.launch = [](void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                  unsigned shared, void*, void**, void**) {
        EXPECT_TRUE(shared <= 48 * 1024 or int(shared) <= fake->shared_allowed);
        fake->launches++;
        return fake->fail_launch;
    };
    a.error_name = [](int, const char** text) { return *text = "FAKE_ERROR", 0; };
    a.error_text = [](int, const char** text) { return *text = "it failed", 0; };
    return a;
}

struct gpu_driver_device : testing::Test {
    fake_driver driver;
    driver_api api = fake_api();
    std::shared_ptr<device> d;

    gpu_driver_device() {
        fake = &driver;
        current_context = nullptr;
        d = make_driver_device(api, 0);
    }
    ~gpu_driver_device() override {
        d = nullptr;
        EXPECT_EQ(driver.used, 0U);
        EXPECT_TRUE(driver.events.empty());
        EXPECT_TRUE(driver.graphs.empty());
        EXPECT_TRUE(driver.streams.empty());
    }
};

template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const migraphx::exception& e) {
        return e.message();
    }
    ADD_FAILURE() << "an error was expected";
    return "";
}

TEST_F(gpu_driver_device, properties_and_the_thread_is_left_as_it_was) {
    EXPECT_EQ(d->properties().name, "a fake");
    EXPECT_EQ(d->properties().architecture, "sm_90");
    EXPECT_EQ(d->properties().shared, 227 * 1024U);
    int other = 0;
    current_context = &other;
    const auto p = d->allocate(100);
    EXPECT_EQ(current_context, &other);
    EXPECT_TRUE(d->owns(p.get()));
    EXPECT_FALSE(d->owns(&other));
    d->make_current();
    EXPECT_EQ(current_context, &fake);
}

TEST_F(gpu_driver_device, memory_waits_for_the_work_of_its_last_user) {
    const auto s = d->make_stream();
    auto a = d->allocate(1000);
    auto* const first = a.get();
    driver.pending = 1;
    a = nullptr;
    auto b = d->allocate(1000);
    EXPECT_NE(b.get(), first) << "given out while work on it may be queued";
    driver.pending = 0;
    auto c = d->allocate(1000);
    EXPECT_EQ(c.get(), first);
    EXPECT_EQ(driver.allocations, 2);
}

TEST_F(gpu_driver_device, work_on_streams_of_others_needs_a_wait) {
    int foreign = 0;
    auto a = d->allocate(1000);
    auto* const first = a.get();
    d->fill(a.get(), 0, 1000, &foreign);
    a = nullptr;
    a = d->allocate(1000);
    EXPECT_NE(a.get(), first);
    d->synchronize(nullptr);
    EXPECT_EQ(d->allocate(1000).get(), first);
}

TEST_F(gpu_driver_device, streams_that_are_gone) {
    const auto first = [&] {
        const auto s = d->make_stream();
        return d->allocate(1000).get();
    }();
    EXPECT_EQ(d->allocate(1000).get(), first) << "nothing was queued on it";
    driver.pending = 1;
    d->make_stream(); // goes with work queued
    driver.pending = 0;
    const auto second = d->allocate(2000).get();
    EXPECT_NE(d->allocate(2000).get(), second) << "no mark can tell when that work is done";
    d->synchronize(nullptr);
    EXPECT_EQ(d->allocate(1000).get(), first);
}

TEST_F(gpu_driver_device, a_full_device_gives_what_it_keeps_and_else_an_error) {
    auto a = d->allocate(600 << 10);
    driver.pending = 1;
    a = nullptr;
    // Does not fit beside the block that waits; the device is waited for and the block given back.
    auto b = d->allocate(900 << 10);
    EXPECT_EQ(driver.device_waits, 1);
    const auto said = error_of([&] { d->allocate(500 << 10); });
    EXPECT_NE(said.find("512000 bytes of memory were expected on device 0 (a fake)"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("are free"), std::string::npos) << said;
    b = nullptr;
    EXPECT_NE(d->allocate(500 << 10), nullptr);
    d->trim();
    EXPECT_EQ(driver.used, 0U);
    EXPECT_EQ(d->free_memory(), driver.capacity);
}

TEST_F(gpu_driver_device, while_a_stream_records) {
    const auto s = d->make_stream();
    const auto other = d->make_stream();
    auto a = d->allocate(1000);
    d->begin_recording(s.get());
    // Neither marks nor waits touch the stream that records.
    a = nullptr;
    a = d->allocate(1000);
    d->synchronize(nullptr);
    EXPECT_EQ(driver.device_waits, 0);
    auto graph = d->end_recording(s.get());
    graph->launch(other.get());
    d->synchronize(nullptr);
    EXPECT_EQ(driver.device_waits, 1);

    driver.spoilt = true;
    d->begin_recording(s.get());
    EXPECT_NE(error_of([&] { d->end_recording(s.get()); }).find("cannot be recorded"),
              std::string::npos);
    driver.spoilt = false;
    d->begin_recording(s.get());
    EXPECT_NE(d->end_recording(s.get()), nullptr);
    d->synchronize(nullptr);
    EXPECT_EQ(driver.device_waits, 2);
}

TEST_F(gpu_driver_device, launches_and_their_errors) {
    const auto s = d->make_stream();
    const auto code = d->load("good");
    auto* f = code->function("entry");
    EXPECT_EQ(code->function("entry"), f);
    d->launch(f, {1}, {32}, 48 * 1024, s.get(), nullptr);
    EXPECT_EQ(driver.shared_allowed, 0);
    d->launch(f, {1}, {32}, 100 * 1024, s.get(), nullptr);
    EXPECT_EQ(driver.shared_allowed, 100 * 1024);
    d->launch(f, {1}, {32}, 64 * 1024, s.get(), nullptr); // allowed already
    EXPECT_EQ(driver.shared_allowed, 100 * 1024);
    EXPECT_EQ(driver.launches, 3);

    driver.fail_launch = driver_illegal_address;
    const auto said = error_of([&] { d->launch(f, {2, 3}, {32}, 0, s.get(), nullptr); });
    for (const char* part :
         {"entry", "2 x 3 x 1 blocks", "FAKE_ERROR", "it failed", "cannot use the device any more"})
        EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_NE(error_of([&] { code->function("other"); }).find("other"), std::string::npos);
    EXPECT_NE(error_of([&] { d->load("bad"); }).find("line 3 is bad"), std::string::npos);
}

TEST_F(gpu_driver_device, blocks_are_given_out_again_and_to_one_user_each) {
    const auto s = d->make_stream();
    std::vector<std::shared_ptr<char>> kept;
    for (int i = 0; i < 100; i++)
        kept.push_back(d->allocate(1000));
    kept.clear();
    const auto before = driver.allocations;
    std::set<char*> distinct;
    for (int i = 0; i < 100; i++) {
        kept.push_back(d->allocate(900));
        distinct.insert(kept.back().get());
    }
    EXPECT_EQ(driver.allocations, before);
    EXPECT_EQ(distinct.size(), kept.size());
}

} // namespace
