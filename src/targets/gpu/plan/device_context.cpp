// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/device_context.hpp"

#include "targets/gpu/plan/opened_devices.hpp"

namespace migraphx::gpu {

namespace {

// As the compiler spells the type behind cudaStream_t and hipStream_t.
const char* queue_type(platform p) {
    switch (p) {
    case platform::cuda:
        return "CUstream_st";
    case platform::hip:
        return "ihipStream_t";
    case platform::host:
        break;
    }
    return "void";
}

} // namespace

const std::shared_ptr<device>& device_context::on() {
    const std::lock_guard lock(state->mutex);
    if (state->on == nullptr)
        state->on = state->open(state->id);
    return state->on;
}

any_ptr device_context::get_queue() {
    const auto& device = on();
    const std::lock_guard lock(state->mutex);
    if (state->queue == nullptr)
        state->queue = device->make_stream();
    return {state->queue.get(), queue_type(device->properties().kind)};
}

void device_context::finish() const {
    for (const auto& d : opened_devices())
        d->synchronize(nullptr);
}

} // namespace migraphx::gpu
