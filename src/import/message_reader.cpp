// SPDX-License-Identifier: MIT
#include "import/message_reader.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

void message_reader::fail(const std::string& text) const {
    constexpr std::size_t shown = 8; // of deep nestings the outer and the inner places
    std::string where;
    for (std::size_t i = 0; i < m_path.size(); ++i) {
        const place& p = m_path[i];
        where += where.empty() ? "" : ", ";
        if (m_path.size() > shown && i == shown / 2) {
            where += "...";
            i = m_path.size() - shown / 2 - 1;
            continue;
        }
        where += p.kind;
        if (p.index != no_index)
            where += ' ' + std::to_string(p.index);
        if (!p.name.empty())
            where += ' ' + in_quotes(p.name);
        if (!p.op_type.empty())
            where += " (" + printable(p.op_type) + ")";
    }
    migraphx::fail(error_kind::invalid_argument, (where.empty() ? "model" : where) + ": " + text);
}

// The longest legal structs are about 20 times their encoding (an attribute that holds one
// integer).
std::size_t message_reader::budget(std::size_t file_size) {
    constexpr std::size_t factor = 32;
    constexpr std::size_t floor = std::size_t{1} << 16;
    return file_size > std::numeric_limits<std::size_t>::max() / factor - floor
               ? std::numeric_limits<std::size_t>::max()
               : file_size * factor + floor;
}

void message_reader::charge(std::size_t bytes) {
    if (bytes > m_left)
        fail("expected structures of a plausible size, got more than " +
             std::to_string(budget(m_file_size)) + " bytes of them from a file of " +
             std::to_string(m_file_size) + " bytes");
    m_left -= bytes;
}

void check_model_bytes(std::string_view bytes, std::string_view format) {
    const auto expected = "model: expected " + std::string(format) + ", got ";
    if (bytes.empty())
        fail(error_kind::invalid_argument, expected + "an empty file");
    if (bytes.starts_with("version https://git-lfs"))
        fail(error_kind::invalid_argument,
             expected + "a Git LFS pointer; `git lfs pull` fetches the file itself");
}

} // namespace migraphx
