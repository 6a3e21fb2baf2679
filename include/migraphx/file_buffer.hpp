// SPDX-License-Identifier: MIT
// Whole files in and out. Every failure throws with the file's name; a failed write leaves the old
// file.
#ifndef MIGRAPHX_GUARD_FILE_BUFFER_HPP
#define MIGRAPHX_GUARD_FILE_BUFFER_HPP

#include <cstddef>
#include <migraphx/filesystem.hpp>
#include <string>
#include <vector>

namespace migraphx {

// nbytes 0: up to the end. Throws when the file has fewer bytes than asked for.
std::vector<char> read_buffer(const fs::path& filename, std::size_t offset = 0,
                              std::size_t nbytes = 0);
std::string read_string(const fs::path& filename);

void write_buffer(const fs::path& filename, const char* buffer, std::size_t size);
void write_buffer(const fs::path& filename, const std::vector<char>& buffer);
void write_string(const fs::path& filename, const std::string& text);

} // namespace migraphx
#endif
