// SPDX-License-Identifier: MIT
#include "ir/text_lines.hpp"

#include <algorithm>

namespace migraphx {

namespace {

void read_literal(text_reader& r, text_instruction& ins) {
    if (ins.op.name == "@literal") {
        r.expect("{");
        ins.literal_form = text_instruction::numbers;
        r.skip_spaces();
        const auto start = r.position();
        while (r.starts("\"")) {
            r.quoted();
            r.take(",");
        }
        r.until("}");
        ins.literal_text = r.from(start);
        if (ins.literal_text.starts_with("...")) {
            ins.literal_form = text_instruction::random;
            ins.seed = ins.line;
        }
        r.expect("}");
        return;
    }
    r.expect("(");
    if (ins.op.name == "@literal:hex") {
        ins.literal_form = text_instruction::hex;
        ins.literal_text = r.until(")");
    } else if (ins.op.name == "@literal:random") {
        ins.literal_form = text_instruction::random;
        ins.seed = r.number("a seed");
    } else {
        fail_line(ins.line, "expected @literal{…}, @literal:hex(…) or @literal:random(…), got " +
                                ins.op.name);
    }
    r.expect(")");
    ins.op.name = "@literal";
}

void read_symbols(text_reader& r, text_instruction& ins) {
    do {
        r.skip_spaces();
        std::string symbol;
        if (r.starts("\"")) {
            symbol = r.quoted();
        } else {
            symbol = std::string(r.until(","));
            while (not symbol.empty() and symbol.back() == ' ')
                symbol.pop_back();
        }
        ins.symbols.insert(symbol);
    } while (r.take(","));
}

text_instruction read_instruction(text_reader& r, std::size_t line) {
    text_instruction ins;
    ins.line = line;
    const auto start = r.position();
    ins.id = r.raw_name("the name of an instruction");
    if (not r.take("=")) {
        ins.id.clear();
        r.rewind(start);
    }
    if (r.take("@param:")) {
        ins.op.name = "@param";
        ins.parameter = r.name("the name of a parameter");
    } else {
        ins.op = r.read_operation();
        if (ins.op.name.starts_with("@literal"))
            read_literal(r, ins);
    }
    if (r.take("("))
        r.list(')', [&] { ins.operands.push_back(r.raw_name("the name of an operand")); });
    if (r.take(", [") or r.take(",["))
        r.list(']', [&] { ins.modules.push_back(r.name("the name of a module")); });
    if (r.take("->")) {
        r.skip_spaces();
        const auto at = r.position();
        ins.stated = r.read_shape();
        ins.stated_text = r.from(at);
    }
    while (r.take(",")) {
        if (r.take("target_id="))
            ins.target_id = r.number("a number");
        else if (r.take("normalized"))
            ins.normalized = true;
        else
            r.fail_expected("target_id or normalized");
    }
    if (r.take("#"))
        read_symbols(r, ins);
    if (not r.at_end())
        r.fail_expected("the end of the line");
    return ins;
}

std::vector<std::string> read_names(text_reader& r) {
    std::vector<std::string> names;
    r.expect("{");
    r.list('}', [&] { names.push_back(r.name("a name")); });
    if (not r.at_end())
        r.fail_expected("the end of the line");
    return names;
}

} // namespace

text_program read_lines(std::string_view text) {
    text_program result;
    text_symbols symbols;
    auto current = [&]() -> text_module& {
        if (result.modules.empty())
            result.modules.emplace_back();
        return result.modules.back();
    };
    for (std::size_t number = 1; not text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (not line.empty() and (line.back() == '\r' or line.back() == ' '))
            line.remove_suffix(1);
        text_reader r(line, number, symbols);
        if (r.at_end() or r.starts("#"))
            continue;
        on_line(number, [&] {
            if (r.take("module:")) {
                auto& m = result.modules.emplace_back();
                m.line = number;
                m.name = r.name("the name of a module");
                if (r.take(",")) {
                    r.expect("bypass");
                    m.bypass = true;
                }
                if (not r.at_end())
                    r.fail_expected("the end of the line");
            } else if (r.take("parameters:")) {
                current().parameter_order = read_names(r);
            } else if (r.take("outputs:")) {
                result.outputs = read_names(r);
            } else if (r.take("dimensions:")) {
                const auto parameter = r.name("a parameter");
                result.dimension_names[parameter] = read_names(r);
            } else {
                current().instructions.push_back(read_instruction(r, number));
            }
        });
    }
    return result;
}

} // namespace migraphx
