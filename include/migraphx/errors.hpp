// SPDX-License-Identifier: MIT
// The one exception of the library. A message reads "<subject>: <what was expected>, got <what
// came>"; layers that know more (instruction, node, file) append indented context lines while it
// unwinds.
#ifndef MIGRAPHX_GUARD_ERRORS_HPP
#define MIGRAPHX_GUARD_ERRORS_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

// invalid_argument: the caller's mistake; unsupported: valid but not implemented; io: files and
// devices; internal: a mistake of the library itself.
enum class error_kind : unsigned { invalid_argument, unsupported, io, internal };

const char* to_string(error_kind k) noexcept;

struct exception : std::runtime_error {
    using kind = error_kind;

    // The code of the C interface; 0 unless the thrower gave one.
    unsigned error;

    explicit exception(unsigned e = 0, const std::string& msg = "");
    explicit exception(kind k, const std::string& message, const std::string& place = "");

    // "[place: ]message" and one indented line for each context line.
    const char* what() const noexcept override;

    kind category() const noexcept;
    const std::string& message() const noexcept;
    // "file:line: function" of the throwing code; empty when not recorded.
    const std::string& place() const noexcept;
    const std::vector<std::string>& context() const noexcept;
    // Appends a context line (without indentation). Copies of the exception share it.
    void add_context(std::string_view line);

private:
    struct state;
    std::shared_ptr<state> data;
};

exception make_exception(const std::string& context, const std::string& message = "");
exception make_exception(const std::string& context, unsigned e, const std::string& message = "");
std::string make_source_context(const std::string& file, int line, const std::string& fname);

[[noreturn]] void fail(error_kind k, const std::string& message);

inline void add_context(exception& e, std::string_view line) {
    e.add_context(line);
}

// Returns f(); an exception of the library that leaves f gets the line that `line()` makes.
template <class F, class Line>
decltype(auto) with_context(F&& f, Line&& line) {
    try {
        return f();
    } catch (exception& e) {
        e.add_context(line());
        throw;
    }
}

} // namespace migraphx

#define MIGRAPHX_MAKE_SOURCE_CTX() migraphx::make_source_context(__FILE__, __LINE__, __func__)
#define MIGRAPHX_THROW(...) throw migraphx::make_exception(MIGRAPHX_MAKE_SOURCE_CTX(), __VA_ARGS__)

#endif
