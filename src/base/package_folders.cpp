// SPDX-License-Identifier: MIT
#include "base/package_folders.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <sstream>

#include <dlfcn.h>

namespace fs = std::filesystem;

namespace migraphx {

namespace {

struct named_folders {
    std::mutex mutex;
    std::vector<std::string> list;
};

named_folders& named() {
    static auto* n = new named_folders;
    return *n;
}

void add(std::vector<std::string>& to, const fs::path& folder) {
    std::error_code none;
    auto text = folder.lexically_normal().string();
    if (text.ends_with('/'))
        text.pop_back();
    if (fs::is_directory(folder, none) and std::find(to.begin(), to.end(), text) == to.end())
        to.push_back(text);
}

// Those of the Python installation or virtual environment at `prefix`.
void add_prefix(std::vector<std::string>& to, const fs::path& prefix) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(prefix / "lib", none))
        if (entry.path().filename().string().starts_with("python3"))
            for (const auto* kind : {"site-packages", "dist-packages"})
                add(to, entry.path() / kind);
}

// A wheel has this library in <site-packages>/migraphx.libs.
void add_own(std::vector<std::string>& to) {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&package_folders), &info) == 0 or
        info.dli_fname == nullptr)
        return;
    const auto above = fs::path(info.dli_fname).parent_path().parent_path();
    if (above.filename() == "site-packages" or above.filename() == "dist-packages")
        add(to, above);
}

void add_python_of_path(std::vector<std::string>& to) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    std::error_code none;
    for (std::string folder; std::getline(folders, folder, ':');)
        if (fs::exists(fs::path(folder) / "python3", none)) {
            add_prefix(to, fs::path(folder).parent_path());
            return;
        }
}

} // namespace

void add_package_folder(const std::string& folder) {
    auto& n = named();
    std::lock_guard lock(n.mutex);
    add(n.list, folder);
}

std::vector<std::string> package_folders() {
    std::vector<std::string> found;
    {
        auto& n = named();
        std::lock_guard lock(n.mutex);
        found = n.list;
    }
    add_own(found);
    if (const char* environment = std::getenv("VIRTUAL_ENV"))
        add_prefix(found, environment);
    add_python_of_path(found);
    return found;
}

} // namespace migraphx
