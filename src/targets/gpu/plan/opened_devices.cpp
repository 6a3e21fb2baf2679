// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/opened_devices.hpp"

#include "base/settings.hpp"

#include <algorithm>
#include <mutex>

namespace migraphx::gpu {

namespace {

const setting<bool> host_instead{
    "MIGRAPHX_HOST_DEVICE", false,
    "to_gpu and its kin take the host as the device, as target null does; for tests"};

thread_local std::size_t current = 0;

struct device_list {
    std::mutex mutex;
    std::vector<std::shared_ptr<device>> devices;
};

device_list& opened() {
    static auto* list = new device_list; // programs may outlive static destruction
    return *list;
}

std::shared_ptr<device> remembered(std::shared_ptr<device> d) {
    auto& list = opened();
    const std::lock_guard lock(list.mutex);
    if (std::find(list.devices.begin(), list.devices.end(), d) == list.devices.end())
        list.devices.push_back(d);
    return d;
}

} // namespace

std::shared_ptr<device> use_device(std::size_t id) {
    return use_numbered_device(id == 0 ? current : id);
}

std::shared_ptr<device> use_numbered_device(std::size_t id) {
    return host_instead ? use_host(id) : remembered(open_device(id));
}

std::shared_ptr<device> use_host(std::size_t) {
    return remembered(host_device());
}

std::size_t current_device() {
    return current;
}

void set_current_device(std::size_t id) {
    use_numbered_device(id)->make_current();
    current = id;
}

std::vector<std::shared_ptr<device>> opened_devices() {
    auto& list = opened();
    const std::lock_guard lock(list.mutex);
    return list.devices;
}

std::shared_ptr<device> device_holding(const void* p) {
    for (const auto& d : opened_devices())
        if (const auto id = d->device_of(p))
            return *id == d->properties().id ? d : use_numbered_device(std::size_t(*id));
    return nullptr;
}

} // namespace migraphx::gpu
