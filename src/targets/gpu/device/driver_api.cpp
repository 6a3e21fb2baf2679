// SPDX-License-Identifier: MIT
#include "targets/gpu/device/driver_api.hpp"

#include <migraphx/errors.hpp>

#include "targets/gpu/libraries/open_library.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace migraphx::gpu {

namespace {

// HIP's table of properties is larger in newer versions, and its offsets differ; the name of the
// architecture is the one text in it that begins so.
constexpr std::size_t properties_bytes = 8192;

driver_state open_driver(platform kind, library which) {
    driver_state s;
    const auto* lib = find_library(which);
    if (lib == nullptr) {
        s.problem = missing_library(which);
        return s;
    }
    static std::array<driver_api, 2> tables;
    auto& api = tables[kind == platform::cuda ? 0 : 1];
    try {
        api = load_driver(kind, *lib);
    } catch (const exception& e) {
        s.problem = e.message();
        return s;
    }
    int result = api.init(0);
    if (result == driver_success)
        result = api.device_count(&s.devices);
    if (result == driver_success and s.devices > 0) {
        s.api = &api;
        return s;
    }
    s.devices = 0;
    if (result == driver_success)
        result = driver_no_device;
    s.problem = "gpu: a device of " + lib->file() + " was expected, got " + error_text(api, result);
    if (const auto help = remedy(api, result); not help.empty())
        s.problem += "; " + help;
    return s;
}

} // namespace

driver_api load_driver(platform kind, const opened_library& lib) {
    driver_api api;
    api.kind = kind;
    const bool cuda = kind == platform::cuda;
    visit_functions(api, [&](auto*& f, const char* in_cuda, const char* in_hip, bool needed) {
        const char* name = cuda ? in_cuda : in_hip;
        if (name == nullptr)
            return;
        // ROCm 6 has the table of its own size behind this name.
        if (not cuda and std::string_view(name) == "hipGetDeviceProperties" and
            lib.find_optional(f, "hipGetDevicePropertiesR0600"))
            return;
        if (needed)
            lib.find(f, name);
        else
            lib.find_optional(f, name);
    });
    if (not cuda) {
        api.attributes = hip_attributes;
        int version = 0;
        api.device_memory_type =
            api.driver_version(&version) == driver_success and version >= 60000000 ? 2 : 1;
    }
    return api;
}

const driver_state& cuda_driver() {
    static const auto s = open_driver(platform::cuda, library::cuda);
    return s;
}

const driver_state& hip_driver() {
    static const auto s = open_driver(platform::hip, library::hip);
    return s;
}

std::string error_text(const driver_api& api, int result) {
    const char* name = nullptr;
    const char* text = nullptr;
    if (api.kind == platform::cuda) {
        api.error_name(result, &name);
        api.error_text(result, &text);
    } else {
        name = api.error_name_of(result);
        text = api.error_text_of(result);
    }
    return (name != nullptr ? std::string(name) : "error " + std::to_string(result)) +
           (text != nullptr ? ": " + std::string(text) : "");
}

std::string remedy(const driver_api& api, int result) {
    const bool cuda = api.kind == platform::cuda;
    switch (result) {
    case driver_out_of_memory:
        return "smaller batches or fewer programs at once need less memory";
    case driver_insufficient:
        return "a newer driver helps";
    case driver_no_device:
    case driver_invalid_device:
        return cuda ? "does CUDA_VISIBLE_DEVICES hide it, or was the container started without it?"
                    : "does HIP_VISIBLE_DEVICES hide it, or may this user not open /dev/kfd?";
    case driver_no_code_for_device:
    case driver_invalid_code:
        return "the code is for another device: compile the program again on this one";
    case driver_newer_code:
        return "the compiler is newer than the driver: a newer driver helps";
    case driver_illegal_address:
    case driver_launch_failure:
        return cuda ? "a kernel failed, and this process cannot use the device any more: "
                      "compute-sanitizer names the kernel"
                    : "a kernel failed, and this process cannot use the device any more";
    case driver_capture_unsupported:
    case driver_capture_invalidated:
        return "something in the recorded work cannot be recorded";
    default:
        return "";
    }
}

std::string hip_architecture(const driver_api& api, int device) {
    std::string all(properties_bytes, '\0');
    if (api.properties(all.data(), device) != driver_success)
        return "";
    const auto at = all.find("gfx");
    if (at == std::string::npos)
        return "";
    // "gfx90a:sramecc+:xnack-" names features behind the architecture.
    return std::string(all.c_str() + at);
}

} // namespace migraphx::gpu
