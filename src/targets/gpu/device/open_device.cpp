// SPDX-License-Identifier: MIT
// The devices of this machine: those of the NVIDIA driver or, where it has none, of HIP's runtime.
#include <migraphx/errors.hpp>

#include "targets/gpu/device/driver_api.hpp"
#include "targets/gpu/libraries/open_library.hpp"

#include <map>
#include <mutex>

namespace migraphx::gpu {

namespace {

const driver_state& driver_of_machine() {
    const auto& cuda = cuda_driver();
    return cuda.api != nullptr or hip_driver().api == nullptr ? cuda : hip_driver();
}

} // namespace

std::size_t device_count() {
    return std::size_t(driver_of_machine().devices);
}

std::string missing_device() {
    if (driver_of_machine().api != nullptr)
        return "";
    // A driver that is there but has no device says more than one that is not there.
    if (find_library(library::cuda) == nullptr and find_library(library::hip) != nullptr)
        return hip_driver().problem;
    return cuda_driver().problem;
}

std::shared_ptr<device> open_device(std::size_t id) {
    const auto& driver = driver_of_machine();
    if (driver.api == nullptr)
        fail(error_kind::unsupported, missing_device());
    if (id >= std::size_t(driver.devices))
        fail(error_kind::invalid_argument,
             "gpu: device_id below " + std::to_string(driver.devices) +
                 ", the number of devices, was expected, got " + std::to_string(id));
    static std::mutex mutex;
    static auto* opened = new std::map<std::size_t, std::shared_ptr<device>>;
    std::lock_guard lock(mutex);
    auto& d = (*opened)[id];
    if (d == nullptr)
        d = make_driver_device(*driver.api, int(id));
    return d;
}

} // namespace migraphx::gpu
