// SPDX-License-Identifier: MIT
// The target `null`: the gpu pipeline with the host as its device.
#include <migraphx/register_target.hpp>

#include "targets/gpu/backend.hpp"

namespace migraphx::gpu {

namespace {

struct null_target {
    static std::shared_ptr<const backend> instance() {
        static const auto b = make_backend(host_device());
        return b;
    }
    std::string name() const { return "null"; }
    std::vector<pass> get_passes(context&, const compile_options& options) const {
        return passes_for_all_sizes(instance(), options);
    }
    context get_context() const { return {}; }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_planned_executable(p, instance(), options);
    }
};

MIGRAPHX_REGISTER_TARGET(null_target)

} // namespace

} // namespace migraphx::gpu
