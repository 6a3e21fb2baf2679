// SPDX-License-Identifier: MIT
// The ref target by type. It is loaded when a program is compiled for it, so that programs which
// only name it link and start everywhere.
#ifndef MIGRAPHX_REF_TARGET_HPP
#define MIGRAPHX_REF_TARGET_HPP

#include <migraphx/register_target.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace ref {

struct target {
    std::string name() const { return "ref"; }
    std::vector<pass> get_passes(migraphx::context& ctx, const compile_options& options) const {
        return make_target("ref").get_passes(ctx, options);
    }
    migraphx::context get_context() const { return make_target("ref").get_context(); }
    argument copy_to(const argument& arg) const { return make_target("ref").copy_to(arg); }
    argument copy_from(const argument& arg) const { return make_target("ref").copy_from(arg); }
    argument allocate(const shape& s) const { return make_target("ref").allocate(s); }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_target("ref").make_executable(p, options);
    }
};

} // namespace ref
} // namespace migraphx
#endif
