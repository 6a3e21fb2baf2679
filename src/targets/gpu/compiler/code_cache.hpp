// SPDX-License-Identifier: MIT
// Compiled code on disk, shared by all processes of the user: a file per piece of code, named by
// what it was made from. MIGRAPHX_GPU_CACHE says where; "off" turns it off.
#pragma once

#include <migraphx/filesystem.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace migraphx::gpu {

/// Safe for many threads and processes: files appear whole, by renaming. A folder that cannot be
/// used is one warning, and then there is no cache.
class code_cache {
public:
    /// `most`: bytes that are kept; the files unused for longest go first.
    code_cache(fs::path folder, std::size_t most);

    std::optional<std::string> find(const std::string& name);
    void store(const std::string& name, const std::string& code);

    /// The one of the user; null when it is off.
    static code_cache* instance();

private:
    void warn(const std::string& why);
    void shrink() const;

    fs::path folder;
    std::size_t limit;
};

} // namespace migraphx::gpu
