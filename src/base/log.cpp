// SPDX-License-Identifier: MIT
// Sinks of the log and the form of its lines.
#include <migraphx/logger.hpp>

#include "base/settings.hpp"
#include "base/str.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <migraphx/errors.hpp>
#include <mutex>
#include <unistd.h>

namespace migraphx {
namespace log {
namespace {

const setting<int> log_level{
    "MIGRAPHX_LOG_LEVEL", static_cast<int>(severity::info),
    "log level of stderr: 0 none, 1 error, 2 warn, 3 info, 4 debug, 5 trace"};

struct log_entry {
    sink write;
    severity level;
};

// A sink may log, or add and remove sinks: sinks are called on a copy of the list.
struct log_state {
    std::recursive_mutex guard;
    std::map<std::size_t, log_entry> sinks;
    std::size_t next_id = 1;
    std::atomic<int> highest{0};

    log_state() {
        const int level = std::clamp(log_level.get(), 0, static_cast<int>(severity::trace));
        sinks[0] = {[](severity s, std::string_view m, std::string_view f, int l) {
                        static const bool colour = isatty(STDERR_FILENO) != 0;
                        const auto text = format_record(s, m, f, l, colour);
                        std::fwrite(text.data(), 1, text.size(), stderr);
                        std::fflush(stderr);
                    },
                    static_cast<severity>(level)};
        update();
    }

    void update() {
        int top = 0;
        for (const auto& s : sinks)
            top = std::max(top, static_cast<int>(s.second.level));
        highest = top;
    }
};

// Never destroyed, so that destructors of other static objects may log.
log_state& the_log() {
    static auto* state = new log_state;
    return *state;
}

const char* severity_name(severity s) {
    switch (s) {
    case severity::none:
        return "NONE";
    case severity::error:
        return "ERROR";
    case severity::warn:
        return "WARN";
    case severity::info:
        return "INFO";
    case severity::debug:
        return "DEBUG";
    case severity::trace:
        return "TRACE";
    }
    return "LOG";
}

const char* severity_colour(severity s) {
    switch (s) {
    case severity::error:
        return "\x1b[31m";
    case severity::warn:
        return "\x1b[33m";
    case severity::debug:
        return "\x1b[36m";
    case severity::trace:
        return "\x1b[90m";
    default:
        return "";
    }
}

std::string log_time() {
    using namespace std::chrono;
    const auto now = system_clock::now();
    const auto micros = duration_cast<microseconds>(now.time_since_epoch()).count() % 1000000;
    const auto second = system_clock::to_time_t(now);
    std::tm parts{};
    localtime_r(&second, &parts);
    char text[64];
    const auto n = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    std::snprintf(text + n, sizeof(text) - n, ".%06d", static_cast<int>(micros));
    return text;
}

} // namespace

bool is_enabled(severity level) {
    return level != severity::none and
           static_cast<int>(level) <= the_log().highest.load(std::memory_order_relaxed);
}

std::string format_record(severity level, std::string_view message, std::string_view file, int line,
                          bool colour) {
    const auto slash = file.rfind('/');
    if (slash != std::string_view::npos)
        file.remove_prefix(slash + 1);
    const char* on = colour ? severity_colour(level) : "";
    const auto head = str(on, log_time(), " [", severity_name(level), "] [", file, ":", line, "] ");
    const char* off = *on == 0 ? "" : "\x1b[0m";
    while (not message.empty() and message.back() == '\n')
        message.remove_suffix(1);
    std::string out;
    for (;;) {
        const auto end = message.find('\n');
        out += str(head, message.substr(0, end), off, '\n');
        if (end == std::string_view::npos)
            return out;
        message.remove_prefix(end + 1);
    }
}

void record(severity level, std::string_view message, const char* file, int line) {
    auto& state = the_log();
    std::lock_guard<std::recursive_mutex> lock(state.guard);
    const auto sinks = state.sinks;
    for (const auto& s : sinks)
        if (level <= s.second.level and level != severity::none)
            s.second.write(level, message, file, line);
}

void set_severity(severity level, std::size_t id) {
    auto& state = the_log();
    std::lock_guard<std::recursive_mutex> lock(state.guard);
    const auto it = state.sinks.find(id);
    if (it == state.sinks.end())
        fail(error_kind::invalid_argument, str("log: expected the id of a sink, got ", id));
    it->second.level = level;
    state.update();
}

severity get_severity(std::size_t id) {
    auto& state = the_log();
    std::lock_guard<std::recursive_mutex> lock(state.guard);
    const auto it = state.sinks.find(id);
    return it == state.sinks.end() ? severity::none : it->second.level;
}

std::size_t add_sink(sink s, severity level) {
    auto& state = the_log();
    std::lock_guard<std::recursive_mutex> lock(state.guard);
    state.sinks[state.next_id] = {std::move(s), level};
    state.update();
    return state.next_id++;
}

void remove_sink(std::size_t id) {
    auto& state = the_log();
    std::lock_guard<std::recursive_mutex> lock(state.guard);
    state.sinks.erase(id);
    state.update();
}

std::size_t add_file_logger(std::string_view filename, severity level) {
    const std::string name(filename);
    std::shared_ptr<std::FILE> file(std::fopen(name.c_str(), "a"), [](std::FILE* f) {
        if (f != nullptr)
            std::fclose(f);
    });
    if (file == nullptr)
        fail(error_kind::io, str("log file ", name, ": expected a file that can be written"));
    return add_sink(
        [file](severity s, std::string_view m, std::string_view f, int l) {
            const auto text = format_record(s, m, f, l);
            std::fwrite(text.data(), 1, text.size(), file.get());
            std::fflush(file.get());
        },
        level);
}

} // namespace log
} // namespace migraphx
