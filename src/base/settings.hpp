// SPDX-License-Identifier: MIT
// Settings from the environment. Each is declared once, where it is used, as a static object that
// lists itself: static const setting<int> limit{"MIGRAPHX_LIMIT", 4, "what it limits"}; A variable
// is read at the first use of its setting and then never again.
#ifndef MIGRAPHX_GUARD_BASE_SETTINGS_HPP
#define MIGRAPHX_GUARD_BASE_SETTINGS_HPP

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace migraphx {

class setting_base {
public:
    setting_base(const char* setting_name, const char* setting_help);
    setting_base(const setting_base&) = delete;
    setting_base& operator=(const setting_base&) = delete;

    const char* name() const { return name_; }
    const char* help() const { return help_; }
    bool was_read() const { return read.load(std::memory_order_acquire); }
    virtual const char* type() const = 0;
    virtual std::string default_text() const = 0;
    virtual std::string current_text() const = 0;

protected:
    virtual ~setting_base();
    // Calls parse, with the variable's text or null, the first time.
    void read_once() const {
        if (not read.load(std::memory_order_acquire))
            read_now();
    }
    virtual void parse(const char* text) const = 0;

private:
    void read_now() const;
    const char* name_;
    const char* help_;
    mutable std::mutex guard;
    mutable std::atomic<bool> read = false;
};

bool parse_setting(const char* name, std::string_view text, bool& out);
bool parse_setting(const char* name, std::string_view text, int& out);
bool parse_setting(const char* name, std::string_view text, std::int64_t& out);
bool parse_setting(const char* name, std::string_view text, std::string& out);
std::string setting_text(bool x);
std::string setting_text(int x);
std::string setting_text(std::int64_t x);
std::string setting_text(const std::string& x);

// T: bool (on for 1, enable, enabled, yes, true), int, std::int64_t, std::string. A text that is no
// number warns and leaves the default.
template <class T>
class setting final : public setting_base {
public:
    setting(const char* setting_name, T default_value, const char* setting_help)
        : setting_base(setting_name, setting_help), fallback(default_value),
          current(default_value) {}

    const T& get() const {
        read_once();
        return current;
    }
    operator const T&() const { return get(); }

    const char* type() const override {
        if constexpr (std::is_same_v<T, bool>)
            return "bool";
        else if constexpr (std::is_same_v<T, std::string>)
            return "string";
        else
            return "int";
    }
    std::string default_text() const override { return setting_text(fallback); }
    std::string current_text() const override { return setting_text(get()); }

private:
    void parse(const char* text) const override {
        if (text != nullptr and not parse_setting(name(), text, current))
            current = fallback;
    }
    T fallback;
    mutable T current;
};

struct setting_info {
    std::string name;
    std::string type;
    std::string default_text;
    std::string help;
    bool is_set = false; // present in the environment
    bool was_read = false;
};

// All declared settings by name. Names of MIGRAPHX_DECLARE_ENV_VAR have no type, default and help.
std::vector<setting_info> list_settings();

struct environment_variable {
    std::string name;
    std::string value;
    bool known = false;
    // The nearest known name, for an unknown one that looks misspelt.
    std::string suggestion;
};

// The variables of the environment whose names start with MIGRAPHX_, by name.
std::vector<environment_variable> list_environment();
// Logs NAME=value for each one that was read.
void log_read_settings();
// Logs a warning for each unknown one, once for each name.
void warn_unknown_settings();

// Tracing. MIGRAPHX_TRACE=passes,eval=2,rules:fuse_* turns on channels, with a level (1 when none
// is given) and a filter on the subject. The interface's own names (MIGRAPHX_TRACE_PASSES …) do the
// same.
int trace_level(std::string_view channel, std::string_view subject = {});
inline bool trace_enabled(std::string_view channel, std::string_view subject = {}) {
    return trace_level(channel, subject) > 0;
}

// Does `text` fit `pattern`, where * stands for any characters and ? for one?
bool matches_wildcard(std::string_view pattern, std::string_view text);

} // namespace migraphx
#endif
