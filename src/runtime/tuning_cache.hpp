// SPDX-License-Identifier: MIT
// Choices that earlier timings made (compile option exhaustive_tune), by the text of the problem
// and of what the choice holds for; in an SQLite file that any number of processes share.
#pragma once

#include <migraphx/filesystem.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace migraphx {

/// Thread-safe. A file that cannot be used (damaged, read-only, no room, no SQLite) is warned about
/// once; what this process finds out is remembered all the same.
class tuning_cache {
public:
    /// An empty name: nothing but memory.
    explicit tuning_cache(const fs::path& file);
    ~tuning_cache();
    tuning_cache(const tuning_cache&) = delete;
    tuning_cache& operator=(const tuning_cache&) = delete;

    std::optional<std::string> find(const std::string& problem);
    void store(const std::string& problem, const std::string& choice);

    /// MIGRAPHX_PROBLEM_CACHE, else migraphx/tuning.db in the user's cache folder.
    static fs::path default_file();
    /// The one of this process, with the default file.
    static tuning_cache& instance();

private:
    struct state;
    std::unique_ptr<state> impl;
};

/// One line on the terminal that says how far tuning is; nothing where stderr is no terminal.
class tuning_progress {
public:
    explicit tuning_progress(std::size_t problems);
    ~tuning_progress();
    tuning_progress(const tuning_progress&) = delete;
    tuning_progress& operator=(const tuning_progress&) = delete;
    void next(const std::string& what);

private:
    std::size_t total, done = 0;
    bool shown;
};

} // namespace migraphx
