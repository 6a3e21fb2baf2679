// SPDX-License-Identifier: MIT
#include "coverage.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/register_op.hpp>

#include "base/str.hpp"
#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <fstream>
#include <map>
#include <set>

namespace op_cases {

using namespace migraphx;

namespace {

struct written_operator {
    std::string name;
    std::set<std::string> attributes;
};

// "name[a=1,b={2, 3}]": the keys outside of inner brackets.
written_operator written(const std::string& text) {
    written_operator result;
    const auto open = text.find('[');
    result.name = text.substr(0, open);
    int depth = 0;
    std::string key;
    for (std::size_t i = open; i < text.size(); ++i) {
        const char c = text[i];
        if (depth == 1 and c == '=')
            result.attributes.insert(key);
        depth += c == '[' or c == '{' ? 1 : c == ']' or c == '}' ? -1 : 0;
        if (c == '[' or c == ',' or c == ' ' or c == '=')
            key.clear();
        else
            key += c;
    }
    return result;
}

std::map<std::string, std::string> reasons(const std::filesystem::path& file) {
    std::map<std::string, std::string> result;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.empty() or line[0] == '#')
            continue;
        const auto hash = line.find("  # ");
        result[line.substr(0, hash)] = hash == std::string::npos ? "" : line.substr(hash + 4);
    }
    return result;
}

} // namespace

std::vector<std::string> coverage_faults(const std::vector<op_case>& cases,
                                         const std::filesystem::path& folder) {
    std::map<std::string, std::set<std::string>> seen;
    for (const auto& c : cases) {
        const auto w = written(c.operation);
        // Whether an error is found in time is another question than what the operator computes.
        if (c.error.empty())
            seen[w.name].insert(w.attributes.begin(), w.attributes.end());
    }
    const auto excused = reasons(folder / "uncovered.txt");
    std::set<std::string> missing;
    std::vector<std::string> faults;
    for (const auto& name : get_operators()) {
        // Builtins, and what targets have for themselves.
        if (name[0] == '@' or name.find("::") != std::string::npos)
            continue;
        const auto found = seen.find(name);
        if (found == seen.end())
            missing.insert(name);
        else
            for (const auto& f : load_op(name).info().fields)
                if (found->second.count(f.name) == 0)
                    missing.insert(name + "." + f.name);
    }
    for (const auto& m : missing)
        if (excused.count(m) == 0)
            faults.push_back("no case names " + m);
    for (const auto& [name, reason] : excused)
        if (reason.empty())
            faults.push_back("uncovered.txt: a reason was expected behind " + name);
        else if (missing.count(name) == 0)
            faults.push_back("uncovered.txt: " + name +
                             " has a case, or is unknown; the line can go");
    return faults;
}

std::vector<std::string> interface_faults(const std::filesystem::path& folder) {
    std::vector<std::string> faults;
    std::ifstream in(folder / "operators.txt");
    for (std::string line; std::getline(in, line);) {
        if (line.empty() or line[0] == '#')
            continue;
        try {
            const auto stated = parse_operation_text(line);
            const auto given = make_op(written(line).name);
            if (to_text(stated) != to_text(given))
                faults.push_back(str("defaults of ", line, " were expected, got ", to_text(given)));
        } catch (const std::exception& e) {
            faults.push_back(line + ": " + e.what());
        }
    }
    return faults;
}

} // namespace op_cases
