// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/trial.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>

namespace migraphx::gpu {

namespace {

// From the first to the last element that the problem touches.
std::size_t span_bytes(const gemm_problem& p, const gemm_matrix& x, int64_t rows, int64_t columns) {
    int64_t last = (rows - 1) * x.row + (columns - 1) * x.column;
    for (std::size_t i = 0; i < p.batch.size(); i++)
        last += (p.batch[i] - 1) * x.batch[i];
    return std::size_t(last + 1) * shape{x.type}.type_size();
}

} // namespace

std::unique_lock<std::recursive_mutex> alone_on_device() {
    static std::recursive_mutex one;
    return std::unique_lock(one);
}

std::shared_ptr<char> trial_memory(device& on, std::size_t bytes, stream s) {
    if (bytes > on.free_memory() / 4)
        return nullptr;
    try {
        auto memory = on.allocate(bytes);
        // 6e-4 as half, 1e-28 as bf16 and float, 17 as int8.
        on.fill(memory.get(), 0x11, bytes, s);
        return memory;
    } catch (const exception&) {
        return nullptr;
    }
}

struct trial_buffers::state {
    device& on;
    std::shared_ptr<void> queue;
    std::vector<std::shared_ptr<char>> memory;
    gemm_pointers at;
    bool ready = true;

    state(device& d, const gemm_problem& p, std::size_t workspace) : on(d), queue(d.make_stream()) {
        const auto block = [&](std::size_t bytes) -> void* {
            memory.push_back(trial_memory(on, bytes, queue.get()));
            ready = ready and memory.back() != nullptr;
            return memory.back().get();
        };
        at.a = block(span_bytes(p, p.a, p.m, p.k));
        at.b = block(span_bytes(p, p.b, p.k, p.n));
        at.d = block(span_bytes(p, p.d, p.m, p.n));
        at.workspace = block(workspace);
        if (p.c)
            at.c = block(span_bytes(p, *p.c, p.m, p.n));
        if (p.bias != gemm_bias::none)
            at.bias = block(std::size_t(std::max(p.m, p.n)) * sizeof(double));
        if (p.scaled)
            at.scale_a = at.scale_b = block(sizeof(float));
        on.synchronize(queue.get());
    }
};

trial_buffers::trial_buffers(device& on, const gemm_problem& p, std::size_t workspace)
    : impl(std::make_unique<state>(on, p, workspace)) {}
trial_buffers::~trial_buffers() = default;

bool trial_buffers::ready() const {
    return impl->ready;
}

double trial_buffers::milliseconds(const std::function<void(const gemm_pointers&)>& run) const {
    return milliseconds_on(impl->on, [&](stream s) {
        auto at = impl->at;
        at.queue = s;
        run(at);
    });
}

double milliseconds_on(device& on, const std::function<void(stream)>& work) {
    constexpr int rounds = 5, runs = 8;
    const auto queue = on.make_stream();
    const auto start = on.make_event(), end = on.make_event();
    work(queue.get()); // libraries make up their minds at the first call
    on.synchronize(queue.get());
    // Recorded, as plans run it: the host's part of a launch would hide small kernels.
    std::unique_ptr<recorded_graph> graph;
    try {
        on.begin_recording(queue.get());
        for (int i = 0; i < runs; i++)
            work(queue.get());
        graph = on.end_recording(queue.get());
    } catch (const exception&) {
        graph = nullptr;
    }
    const auto several = [&] {
        if (graph != nullptr)
            graph->launch(queue.get());
        else
            for (int i = 0; i < runs; i++)
                work(queue.get());
    };
    several();
    std::vector<double> times;
    for (int i = 0; i < rounds; i++) {
        start->record(queue.get());
        several();
        end->record(queue.get());
        end->synchronize();
        times.push_back(double(end->since(*start)) / runs);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

} // namespace migraphx::gpu
