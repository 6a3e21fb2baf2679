// SPDX-License-Identifier: MIT
// The exception of the library: message, place, kind, context lines.
#include <migraphx/errors.hpp>

#include <utility>

namespace migraphx {

struct exception::state {
    error_kind kind = error_kind::invalid_argument;
    std::string message;
    std::string place;
    std::vector<std::string> context;
    std::string text;

    void join() {
        text = place.empty() ? message : place + ": " + message;
        for (const auto& line : context) {
            text += "\n  ";
            for (char c : line) {
                text += c;
                if (c == '\n')
                    text += "  ";
            }
        }
    }
};

const char* to_string(error_kind k) noexcept {
    switch (k) {
    case error_kind::invalid_argument:
        return "invalid_argument";
    case error_kind::unsupported:
        return "unsupported";
    case error_kind::io:
        return "io";
    case error_kind::internal:
        return "internal";
    }
    return "unknown";
}

exception::exception(unsigned e, const std::string& msg)
    : std::runtime_error(msg), error(e), data(std::make_shared<state>()) {
    data->message = msg;
    data->join();
}

exception::exception(kind k, const std::string& message, const std::string& place)
    : std::runtime_error(message), error(0), data(std::make_shared<state>()) {
    data->kind = k;
    data->message = message;
    data->place = place;
    data->join();
}

const char* exception::what() const noexcept {
    return data->text.c_str();
}
error_kind exception::category() const noexcept {
    return data->kind;
}
const std::string& exception::message() const noexcept {
    return data->message;
}
const std::string& exception::place() const noexcept {
    return data->place;
}
const std::vector<std::string>& exception::context() const noexcept {
    return data->context;
}

void exception::add_context(std::string_view line) {
    data->context.emplace_back(line);
    data->join();
}

exception make_exception(const std::string& context, const std::string& message) {
    return exception(error_kind::invalid_argument, message, context);
}

exception make_exception(const std::string& context, unsigned e, const std::string& message) {
    exception result(error_kind::invalid_argument, message, context);
    result.error = e;
    return result;
}

std::string make_source_context(const std::string& file, int line, const std::string& fname) {
    return file + ":" + std::to_string(line) + ": " + fname;
}

void fail(error_kind k, const std::string& message) {
    if (k == error_kind::internal)
        throw exception(k, message + " (this is a mistake of the library; please report it)");
    throw exception(k, message);
}

} // namespace migraphx
