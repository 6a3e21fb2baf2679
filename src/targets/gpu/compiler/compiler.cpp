// SPDX-License-Identifier: MIT
#include "targets/gpu/compiler/compiler.hpp"

#include <migraphx/errors.hpp>

namespace migraphx::gpu {

std::shared_ptr<code_module> compiled(device&, const std::string&, artifact_store*) {
    fail(error_kind::unsupported, "gpu: generated code cannot be compiled yet");
}

} // namespace migraphx::gpu
