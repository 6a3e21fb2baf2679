// SPDX-License-Identifier: MIT
// Files that a model refers to: mapped once, read-only, and only from inside one folder.
#pragma once

#include "base/files.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace migraphx::onnx {

/// The external data files of a model. May be used from several threads.
class external_files {
public:
    explicit external_files(std::string folder) : m_folder(std::move(folder)) {}

    /// The file at `location`, a relative path that stays inside the folder as it is written (links
    /// are followed). Throws otherwise.
    std::shared_ptr<const mapped_file> open(std::string_view location);

private:
    std::string m_folder;
    std::mutex m_mutex;
    std::map<std::string, std::shared_ptr<const mapped_file>, std::less<>> m_files;
};

} // namespace migraphx::onnx
