// SPDX-License-Identifier: MIT
// The gpu target by type. It is loaded when a program is compiled for it, so that programs which
// only name it link and start everywhere.
#ifndef MIGRAPHX_GPU_TARGET_HPP
#define MIGRAPHX_GPU_TARGET_HPP

#include <migraphx/register_target.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace gpu {

struct target {
    std::string name() const { return "gpu"; }
    std::vector<pass> get_passes(migraphx::context& ctx, const compile_options& options) const {
        return make_target("gpu").get_passes(ctx, options);
    }
    migraphx::context get_context() const { return make_target("gpu").get_context(); }
    argument copy_to(const argument& arg) const { return make_target("gpu").copy_to(arg); }
    argument copy_from(const argument& arg) const { return make_target("gpu").copy_from(arg); }
    argument allocate(const shape& s) const { return make_target("gpu").allocate(s); }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_target("gpu").make_executable(p, options);
    }
};

} // namespace gpu
} // namespace migraphx
#endif
