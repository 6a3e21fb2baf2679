// SPDX-License-Identifier: MIT
// Program text as records, one for each line: what the parser builds instructions from.
#pragma once

#include "base/str.hpp"
#include "ir/text_reader.hpp"

#include <migraphx/errors.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

struct text_instruction {
    std::size_t line = 0;
    std::string id; // as written
    text_operation op;
    std::string parameter;
    std::string_view literal_text; // numbers, or hexadecimal digits
    enum { no_literal, numbers, hex, random } literal_form = no_literal;
    std::size_t seed = 0;
    std::vector<std::string> operands;
    std::vector<std::string> modules;
    std::optional<shape> stated;
    std::string_view stated_text;
    std::size_t target_id = 0;
    bool normalized = false;
    std::set<std::string> symbols;
};

struct text_module {
    std::size_t line = 0;
    std::string name;
    bool bypass = false;
    std::vector<std::string> parameter_order;
    std::vector<text_instruction> instructions;
};

struct text_program {
    std::vector<text_module> modules;
    std::vector<std::string> outputs;
    std::map<std::string, std::vector<std::string>> dimension_names; // of parameters
};

[[noreturn]] inline void fail_line(std::size_t line, const std::string& message) {
    fail(error_kind::invalid_argument, str("line ", line, ": ", message));
}

// Makes what f throws start with the line.
template <class F>
auto on_line(std::size_t line, F f) {
    try {
        return f();
    } catch (const exception& e) {
        if (e.message().starts_with("line "))
            throw;
        exception full(e.category(), str("line ", line, ": ", e.message()), e.place());
        for (const auto& c : e.context())
            full.add_context(c);
        throw full;
    }
}

/// The records refer to the text.
text_program read_lines(std::string_view text);

} // namespace migraphx
