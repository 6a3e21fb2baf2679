// SPDX-License-Identifier: MIT
// Programs in files and buffers.
#include <migraphx/errors.hpp>
#include <migraphx/json.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/msgpack.hpp>

#include "base/files.hpp"
#include "base/phase_times.hpp"
#include "base/str.hpp"

#include <exception>

namespace migraphx {

namespace {

enum class program_format { msgpack, json };

program_format format_of(const file_options& options) {
    if (options.format == "msgpack")
        return program_format::msgpack;
    if (options.format == "json")
        return program_format::json;
    fail(error_kind::invalid_argument,
         "file format: expected msgpack or json, got '" + options.format + "'");
}

// Parses `format`, from `owner`'s memory when there is one.
program program_of(program_format format, const std::shared_ptr<const void>& owner,
                   const char* bytes, std::size_t size) {
    const phase_report report("load");
    value v;
    {
        const timed_phase row("parse");
        v = format == program_format::json ? from_json_string(bytes, size)
                                           : from_msgpack(owner, bytes, size);
    }
    program p;
    p.from_value(v);
    return p;
}

template <class F>
auto naming_file(const std::string& filename, F f) {
    return with_context(f, [&] { return "while reading " + filename; });
}

} // namespace

program load(const std::string& filename, const file_options& options) {
    const auto format = format_of(options);
    auto file = map_file(filename);
    // Literals refer to the mapped file, which lives as long as one of them.
    return naming_file(filename,
                       [&] { return program_of(format, file, file->data(), file->size()); });
}

program load_buffer(const char* buffer, std::size_t size, const file_options& options) {
    return program_of(format_of(options), nullptr, buffer, size);
}

program load_buffer(const std::vector<char>& buffer, const file_options& options) {
    return load_buffer(buffer.data(), buffer.size(), options);
}

void save(const program& p, const std::string& filename, const file_options& options) {
    const auto format = format_of(options);
    const auto v = p.to_value();
    file_writer out(filename);
    if (format == program_format::json)
        out.write(to_json_string(v));
    else
        to_msgpack(v, [&](const char* bytes, std::size_t n) { out.write(bytes, n); });
    out.commit();
}

std::vector<char> save_buffer(const program& p, const file_options& options) {
    if (format_of(options) == program_format::msgpack)
        return to_msgpack(p.to_value());
    const auto text = to_json_string(p.to_value());
    return {text.begin(), text.end()};
}

} // namespace migraphx
