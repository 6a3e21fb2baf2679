// SPDX-License-Identifier: MIT
// Modules as graphviz digraphs.
#include "base/str.hpp"
#include "ir/text.hpp"

#include <migraphx/op_info.hpp>
#include <migraphx/stringutils.hpp>

#include <ostream>

namespace migraphx {

namespace {

std::string html_text(const std::string& s) {
    std::string out;
    for (const char c : s) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

std::string fill_colour(const operation& op) {
    const auto attributes = op.attributes();
    if (attributes.contains("fillcolor"))
        return attributes.at("fillcolor").to<std::string>();
    const auto name = op.name();
    if (name == "@param")
        return "khaki";
    if (name == "@literal")
        return "lightgray";
    if (name.starts_with('@'))
        return "white";
    if (attributes.contains("reduce"))
        return "lightsalmon";
    if (attributes.contains("pointwise"))
        return "lightgreen";
    if (op.info().is_view)
        return "lightcyan";
    return "lightblue";
}

std::string full_label(instruction_ref ins) {
    const auto& op = ins->get_operator();
    auto row = [](const std::string& s) { return "<TR><TD>" + html_text(s) + "</TD></TR>"; };
    std::string out = "<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\"><TR><TD><B>" +
                      html_text(op.name()) + "</B></TD></TR>";
    for (const auto& a : op.to_value())
        out += row(a.get_key() + ": " + to_text(a.without_key()));
    out += row(to_text(ins->get_shape()));
    for (const auto& symbol : ins->get_debug_symbols())
        out += row(symbol);
    return out + "</TABLE>>";
}

} // namespace

void module::print_graph(std::ostream& os, bool brief) const {
    const auto names = name_instructions(*this, "");
    auto id = [&](instruction_ref i) {
        auto it = names.find(i);
        return quote_string(it == names.end() ? str("outer ", as_address(i)) : it->second);
    };
    os << "digraph {\n    node [shape=box, style=filled];\n";
    for (auto i = begin(); i != end(); ++i) {
        os << "    " << id(i) << "[label=" << (brief ? quote_string(i->name()) : full_label(i))
           << ", fillcolor=" << fill_colour(i->get_operator()) << "];\n";
        for (auto a : i->inputs()) {
            os << "    " << id(a) << " -> " << id(i);
            if (not brief)
                os << "[label=" << quote_string(to_text(a->get_shape())) << "]";
            os << ";\n";
        }
    }
    os << "}\n";
}

void program::print_graph(std::ostream& os, bool brief) const {
    get_main_module()->print_graph(os, brief);
}

} // namespace migraphx
