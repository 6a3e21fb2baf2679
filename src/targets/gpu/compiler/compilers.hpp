// SPDX-License-Identifier: MIT
// The compilers behind `compiled`, one for each platform.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <string>

namespace migraphx::gpu {

struct object_code {
    std::string image;    ///< what `device::load` takes
    std::string portable; ///< the same for later architectures (PTX); empty: there is none
};

struct source_compiler {
    virtual ~source_compiler() = default;
    /// What its code depends on besides the text and the architecture, whichever version of the
    /// compiler makes it: options, and the machine's own architecture where that counts.
    virtual std::string form() = 0;
    /// The compiler and its version; empty when there is none on this machine.
    virtual std::string version() = 0;
    /// Throws an internal error with the compiler's log. Called by many threads at once. `text`:
    /// with its headers; `source`: without.
    virtual object_code compile(const std::string& text, const std::string& source,
                                const device_properties& on) = 0;
};

source_compiler& host_compiler();
source_compiler& nvrtc();
source_compiler& hiprtc();
source_compiler& compiler_for(platform kind);

/// Throws where compile() of NVRTC would, in less than half of its time: no code is made but PTX,
/// without optimisation; what the compiler writes itself needs no assembler.
void check_with_nvrtc(const std::string& text, const device_properties& on);

/// Keeps the text of what did not compile in a file; its name is for the error.
std::string keep_failed_source(const std::string& text);

} // namespace migraphx::gpu
