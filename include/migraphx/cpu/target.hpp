// SPDX-License-Identifier: MIT
// The cpu target by type. It is loaded when a program is compiled for it, so that programs which
// only name it link and start everywhere.
#ifndef MIGRAPHX_CPU_TARGET_HPP
#define MIGRAPHX_CPU_TARGET_HPP

#include <migraphx/register_target.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace cpu {

struct target {
    std::string name() const { return "cpu"; }
    std::vector<pass> get_passes(migraphx::context& ctx, const compile_options& options) const {
        return make_target("cpu").get_passes(ctx, options);
    }
    migraphx::context get_context() const { return make_target("cpu").get_context(); }
    argument copy_to(const argument& arg) const { return make_target("cpu").copy_to(arg); }
    argument copy_from(const argument& arg) const { return make_target("cpu").copy_from(arg); }
    argument allocate(const shape& s) const { return make_target("cpu").allocate(s); }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_target("cpu").make_executable(p, options);
    }
};

} // namespace cpu
} // namespace migraphx
#endif
