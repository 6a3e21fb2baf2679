// SPDX-License-Identifier: MIT
// What the targets gpu and null are: one pipeline, over different devices.
#pragma once

#include <migraphx/target.hpp>

#include "targets/gpu/plan/device_context.hpp"

#include <memory>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Devices are opened when a program is compiled, loaded or its memory is asked for.
class device_target {
public:
    device_target(std::string target_name, device_context::opener open);

    std::string name() const { return own_name; }
    std::vector<pass> get_passes(context& ctx, const compile_options& options) const;
    context get_context() const { return device_context{open}; }
    argument copy_to(const argument& a) const;
    argument copy_from(const argument& a) const;
    argument allocate(const shape& s) const;
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const;

private:
    std::string own_name;
    device_context::opener open;
};

} // namespace migraphx::gpu
