// SPDX-License-Identifier: MIT
// The registry of settings, and the environment seen through it.
#include "base/settings.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <migraphx/env.hpp>
#include <migraphx/logger.hpp>
#include <numeric>
#include <set>

extern char** environ;

namespace migraphx {
namespace {

struct settings_registry {
    std::mutex guard;
    std::map<std::string, const setting_base*, std::less<>> declared;
    // Names of MIGRAPHX_DECLARE_ENV_VAR, and whether they were asked for.
    std::map<std::string, bool, std::less<>> names;
    std::set<std::string> warned;
};

// Never destroyed: settings of libraries that are unloaded late still unregister.
settings_registry& the_settings() {
    static auto* registry = new settings_registry;
    return *registry;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool means_on(std::string_view text) {
    return is_one_of(text, {"1", "enable", "enabled", "yes", "true"});
}

bool means_off(std::string_view text) {
    return is_one_of(text, {"0", "disable", "disabled", "no", "false"});
}

template <class Int>
bool parse_integer(const char* name, std::string_view text, Int& out) {
    Int x = 0;
    const auto end = text.data() + text.size();
    const auto r = std::from_chars(text.data(), end, x);
    if (r.ec == std::errc{} and r.ptr == end) {
        out = x;
        return true;
    }
    if (means_on(text) or means_off(text)) {
        out = means_on(text) ? 1 : 0;
        return true;
    }
    // The log reads its own level through here; its lines must not wait for that.
    std::fprintf(stderr, "%s: expected an integer, got \"%.*s\"\n", name,
                 static_cast<int>(text.size()), text.data());
    return false;
}

// The text of a variable, or null; notes that it was asked for.
const char* ask_env(const char* name) {
    auto& registry = the_settings();
    std::lock_guard<std::mutex> lock(registry.guard);
    registry.names[name] = true;
    return std::getenv(name);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

} // namespace

setting_base::setting_base(const char* setting_name, const char* setting_help)
    : name_(setting_name), help_(setting_help) {
    auto& registry = the_settings();
    std::lock_guard<std::mutex> lock(registry.guard);
    registry.declared[name_] = this;
}

setting_base::~setting_base() {
    auto& registry = the_settings();
    std::lock_guard<std::mutex> lock(registry.guard);
    const auto it = registry.declared.find(name_);
    if (it != registry.declared.end() and it->second == this)
        registry.declared.erase(it);
}

void setting_base::read_now() const {
    std::lock_guard<std::mutex> lock(guard);
    if (read.load(std::memory_order_relaxed))
        return;
    parse(std::getenv(name_));
    read.store(true, std::memory_order_release);
}

bool parse_setting(const char*, std::string_view text, bool& out) {
    out = means_on(text);
    return true;
}
bool parse_setting(const char* name, std::string_view text, int& out) {
    return parse_integer(name, text, out);
}
bool parse_setting(const char* name, std::string_view text, std::int64_t& out) {
    return parse_integer(name, text, out);
}
bool parse_setting(const char*, std::string_view text, std::string& out) {
    out = text;
    return true;
}

std::string setting_text(bool x) {
    return x ? "on" : "off";
}
std::string setting_text(int x) {
    return std::to_string(x);
}
std::string setting_text(std::int64_t x) {
    return std::to_string(x);
}
std::string setting_text(const std::string& x) {
    return x;
}

std::vector<setting_info> list_settings() {
    auto& registry = the_settings();
    std::lock_guard<std::mutex> lock(registry.guard);
    std::map<std::string, setting_info> all;
    for (const auto& [name, asked] : registry.names)
        all[name] = {name, "", "", "", std::getenv(name.c_str()) != nullptr, asked};
    for (const auto& [name, s] : registry.declared)
        all[name] = {name,
                     s->type(),
                     s->default_text(),
                     s->help(),
                     std::getenv(name.c_str()) != nullptr,
                     s->was_read()};
    std::vector<setting_info> result;
    for (auto& entry : all)
        result.push_back(std::move(entry.second));
    return result;
}

std::vector<environment_variable> list_environment() {
    const auto settings = list_settings();
    std::vector<environment_variable> result;
    for (char** e = environ; e != nullptr and *e != nullptr; ++e) {
        const std::string_view entry = *e;
        const auto equals = entry.find('=');
        if (entry.substr(0, 9) != "MIGRAPHX_" or equals == std::string_view::npos)
            continue;
        environment_variable v{std::string(entry.substr(0, equals)),
                               std::string(entry.substr(equals + 1)), false, ""};
        std::size_t best = 4;
        for (const auto& s : settings) {
            const auto distance = edit_distance(s.name, v.name);
            v.known = v.known or distance == 0;
            if (distance < best) {
                best = distance;
                v.suggestion = s.name;
            }
        }
        if (v.known)
            v.suggestion.clear();
        result.push_back(std::move(v));
    }
    std::sort(result.begin(), result.end(),
              [](const auto& x, const auto& y) { return x.name < y.name; });
    return result;
}

void log_read_settings() {
    for (const auto& s : list_settings())
        if (s.is_set and s.was_read)
            log::info() << s.name << "=" << std::getenv(s.name.c_str()) << " \\";
}

void warn_unknown_settings() {
    for (const auto& v : list_environment()) {
        if (v.known)
            continue;
        {
            auto& registry = the_settings();
            std::lock_guard<std::mutex> lock(registry.guard);
            if (not registry.warned.insert(v.name).second)
                continue;
        }
        log::warn() << "Unused environment variable: " << v.name << "=" << v.value
                    << (v.suggestion.empty() ? std::string()
                                             : " (did you mean " + v.suggestion + "?)");
    }
}

bool declare_env(const char* name) {
    auto& registry = the_settings();
    std::lock_guard<std::mutex> lock(registry.guard);
    registry.names.emplace(name, false);
    return true;
}

bool enabled(const char* name) {
    const char* text = ask_env(name);
    return text != nullptr and means_on(text);
}

bool disabled(const char* name) {
    const char* text = ask_env(name);
    return text != nullptr and means_off(text);
}

std::size_t value_of(const char* name, std::size_t fallback) {
    const char* text = ask_env(name);
    std::int64_t x = 0;
    if (text == nullptr or *text == 0 or not parse_setting(name, text, x))
        return fallback;
    return static_cast<std::size_t>(x);
}

std::string string_value_of(const char* name, std::string fallback) {
    const char* text = ask_env(name);
    return text == nullptr or *text == 0 ? fallback : std::string(text);
}

} // namespace migraphx
