// SPDX-License-Identifier: MIT
// Runs tests/passes/*.txt: `=== name`, a program, `--- pass [pass …]` (or `--- pass … unchanged`),
// the program that must come out. Each pair is also run on ref with random inputs and must agree,
// and each pass must change nothing when it runs again. MGX_UPDATE=1 rewrites the files for review.
//   test_passes [--case '<name>'] [gtest arguments]
#include <migraphx/errors.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "base/str.hpp"
#include "ir/text.hpp"
#include "ir/text_parser.hpp"
#include "ops/tensor.hpp"
#include "passes/pass_registry.hpp"
#include "test_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

namespace pass_cases {

using namespace migraphx;
namespace fs = std::filesystem;

namespace {

struct pass_case {
    std::string name;
    std::string before; // as written
    std::string passes; // "simplify_algebra dead_code_elimination"
    bool unchanged = false;
    std::string after;
    std::size_t line = 0;
};

/// The cases of a file; `rewritten` gets what comes out, for an update.
struct case_file {
    fs::path path;
    std::string head; // comments before the first case
    std::vector<pass_case> cases;
    std::map<std::string, std::string> rewritten;
};

std::string stripped(const std::string& text) {
    const auto first = text.find_first_not_of("\n");
    const auto last = text.find_last_not_of("\n ");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1) + "\n";
}

case_file read_cases(const fs::path& path) {
    case_file result;
    result.path = path;
    std::ifstream in(path);
    std::size_t number = 0;
    std::string* to = &result.head;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.starts_with("=== ")) {
            result.cases.push_back({line.substr(4), "", "", false, "", number});
            to = &result.cases.back().before;
        } else if (line.starts_with("--- ") and not result.cases.empty()) {
            auto& c = result.cases.back();
            c.passes = line.substr(4);
            if (c.passes.ends_with(" unchanged")) {
                c.unchanged = true;
                c.passes.resize(c.passes.size() - 10);
            }
            to = &c.after;
        } else
            *to += line + "\n";
    }
    for (auto& c : result.cases) {
        c.before = stripped(c.before);
        c.after = stripped(c.after);
    }
    return result;
}

std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> result;
    for (std::string w; in >> w;)
        result.push_back(w);
    return result;
}

bool known_pass(const std::string& name) {
    const auto names = get_pass_names();
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Literals in full as long as they can be read; the lines of main carry no heading.
std::string normal_text(const program& p) {
    auto text = to_text(p);
    if (text.starts_with("module: \"main\"\n") and text.find("module: \"", 2) == std::string::npos)
        text = text.substr(text.find('\n') + 1);
    return stripped(text);
}

parameter_map random_parameters(const program& p) {
    parameter_map result;
    unsigned long seed = 1;
    std::map<std::string, shape> sorted;
    for (const auto& [name, s] : p.get_parameter_shapes())
        sorted.emplace(name, s);
    for (const auto& [name, s] : sorted)
        result[name] =
            generate_argument(s.dynamic() ? s.to_static(3) : s, seed++, random_mode::random);
    return result;
}

std::vector<argument> run_on_ref(program p, const parameter_map& params) {
    p.compile(make_target("ref"));
    return p.eval(params);
}

// Rewrites may round fewer results in between, in short types visibly.
double tolerance_of(shape::type_t t) {
    return t == shape::bf16_type ? 2e-2 : t == shape::half_type ? 2e-3 : 1e-5;
}

// Passes that choose types round to half.
double tolerance_of(const std::vector<std::string>& passes) {
    const auto rounds = [](const auto& x) { return x == "truncate_float" or x == "half_data"; };
    return std::any_of(passes.begin(), passes.end(), rounds) ? tolerance_of(shape::half_type) : 0;
}

std::string first_difference(const std::vector<argument>& got, const std::vector<argument>& wanted,
                             double least_tolerance) {
    if (got.size() != wanted.size())
        return str(wanted.size(), " results before, ", got.size(), " after");
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (got[i].get_shape().lens() != wanted[i].get_shape().lens())
            return str("result ", i, ": ", wanted[i].get_shape(), " before, ", got[i].get_shape(),
                       " after");
        const auto a = load<double>(got[i]), b = load<double>(wanted[i]);
        const double tolerance = std::max(least_tolerance, tolerance_of(got[i].get_shape().type()));
        double top = 1e-30;
        for (double v : b)
            if (std::isfinite(v))
                top = std::max(top, std::fabs(v));
        for (std::size_t k = 0; k < a.size(); ++k) {
            const bool equal = std::isnan(b[k])   ? std::isnan(a[k])
                               : std::isinf(b[k]) ? a[k] == b[k]
                                                  : std::fabs(a[k] - b[k]) <= tolerance * top;
            if (not equal)
                return str("result ", i, ", element ", k, ": ", b[k], " before, ", a[k], " after");
        }
    }
    return "";
}

