// SPDX-License-Identifier: MIT
// Generated source becomes loadable code: NVRTC for CUDA, hiprtc for HIP, the system's C++ compiler
// for the host. Each distinct source is compiled once per process and architecture, by whoever asks
// first; results are kept in a cache on disk and in compiled programs.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <functional>
#include <memory>
#include <string>

namespace migraphx {
class artifact_store;
}

namespace migraphx::gpu {

/// In a source: it uses instructions that only the device's own architecture has (Hopper's sm_90a).
constexpr const char* own_architecture = "#define MGX_OWN_ARCHITECTURE 1\n";

/// `source` may include the headers of device_code/ by their names; they travel with the library.
/// Thread-safe; different sources compile at once. `kept`: where a compiled program keeps its code;
/// may be null. Throws an internal error with the compiler's log and the file that the source was
/// written to.
std::shared_ptr<code_module> compiled(device& on, const std::string& source, artifact_store* kept);

/// `seen` gets each source that `compiled` is asked for from now on, one at a time; null: nobody.
/// For tests.
void listen_to_sources(std::function<void(const std::string& source)> seen);

} // namespace migraphx::gpu
