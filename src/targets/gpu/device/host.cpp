// SPDX-License-Identifier: MIT
// The host in the place of a device: memory is memory, streams run at once.
#include <migraphx/errors.hpp>

#include "targets/gpu/device/device.hpp"

#include <chrono>
#include <cstring>
#include <functional>
#include <new>

namespace migraphx::gpu {

namespace {

using work = std::function<void()>;

// What a thread records, by stream; null when it runs.
struct recording {
    std::vector<work> steps;
};
thread_local std::unique_ptr<recording> current;

struct host_graph : recorded_graph {
    std::vector<work> steps;
    void launch(stream) override {
        for (const auto& step : steps)
            step();
    }
};

struct host_event : event {
    std::chrono::steady_clock::time_point at;
    void record(stream) override { at = std::chrono::steady_clock::now(); }
    void wait_for(stream) override {}
    void synchronize() override {}
    float since(const event& start) const override {
        const auto& from = dynamic_cast<const host_event&>(start).at;
        return std::chrono::duration<float, std::milli>(at - from).count();
    }
};

struct host : device {
    device_properties facts;

    host() { facts.name = facts.architecture = "host"; }

    const device_properties& properties() const override { return facts; }
    std::shared_ptr<char> allocate(std::size_t bytes) override {
        constexpr auto line = std::align_val_t{256};
        return {static_cast<char*>(::operator new(bytes == 0 ? 1 : bytes, line)),
                [](char* p) { ::operator delete(p, line); }};
    }
    std::shared_ptr<char> allocate_pinned(std::size_t bytes) override { return allocate(bytes); }
    bool owns(const void*) const override { return true; }
    std::size_t free_memory() const override { return std::size_t{1} << 40; }

    void put(work w) {
        if (current != nullptr)
            current->steps.push_back(std::move(w));
        else
            w();
    }
    void copy(void* to, const void* from, std::size_t bytes, copy_kind, stream) override {
        if (bytes > 0)
            put([=] { std::memmove(to, from, bytes); });
    }
    void fill(void* to, int byte, std::size_t bytes, stream) override {
        if (bytes > 0)
            put([=] { std::memset(to, byte, bytes); });
    }
    std::shared_ptr<void> make_stream() override { return std::make_shared<int>(0); }
    void synchronize(stream) override {}
    std::unique_ptr<event> make_event() override { return std::make_unique<host_event>(); }
    void begin_recording(stream) override { current = std::make_unique<recording>(); }
    std::unique_ptr<recorded_graph> end_recording(stream) override {
        auto g = std::make_unique<host_graph>();
        g->steps = std::move(current->steps);
        current = nullptr;
        return g;
    }
    std::shared_ptr<code_module> load(const std::string&) override {
        fail(error_kind::unsupported, "null target: code cannot be loaded yet");
    }
    void launch(void*, extent3, extent3, std::size_t, stream, void**) override {
        fail(error_kind::unsupported, "null target: code cannot be run yet");
    }
    void make_current() override {}
};

} // namespace

std::shared_ptr<device> host_device() {
    static const auto d = std::make_shared<host>();
    return d;
}

} // namespace migraphx::gpu
