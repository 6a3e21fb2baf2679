// SPDX-License-Identifier: MIT
// The target `gpu`: there when a driver and a device answer.
#include <migraphx/register_target.hpp>

#include "targets/gpu/backend.hpp"

#include <string>

namespace migraphx::gpu {

namespace {

struct gpu_target {
    static std::shared_ptr<const backend> instance() {
        static const auto b = make_backend(open_device(0));
        return b;
    }
    std::string name() const { return "gpu"; }
    std::vector<pass> get_passes(context&, const compile_options& options) const {
        return passes_for_all_sizes(instance(), options);
    }
    context get_context() const { return {}; }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_planned_executable(p, instance(), options);
    }
};

const bool registered = [] {
    if (device_count() > 0)
        register_target<gpu_target>();
    return device_count() > 0;
}();

} // namespace

} // namespace migraphx::gpu

/// Asked by make_target (runtime/register_target.cpp) when loading this library gave no such
/// target.
extern "C" const char* migraphx_missing_target(const char* target) {
    static const auto why = migraphx::gpu::missing_device();
    return std::string(target) == "gpu" and not migraphx::gpu::registered ? why.c_str() : "";
}
