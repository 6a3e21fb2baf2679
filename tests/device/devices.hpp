// SPDX-License-Identifier: MIT
// The devices that the tests of the interface run on: the host always, and the machine's own.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace device_test {

using namespace migraphx::gpu;

/// The test's parameter is "host" or "gpu"; a gpu that is not there skips the test.
struct on_device : testing::TestWithParam<std::string> {
    std::shared_ptr<device> d;
    std::shared_ptr<void> queue;
    stream s = nullptr;

    void SetUp() override {
        if (GetParam() == "gpu" and device_count() == 0)
            GTEST_SKIP() << missing_device();
        d = GetParam() == "gpu" ? open_device(0) : host_device();
        queue = d->make_stream();
        s = queue.get();
    }
    bool is_gpu() const { return d->properties().kind != platform::host; }
};

} // namespace device_test

#define ON_EACH_DEVICE(suite)                                                                      \
    INSTANTIATE_TEST_SUITE_P(devices, suite, testing::Values("host", "gpu"),                       \
                             [](const auto& i) { return i.param; })
