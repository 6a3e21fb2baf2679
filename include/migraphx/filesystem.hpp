// SPDX-License-Identifier: MIT
// The namespace migraphx::fs.
#ifndef MIGRAPHX_GUARD_FILESYSTEM_HPP
#define MIGRAPHX_GUARD_FILESYSTEM_HPP

#include <filesystem>

namespace migraphx {
namespace fs = std::filesystem;
} // namespace migraphx
#endif
