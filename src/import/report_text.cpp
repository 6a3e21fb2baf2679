// SPDX-License-Identifier: MIT
// A report as aligned text.
#include <migraphx/model_report.hpp>

#include "base/str.hpp"
#include "import/quote.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace migraphx {

namespace {

using row = std::vector<std::string>;

// Columns as wide as their widest word; those of `right` are set to the right.
void append_table(std::string& out, const std::vector<row>& rows, const std::vector<bool>& right) {
    std::vector<std::size_t> width(right.size(), 0);
    for (const auto& r : rows)
        for (std::size_t i = 0; i < r.size(); i++)
            width[i] = std::max(width[i], r[i].size());
    for (const auto& r : rows) {
        std::string line = " ";
        for (std::size_t i = 0; i < r.size(); i++) {
            const std::string gap(width[i] - r[i].size(), ' ');
            line += ' ' + (right[i] ? gap + r[i] : r[i] + gap) + ' ';
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
}

// 1234567 as "1.23 M", with at most three digits before the unit.
std::string scaled(double x, double step, const std::vector<const char*>& units) {
    std::size_t i = 0;
    for (; x >= step and i + 1 < units.size(); i++)
        x /= step;
    char text[32];
    std::snprintf(text, sizeof(text),
                  i == 0    ? "%.0f"
                  : x < 10  ? "%.2f"
                  : x < 100 ? "%.1f"
                            : "%.0f",
                  x);
    return std::string(text) + (units[i][0] == '\0' ? "" : " ") + units[i];
}

std::string counted(double x) {
    return scaled(x, 1000, {"", "K", "M", "G", "T", "P", "E"});
}
std::string sized(double x) {
    return scaled(x, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB"});
}

std::string dims_text(const value& dims) {
    if (dims.is_null())
        return "unknown rank";
    std::string text;
    for (const auto& d : dims)
        text += (text.empty() ? "" : ", ") + (d.is_null()     ? std::string("?")
                                              : d.is_string() ? printable(d.get_string())
                                                              : std::to_string(d.to<int64_t>()));
    return "[" + text + "]";
}

void append_tensors(std::string& out, const char* title, const value& lines) {
    if (lines.empty())
        return;
    out += std::string(title) + ":\n";
    std::vector<row> rows;
    for (const auto& v : lines) {
        const auto as = v.at("read_as").get_string();
        rows.push_back({printable(v.at("name").get_string()), v.at("type").get_string(),
                        dims_text(v.at("dims")), as.empty() ? "" : "read as " + as});
    }
    append_table(out, rows, {false, false, false, false});
}

std::string percent(double part, double whole) {
    char text[16];
    std::snprintf(text, sizeof(text), "%.1f %%", whole > 0 ? 100 * part / whole : 0.0);
    return text;
}

} // namespace

std::string report_text(const value& report) {
    std::string out =
        printable(report.at("file").get_string()) + ": " + report.at("format").get_string();
    if (const auto producer = report.at("producer").get_string(); not producer.empty())
        out += ", made by " + printable(producer);
    out += '\n';
    std::string opsets;
    for (const auto& o : report.at("opsets"))
        opsets += (opsets.empty() ? "" : ", ") + printable(o.get_key()) + ' ' +
                  std::to_string(o.to<int64_t>());
    if (not opsets.empty())
        out += "opsets: " + opsets + '\n';
    append_tensors(out, "inputs", report.at("inputs"));
    append_tensors(out, "outputs", report.at("outputs"));

    const auto& parameters = report.at("parameters");
    out += "parameters: " + std::to_string(parameters.at("count").to<int64_t>()) + " tensors, " +
           counted(parameters.at("elements").to<double>()) + " elements, " +
           sized(parameters.at("bytes").to<double>()) + '\n';
    std::string types;
    for (const auto& t : report.at("types"))
        types += (types.empty() ? "" : ", ") + t.get_string();
    out += "types: " + types + '\n';
    const auto flops = report.at("flops").to<double>(), bytes = report.at("bytes").to<double>();
    out += "work: " + counted(flops) + " flops, " + sized(bytes) + " of memory traffic\n";
    if (const auto unsized = report.at("unsized").to<int64_t>(); unsized > 0)
        out +=
            "  without " + std::to_string(unsized) + (unsized == 1 ? " node" : " nodes") +
            ", which do not fit open sizes of 1: --input-dim, --dim-param or --batch give others\n";

    const auto& operators = report.at("operators");
    out += "operators: " + std::to_string(operators.size()) + " kinds, " +
           std::to_string(report.at("nodes").to<int64_t>()) + " nodes\n";
    std::vector<row> rows{{"count", "operator", "flops", "", "traffic", "", ""}};
    for (const auto& o : operators) {
        const auto domain = o.at("domain").get_string();
        rows.push_back(
            {std::to_string(o.at("count").to<int64_t>()),
             (domain.empty() ? "" : domain + "::") + o.at("name").get_string(),
             counted(o.at("flops").to<double>()), percent(o.at("flops").to<double>(), flops),
             sized(o.at("bytes").to<double>()), percent(o.at("bytes").to<double>(), bytes),
             o.at("supported").to<bool>() ? "" : "NOT SUPPORTED"});
    }
    append_table(out, rows, {true, false, true, true, true, true, false});

    const auto& problems = report.at("problems");
    if (problems.empty())
        return out + "everything is supported\n";
    out += "not supported: " + std::to_string(problems.size()) +
           (problems.size() == 1 ? " node\n" : " nodes\n");
    for (const auto& p : problems)
        out += "  " + p.at("node").get_string() + ": " + p.at("message").get_string() + '\n';
    if (const auto rest = report.at("unexamined").to<int64_t>(); rest > 0)
        out += "not examined, because they need results of these: " + std::to_string(rest) +
               (rest == 1 ? " node\n" : " nodes\n");
    return out;
}

} // namespace migraphx
