// SPDX-License-Identifier: MIT
#include "runtime/tuning_cache.hpp"

#include <migraphx/logger.hpp>

#include "base/settings.hpp"
#include "base/str.hpp"

#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <vector>

#include <dlfcn.h>
#include <unistd.h>

namespace migraphx {

namespace {

const setting<std::string> cache_file{
    "MIGRAPHX_PROBLEM_CACHE", "",
    "file of tuning results (default: migraphx/tuning.db in the cache folder)"};

constexpr int milliseconds_to_wait = 3000; // for another process that writes

// The system's SQLite, loaded when first needed; what is used of it, as its stable interface has
// it.
struct sqlite {
    static constexpr int ok = 0, row = 100, done = 101;
    static constexpr int read_only = 1, read_write_create = 2 | 4, full_mutex = 0x10000;

    int (*open)(const char*, void**, int, const char*) = nullptr;
    int (*close)(void*) = nullptr;
    int (*busy_timeout)(void*, int) = nullptr;
    int (*exec)(void*, const char*, void*, void*, char**) = nullptr;
    int (*prepare)(void*, const char*, int, void**, const char**) = nullptr;
    int (*bind_text)(void*, int, const char*, int, void (*)(void*)) = nullptr;
    int (*step)(void*) = nullptr;
    const unsigned char* (*column_text)(void*, int) = nullptr;
    int (*finalize)(void*) = nullptr;
    const char* (*message)(void*) = nullptr;
    bool complete = true;

    sqlite() {
        void* lib = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
        find(lib, open, "sqlite3_open_v2");
        find(lib, close, "sqlite3_close_v2");
        find(lib, busy_timeout, "sqlite3_busy_timeout");
        find(lib, exec, "sqlite3_exec");
        find(lib, prepare, "sqlite3_prepare_v2");
        find(lib, bind_text, "sqlite3_bind_text");
        find(lib, step, "sqlite3_step");
        find(lib, column_text, "sqlite3_column_text");
        find(lib, finalize, "sqlite3_finalize");
        find(lib, message, "sqlite3_errmsg");
    }

    static const sqlite& instance() {
        static const sqlite s;
        return s;
    }

private:
    template <class F>
    void find(void* lib, F*& f, const char* name) {
        f = lib == nullptr ? nullptr : reinterpret_cast<F*>(dlsym(lib, name));
        complete = complete and f != nullptr;
    }
};

} // namespace

struct tuning_cache::state {
    const sqlite* api = nullptr;
    fs::path file;
    void* db = nullptr;
    bool writable = false;
    bool warned = false;
    std::mutex mutex;
    std::map<std::string, std::string> known;

    void warn(const std::string& why) {
        if (not warned)
            log::warn() << "tuning cache " << file.native() << ": " << why
                        << "; going on without it";
        warned = true;
    }

    void warn_of_database() { warn(db == nullptr ? "no database" : api->message(db)); }

    bool open_as(int flags) {
        if (api->open(file.c_str(), &db, flags | sqlite::full_mutex, nullptr) == sqlite::ok)
            return true;
        api->close(db);
        db = nullptr;
        return false;
    }

    void open() {
        api = &sqlite::instance();
        if (not api->complete)
            return warn("SQLite of the system (libsqlite3.so.0) was expected, got none");
        std::error_code error;
        if (file.has_parent_path())
            fs::create_directories(file.parent_path(), error);
        writable = open_as(sqlite::read_write_create);
        if (not writable and not open_as(sqlite::read_only))
            return warn("a file that can be opened was expected");
        api->busy_timeout(db, milliseconds_to_wait);
        // No wait for the disk: what a power cut takes can be found out again.
        api->exec(db, "pragma synchronous = off", nullptr, nullptr, nullptr);
        if (not has_table() and
            api->exec(db,
                      "create table if not exists choices_1 "
                      "(problem text primary key, choice text not null) without rowid",
                      nullptr, nullptr, nullptr) != sqlite::ok)
            close_with_warning();
    }

    bool has_table() {
        std::string name;
        return query("select name from sqlite_master where name = ?", {"choices_1"}, &name) ==
               sqlite::row;
    }

    void close_with_warning() {
        warn_of_database();
        api->close(db);
        db = nullptr;
    }

    // Runs one statement; its first column goes to `out`.
    int query(const char* text, const std::vector<std::string>& values, std::string* out) {
        void* statement = nullptr;
        int result = api->prepare(db, text, -1, &statement, nullptr);
        if (result != sqlite::ok)
            return result;
        for (std::size_t i = 0; i < values.size(); i++)
            api->bind_text(statement, int(i) + 1, values[i].data(), int(values[i].size()), nullptr);
        result = api->step(statement);
        if (result == sqlite::row and out != nullptr)
            if (const auto* t = api->column_text(statement, 0); t != nullptr)
                *out = reinterpret_cast<const char*>(t);
        api->finalize(statement);
        return result;
    }
};

tuning_cache::tuning_cache(const fs::path& file) : impl(std::make_unique<state>()) {
    impl->file = file;
    if (not file.empty())
        impl->open();
}

tuning_cache::~tuning_cache() {
    if (impl->db != nullptr)
        impl->api->close(impl->db);
}

std::optional<std::string> tuning_cache::find(const std::string& problem) {
    const std::lock_guard lock(impl->mutex);
    if (auto it = impl->known.find(problem); it != impl->known.end())
        return it->second;
    if (impl->db == nullptr)
        return std::nullopt;
    std::string choice;
    const int result =
        impl->query("select choice from choices_1 where problem = ?", {problem}, &choice);
    if (result == sqlite::row)
        return impl->known[problem] = choice;
    if (result != sqlite::done)
        impl->warn_of_database();
    return std::nullopt;
}

void tuning_cache::store(const std::string& problem, const std::string& choice) {
    const std::lock_guard lock(impl->mutex);
    impl->known[problem] = choice;
    if (impl->db != nullptr and impl->query("insert or replace into choices_1 values (?, ?)",
                                            {problem, choice}, nullptr) != sqlite::done)
        impl->warn_of_database();
}

fs::path tuning_cache::default_file() {
    if (not cache_file.get().empty())
        return cache_file.get();
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr and cache[0] == '/')
        return fs::path(cache) / "migraphx" / "tuning.db";
    if (const char* home = std::getenv("HOME"); home != nullptr and home[0] == '/')
        return fs::path(home) / ".cache" / "migraphx" / "tuning.db";
    return {};
}

tuning_cache& tuning_cache::instance() {
    static auto* cache = new tuning_cache(default_file()); // used until the process ends
    return *cache;
}

tuning_progress::tuning_progress(std::size_t problems)
    : total(problems), shown(problems > 0 and ::isatty(STDERR_FILENO) != 0) {}

tuning_progress::~tuning_progress() {
    if (shown and done > 0)
        std::cerr << "\r\033[K" << std::flush;
}

void tuning_progress::next(const std::string& what) {
    done++;
    if (shown)
        std::cerr << str("\rtuning ", done, " of ", total, ": ", what, "\033[K") << std::flush;
}

} // namespace migraphx