class pass_test : public testing::Test {
public:
    pass_test(case_file& owner, const pass_case& tested) : file(owner), c(tested) {}

    void TestBody() override {
        SCOPED_TRACE(str(file.path.filename().string(), ":", c.line, ": ", c.name,
                         "\nrepro: test_passes --case '", c.name, "'"));
        for (const auto& name : words(c.passes))
            if (not known_pass(name))
                GTEST_SKIP() << "the pass " << name << " is of a target that is not there";
        try {
            check();
        } catch (const std::exception& e) {
            ADD_FAILURE() << e.what();
        }
    }

private:
    void apply(program& p) const {
        validate_after_passes(true);
        std::vector<pass> passes;
        for (const auto& name : words(c.passes))
            passes.push_back(make_pass(name));
        run_passes(p, passes);
    }

    void check() {
        const auto before = parse_text(c.before);
        auto p = before;
        apply(p);
        const auto got = normal_text(p);
        const bool same = got == normal_text(before);
        file.rewritten[c.name] = same ? "" : got;
        if (std::getenv("MGX_UPDATE") == nullptr) {
            if (c.unchanged)
                EXPECT_EQ(got, normal_text(before));
            else
                EXPECT_EQ(got, normal_text(parse_text(c.after)));
        }
        auto again = p;
        apply(again);
        EXPECT_EQ(normal_text(again), got) << "the pass changed its own result";
        const auto params = random_parameters(before);
        EXPECT_EQ(first_difference(run_on_ref(p, params), run_on_ref(before, params),
                                   tolerance_of(words(c.passes))),
                  "");
    }

    case_file& file;
    const pass_case& c;
};

void rewrite(const case_file& f) {
    std::ofstream out(f.path);
    out << f.head;
    bool first = true;
    for (const auto& c : f.cases) {
        const auto found = f.rewritten.find(c.name);
        const bool unchanged = found == f.rewritten.end() ? c.unchanged : found->second.empty();
        out << (first ? "" : "\n") << "=== " << c.name << "\n" << c.before << "--- " << c.passes;
        out << (unchanged ? " unchanged\n"
                          : "\n" + (found == f.rewritten.end() ? c.after : found->second));
        first = false;
    }
}

class update_environment : public testing::Environment {
public:
    explicit update_environment(std::vector<case_file>& all) : files(all) {}
    void TearDown() override {
        if (std::getenv("MGX_UPDATE") != nullptr)
            for (const auto& f : files)
                rewrite(f);
    }

private:
    std::vector<case_file>& files;
};

std::string identifier(std::string text) {
    for (auto& ch : text)
        ch = std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
    return text;
}

} // namespace

int run(int argc, char** argv) {
    std::string only;
    for (int i = 1; i + 1 < argc; ++i)
        if (std::string(argv[i]) == "--case")
            only = argv[i + 1];
    for (const char* target : {"cpu", "null"}) {
        try {
            make_target(target); // brings its passes
        } catch (const exception& e) {
            std::cout << "the passes of " << target << " are left out: " << e.what() << "\n";
        }
    }
    static std::vector<case_file> files;
    for (const auto& entry : fs::directory_iterator(migraphx_test::test_dir() / "passes"))
        if (entry.path().extension() == ".txt")
            files.push_back(read_cases(entry.path()));
    std::sort(files.begin(), files.end(),
              [](const auto& x, const auto& y) { return x.path < y.path; });
    for (auto& f : files) {
        std::set<std::string> names;
        for (const auto& c : f.cases) {
            if (not only.empty() and c.name != only)
                continue;
            auto name = identifier(c.name);
            while (not names.insert(name).second)
                name += "_";
            testing::RegisterTest(identifier("passes_" + f.path.stem().string()).c_str(),
                                  name.c_str(), nullptr, nullptr, f.path.c_str(), int(c.line),
                                  [&f, &c]() -> testing::Test* { return new pass_test(f, c); });
        }
    }
    testing::InitGoogleTest(&argc, argv);
    testing::AddGlobalTestEnvironment(new update_environment(files));
    return RUN_ALL_TESTS();
}

} // namespace pass_cases

int main(int argc, char** argv) {
    try {
        return pass_cases::run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 2;
    }
}
