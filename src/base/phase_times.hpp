// SPDX-License-Identifier: MIT
// Where the time of a compilation goes: passes, lowering, packing and so on write rows of a table,
// which is printed to stderr at its end. Off unless MIGRAPHX_TIME_PASSES or time_phases() asks.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

/// Rows in the order in which their phases began; those inside of another one are indented.
class phase_table {
public:
    static constexpr std::size_t none = std::size_t(-1);

    std::size_t begin(std::string_view name);
    void end(std::size_t row, double ms, std::optional<std::size_t> before,
             std::optional<std::size_t> after);
    /// Adds to the row of this name within the open phase. Any thread.
    void add(std::string_view name, double ms);
    /// `<name>: <ms>ms, <share>%[, <before> -> <after>]` each line, and the total.
    std::string text(double total_ms) const;

private:
    struct row {
        std::string name;
        std::size_t parent = none, depth = 0;
        double ms = 0;
        std::optional<std::size_t> before, after;
        std::size_t parts = 0; ///< pieces of work that `add` summed up
    };
    std::size_t append(std::string_view name);

    mutable std::mutex mutex;
    std::vector<row> rows;
    std::size_t open = none;
};

/// Tables are wanted from now on, whatever the setting says.
void time_phases(bool on);
/// The table that this thread writes to; null when times are not wanted.
phase_table* current_phases();

class stopwatch {
public:
    double milliseconds() const {
        return std::chrono::duration<double, std::milli>(clock::now() - start).count();
    }

private:
    using clock = std::chrono::steady_clock;
    clock::time_point start = clock::now();
};

/// A table for what this thread does in its lifetime, when times are wanted and there is none yet.
class phase_report {
public:
    explicit phase_report(std::string_view title);
    ~phase_report();
    phase_report(const phase_report&) = delete;
    phase_report& operator=(const phase_report&) = delete;

private:
    std::string title;
    std::unique_ptr<phase_table> table;
    stopwatch watch;
};

/// Lets a thread that helps with a phase write to its table.
class phase_helper {
public:
    explicit phase_helper(phase_table* t);
    ~phase_helper();
    phase_helper(const phase_helper&) = delete;
    phase_helper& operator=(const phase_helper&) = delete;

private:
    phase_table* old;
};

/// A row: from construction to destruction, on the thread that compiles.
class timed_phase {
public:
    explicit timed_phase(std::string_view name)
        : table(current_phases()), row(table == nullptr ? 0 : table->begin(name)) {}
    ~timed_phase() {
        if (table != nullptr)
            table->end(row, watch.milliseconds(), before, after);
    }
    timed_phase(const timed_phase&) = delete;
    timed_phase& operator=(const timed_phase&) = delete;

    bool wanted() const { return table != nullptr; }
    /// What the phase turned into what: numbers of instructions.
    std::optional<std::size_t> before, after;

private:
    phase_table* table;
    std::size_t row;
    stopwatch watch;
};

/// A part of a row that many pieces of work share, on any thread.
class timed_work {
public:
    explicit timed_work(const char* name_of_row) : table(current_phases()), name(name_of_row) {}
    ~timed_work() {
        if (table != nullptr)
            table->add(name, watch.milliseconds());
    }
    timed_work(const timed_work&) = delete;
    timed_work& operator=(const timed_work&) = delete;

private:
    phase_table* table;
    const char* name;
    stopwatch watch;
};

} // namespace migraphx
