// SPDX-License-Identifier: MIT
// Files that a model refers to: mapped once, read-only, and only from inside one folder.
#include "import/onnx/external.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <filesystem>

namespace migraphx::onnx {

namespace {

bool stays_inside(const std::filesystem::path& p) {
    if (p.is_absolute() || p.has_root_name())
        return false;
    int depth = 0;
    for (const auto& part : p) {
        if (part == "..")
            --depth;
        else if (!part.empty() && part != ".")
            ++depth;
        if (depth < 0)
            return false;
    }
    return depth > 0;
}

} // namespace

std::shared_ptr<const mapped_file> external_files::open(std::string_view location) {
    if (location.empty() || location.find('\0') != std::string_view::npos ||
        !stays_inside(std::filesystem::path(location)))
        fail(error_kind::invalid_argument, "external data: expected a file inside the folder " +
                                               in_quotes(m_folder) + ", got location " +
                                               in_quotes(location));
    const std::lock_guard lock(m_mutex);
    const auto it = m_files.find(location);
    if (it != m_files.end())
        return it->second;
    const auto path = std::filesystem::path(m_folder) / std::filesystem::path(location);
    return m_files.emplace(std::string(location), map_file(path)).first->second;
}

} // namespace migraphx::onnx
