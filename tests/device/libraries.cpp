// SPDX-License-Identifier: MIT
// The vendors' libraries that this machine has. Where a device is, they are part of it.
#include "targets/gpu/libraries/open_library.hpp"

#include "device/devices.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <migraphx/errors.hpp>
#include <migraphx/register_target.hpp>

namespace device_test {

namespace {

// A line for whoever reads what a machine has.
void tell(const char* title, library which, const std::string& version, double ms) {
    const auto* lib = find_library(which);
    std::printf("%-10s %-12s %6.0f ms  %s\n", title, version.c_str(), ms,
                lib == nullptr ? missing_library(which).c_str() : lib->file().c_str());
}

template <class F>
double time_of(F f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

TEST(libraries, those_of_this_machine_give_their_versions) {
    std::string version;
    auto ms = time_of([&] { find_library(library::nvrtc); });
    if (const auto* lib = find_library(library::nvrtc)) {
        int (*get)(int*, int*) = nullptr;
        lib->find(get, "nvrtcVersion");
        int major = 0;
        int minor = 0;
        EXPECT_EQ(get(&major, &minor), 0);
        EXPECT_GE(major, 11);
        version = std::to_string(major) + "." + std::to_string(minor);
    }
    tell("NVRTC", library::nvrtc, version, ms);

    version.clear();
    ms = time_of([&] { find_library(library::cublaslt); });
    if (const auto* lib = find_library(library::cublaslt)) {
        std::size_t (*get)() = nullptr;
        lib->find(get, "cublasLtGetVersion");
        EXPECT_GE(get(), 110000U);
        version = std::to_string(get());
    }
    tell("cuBLASLt", library::cublaslt, version, ms);

    version.clear();
    ms = time_of([&] { find_library(library::cudnn); });
    if (const auto* lib = find_library(library::cudnn)) {
        std::size_t (*get)() = nullptr;
        lib->find(get, "cudnnGetVersion");
        EXPECT_GE(get(), 90000U);
        version = std::to_string(get());
    }
    tell("cuDNN", library::cudnn, version, ms);
}

TEST(libraries, target_gpu_is_there_or_says_what_is_missing) {
    if (device_count() > 0) {
        EXPECT_EQ(missing_device(), "");
        EXPECT_EQ(migraphx::make_target("gpu").name(), "gpu");
        std::shared_ptr<device> d;
        const auto ms = time_of([&] { d = open_device(0); });
        const auto& p = d->properties();
        std::printf("device     %s, %s, %d multiprocessors, %zu MiB, %zu KiB shared, %zu MiB L2, "
                    "driver %d, opened in %.0f ms\n",
                    p.name.c_str(), p.architecture.c_str(), p.multiprocessors, p.memory >> 20,
                    p.shared >> 10, p.l2 >> 20, p.driver, ms);
        return;
    }
    const auto why = missing_device();
    EXPECT_NE(why.find("was expected, got"), std::string::npos) << why;
    EXPECT_EQ(why.find('\n'), std::string::npos);
    try {
        migraphx::make_target("gpu");
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_EQ(e.category(), migraphx::error_kind::invalid_argument);
        EXPECT_NE(e.message().find("null, ref"), std::string::npos) << e.message();
        EXPECT_NE(e.message().find(why), std::string::npos) << e.message();
    }
    for (const auto& name : migraphx::get_targets())
        EXPECT_NE(name, "gpu");
    EXPECT_THROW(open_device(0), migraphx::exception);
}

} // namespace

} // namespace device_test
