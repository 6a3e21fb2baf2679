// SPDX-License-Identifier: MIT
#include "base/phase_times.hpp"

#include "base/settings.hpp"
#include "base/str.hpp"

#include <atomic>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace migraphx {

namespace {

const setting<bool> time_passes{"MIGRAPHX_TIME_PASSES", false,
                                "times of passes, lowering, packing …, to stderr"};
std::atomic<bool> times_asked = false;
thread_local phase_table* thread_table = nullptr;

std::string milliseconds_text(double ms) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.*f", ms < 10 ? 3 : 1, ms);
    return text;
}

} // namespace

std::size_t phase_table::append(std::string_view name) {
    row r;
    r.name = name;
    r.parent = open;
    r.depth = open == none ? 0 : rows[open].depth + 1;
    rows.push_back(std::move(r));
    return rows.size() - 1;
}

std::size_t phase_table::begin(std::string_view name) {
    const std::lock_guard lock(mutex);
    return open = append(name);
}

void phase_table::end(std::size_t number, double ms, std::optional<std::size_t> before,
                      std::optional<std::size_t> after) {
    const std::lock_guard lock(mutex);
    auto& r = rows[number];
    r.ms = ms;
    r.before = before;
    r.after = after;
    open = r.parent;
}

void phase_table::add(std::string_view name, double ms) {
    const std::lock_guard lock(mutex);
    std::size_t at = rows.size();
    while (at-- > 0)
        if (rows[at].parent == open and rows[at].parts > 0 and rows[at].name == name)
            break;
    if (at == none)
        at = append(name);
    rows[at].ms += ms;
    rows[at].parts++;
}

std::string phase_table::text(double total_ms) const {
    const std::lock_guard lock(mutex);
    std::string result;
    for (const auto& r : rows) {
        const auto share = total_ms > 0 ? std::round(100 * r.ms / total_ms) : 0;
        result += str(std::string(2 * r.depth, ' '), r.name, ": ", milliseconds_text(r.ms), "ms, ",
                      share, "%");
        if (r.before and r.after)
            result += str(", ", *r.before, " -> ", *r.after);
        if (r.parts > 1)
            result += str(", sum of ", r.parts);
        result += '\n';
    }
    return result + str("Total: ", milliseconds_text(total_ms), "ms\n");
}

void time_phases(bool on) {
    times_asked = on;
}

phase_table* current_phases() {
    return thread_table;
}

phase_report::phase_report(std::string_view what) : title(what) {
    if (thread_table != nullptr or not(times_asked or time_passes))
        return;
    table = std::make_unique<phase_table>();
    thread_table = table.get();
}

phase_report::~phase_report() {
    if (table == nullptr)
        return;
    thread_table = nullptr;
    std::cerr << str("Times of ", title, ":\n", table->text(watch.milliseconds())) << std::flush;
}

phase_helper::phase_helper(phase_table* t) : old(thread_table) {
    thread_table = t;
}

phase_helper::~phase_helper() {
    thread_table = old;
}

} // namespace migraphx
