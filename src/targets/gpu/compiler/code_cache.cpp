// SPDX-License-Identifier: MIT
#include "targets/gpu/compiler/code_cache.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/logger.hpp>

#include "base/files.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "targets/gpu/compiler/source_text.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

namespace migraphx::gpu {

namespace {

const setting<std::string> cache_folder{
    "MIGRAPHX_GPU_CACHE", "",
    "folder of compiled gpu code (default: migraphx/code in the cache folder), or off"};

constexpr std::size_t default_limit = std::size_t{512} << 20;

// A file: the digest of the rest, then the code. One that was damaged counts as absent.
constexpr std::size_t digest_size = 32;

fs::path default_folder() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr and cache[0] == '/')
        return fs::path(cache) / "migraphx" / "code";
    if (const char* home = std::getenv("HOME"); home != nullptr and home[0] == '/')
        return fs::path(home) / ".cache" / "migraphx" / "code";
    return {};
}

std::atomic<bool> warned = false;
std::atomic<unsigned> stored = 0;

} // namespace

code_cache::code_cache(fs::path where, std::size_t most) : folder(std::move(where)), limit(most) {}

void code_cache::warn(const std::string& why) {
    if (not warned.exchange(true))
        log::warn() << "cache of gpu code " << folder.native() << ": " << why
                    << "; code is compiled anew";
}

std::optional<std::string> code_cache::find(const std::string& name) {
    const auto file = folder / name;
    std::error_code error;
    if (not fs::is_regular_file(file, error))
        return std::nullopt;
    try {
        const mapped_file content(file);
        if (content.size() < digest_size)
            return std::nullopt;
        std::string code(content.view().substr(digest_size));
        if (content_name(code) != content.view().substr(0, digest_size))
            return std::nullopt;
        fs::last_write_time(file, fs::file_time_type::clock::now(), error); // used just now
        return code;
    } catch (const std::exception&) { // removed meanwhile, or not readable
        return std::nullopt;
    }
}

void code_cache::store(const std::string& name, const std::string& code) {
    try {
        fs::create_directories(folder);
        file_writer out(folder / name);
        out.write(content_name(code));
        out.write(code);
        out.commit();
    } catch (const std::exception& e) {
        warn(e.what());
        return;
    }
    constexpr unsigned between = 64; // a look at the whole folder is not for every file
    if (stored++ % between == 0)
        shrink();
}

void code_cache::shrink() const {
    struct entry {
        fs::path file;
        fs::file_time_type used;
        std::size_t bytes;
    };
    std::vector<entry> entries;
    std::size_t total = 0;
    std::error_code error;
    for (auto it = fs::directory_iterator(folder, error);
         not error and it != fs::directory_iterator(); it.increment(error)) {
        std::error_code gone;
        const auto bytes = it->file_size(gone);
        const auto used = it->last_write_time(gone);
        if (gone)
            continue;
        entries.push_back({it->path(), used, bytes});
        total += bytes;
    }
    if (total <= limit)
        return;
    std::sort(entries.begin(), entries.end(),
              [](const entry& x, const entry& y) { return x.used < y.used; });
    for (const auto& e : entries) { // with some room, so that it is not done again at once
        if (total <= limit / 4 * 3)
            break;
        if (fs::remove(e.file, error))
            total -= e.bytes;
    }
}

code_cache* code_cache::instance() {
    static code_cache* const cache = [] {
        const auto& asked = cache_folder.get();
        const auto folder = asked.empty() ? default_folder() : fs::path(asked);
        return asked == "off" or folder.empty() ? nullptr : new code_cache(folder, default_limit);
    }();
    return cache;
}

} // namespace migraphx::gpu
