// SPDX-License-Identifier: MIT
// Programs in files: MessagePack (`.mxr`, version 8) or JSON.
#ifndef MIGRAPHX_LOAD_SAVE_HPP
#define MIGRAPHX_LOAD_SAVE_HPP

#include <migraphx/program.hpp>
#include <string>
#include <vector>

namespace migraphx {

struct file_options {
    file_options() {}
    std::string format = "msgpack"; ///< or "json"
};

program load(const std::string& filename, const file_options& options = file_options{});
program load_buffer(const std::vector<char>& buffer, const file_options& options = file_options{});
program load_buffer(const char* buffer, std::size_t size,
                    const file_options& options = file_options{});
/// Written beside the file and renamed, so that a failure leaves nothing half-written.
void save(const program& p, const std::string& filename,
          const file_options& options = file_options{});
std::vector<char> save_buffer(const program& p, const file_options& options = file_options{});

} // namespace migraphx
#endif
