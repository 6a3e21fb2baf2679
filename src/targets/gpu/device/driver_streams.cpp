// SPDX-License-Identifier: MIT
#include "targets/gpu/device/driver_streams.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

void raise(std::atomic<std::size_t>& x, std::size_t to) {
    auto now = x.load();
    while (now < to and not x.compare_exchange_weak(now, to)) {
    }
}

} // namespace

// An event on each own stream; where that does not tell everything, a wait for the whole device.
struct driver_streams::stream_mark : work_mark {
    driver_streams& streams;
    std::vector<void*> events;
    bool needs_wait = false;
    const std::size_t waits_before;

    explicit stream_mark(driver_streams& s) : streams(s), waits_before(s.waits_begun.load()) {}
    ~stream_mark() override {
        const auto now = streams.of.enter();
        for (auto* e : events)
            streams.of.api.event_destroy(e);
    }
    bool passed() override {
        if (streams.waits_done.load() > waits_before)
            return true;
        if (needs_wait)
            return false;
        const auto now = streams.of.enter();
        while (not events.empty()) {
            if (streams.of.api.event_query(events.back()) != driver_success)
                return false;
            streams.of.api.event_destroy(events.back());
            events.pop_back();
        }
        return true;
    }
};

std::shared_ptr<void> driver_streams::make() {
    const auto now = of.enter();
    void* handle = nullptr;
    of.check(of.api.stream_create(&handle, stream_non_blocking), "a stream");
    std::shared_ptr<void> made(handle, [this](void* h) { remove(h); });
    std::unique_lock lock(mutex);
    own.push_back({handle, false});
    return made;
}

// What is still queued on it is done later, and the driver lets go of it then; no mark can tell
// when.
void driver_streams::remove(void* handle) noexcept {
    const auto now = of.enter();
    std::unique_lock lock(mutex);
    own.erase(std::remove_if(own.begin(), own.end(),
                             [&](const own_stream& s) { return s.handle == handle; }),
              own.end());
    if (of.api.stream_query(handle) != driver_success)
        ++foreign_uses;
    of.api.stream_destroy(handle);
}

bool driver_streams::is_own(stream s) const {
    std::shared_lock lock(mutex);
    return std::any_of(own.begin(), own.end(), [&](const own_stream& o) { return o.handle == s; });
}

std::unique_ptr<work_mark> driver_streams::mark() noexcept {
    const auto now = of.enter();
    auto m = std::make_unique<stream_mark>(*this);
    std::shared_lock lock(mutex);
    m->needs_wait = foreign_uses.load() != foreign_done.load();
    for (const auto& s : own) {
        if (m->needs_wait)
            break;
        void* e = nullptr;
        // An event on a stream that records would be recorded.
        m->needs_wait =
            s.recording or of.api.event_create(&e, event_without_timing) != driver_success;
        if (m->needs_wait)
            break;
        m->events.push_back(e);
        m->needs_wait = of.api.event_record(e, s.handle) != driver_success;
    }
    return m;
}

int driver_streams::synchronize_device() noexcept {
    {
        std::shared_lock open(gate);
        if (recordings == 0) {
            const auto uses = foreign_uses.load();
            const auto number = ++waits_begun;
            const int result = of.api.synchronise();
            if (result == driver_success) {
                raise(waits_done, number);
                raise(foreign_done, uses);
            }
            return result;
        }
    }
    std::shared_lock lock(mutex);
    for (const auto& s : own)
        if (not s.recording)
            if (const int result = of.api.stream_synchronise(s.handle); result != driver_success)
                return result;
    return driver_success;
}

void driver_streams::set_recording(stream s, bool on) {
    std::unique_lock lock(mutex);
    for (auto& o : own)
        if (o.handle == s)
            o.recording = on;
}

void driver_streams::begin_recording(stream s) {
    std::unique_lock closed(gate);
    // Relaxed: what this and other threads do meanwhile, such as allocating, is their own matter.
    of.check(of.api.capture_begin(s, capture_relaxed), "recording a stream");
    ++recordings;
    set_recording(s, true);
}

void* driver_streams::end_recording(stream s) {
    void* graph = nullptr;
    const int result = of.api.capture_end(s, &graph);
    {
        std::unique_lock closed(gate);
        --recordings;
        set_recording(s, false);
    }
    of.check(result, "the recorded work of a stream");
    return graph;
}

} // namespace migraphx::gpu
