// SPDX-License-Identifier: MIT
// The compilers behind `compiled`, one for each platform.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <string>

namespace migraphx::gpu {

struct compiler_backend {
    virtual ~compiler_backend() = default;
    /// All that code depends on besides its text and the architecture: version and options.
    virtual std::string identity() = 0;
    /// The image that `device::load` takes. Throws an internal error with the compiler's log.
    /// Called by many threads at once. `text`: with its headers; `source`: without.
    virtual std::string compile(const std::string& text, const std::string& source,
                                const device_properties& on) = 0;
};

compiler_backend& host_compiler();
compiler_backend& nvrtc();
compiler_backend& hiprtc();

/// Keeps the text of what did not compile in a file; its name is for the error.
std::string keep_failed_source(const std::string& text);

} // namespace migraphx::gpu
