// SPDX-License-Identifier: MIT
// Log lines: log::info() << "text"; goes to every sink that wants the severity. The first sink, id
// 0, is stderr; its level comes from MIGRAPHX_LOG_LEVEL (0 none … 5 trace, default 3).
#ifndef MIGRAPHX_GUARD_LOGGER_HPP
#define MIGRAPHX_GUARD_LOGGER_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace migraphx {
namespace log {

enum class severity { none, error, warn, info, debug, trace };

using sink =
    std::function<void(severity level, std::string_view message, std::string_view file, int line)>;

// Is any sink interested?
bool is_enabled(severity level);
void record(severity level, std::string_view message, const char* file, int line);

// Severities above `level` do not reach the sink.
void set_severity(severity level, std::size_t id = 0);
severity get_severity(std::size_t id = 0);
std::size_t add_sink(sink s, severity level = severity::info);
void remove_sink(std::size_t id);
// Appends to the file; throws when it cannot be opened.
std::size_t add_file_logger(std::string_view filename, severity level = severity::info);
// "YYYY-MM-DD HH:MM:SS.uuuuuu [LEVEL] [file:line] message" for each line of the message.
std::string format_record(severity level, std::string_view message, std::string_view file, int line,
                          bool colour = false);

class print_stream {
public:
    print_stream(severity s, const char* f, int l) : level(s), file(f), line(l) {
        if (is_enabled(level))
            text = std::make_unique<std::ostringstream>();
    }
    print_stream(print_stream&&) = default;
    ~print_stream() {
        if (text != nullptr)
            record(level, text->str(), file, line);
    }

    template <class T>
    print_stream& operator<<(const T& x) {
        if (text != nullptr)
            *text << x;
        return *this;
    }
    print_stream& operator<<(std::ostream& (*f)(std::ostream&)) {
        if (text != nullptr)
            *text << f;
        return *this;
    }

private:
    severity level;
    const char* file;
    int line;
    std::unique_ptr<std::ostringstream> text;
};

inline print_stream error(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {severity::error, f, l};
}
inline print_stream warn(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {severity::warn, f, l};
}
inline print_stream info(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {severity::info, f, l};
}
inline print_stream debug(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {severity::debug, f, l};
}
inline print_stream trace(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {severity::trace, f, l};
}

} // namespace log
} // namespace migraphx
#endif
