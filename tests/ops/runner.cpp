// SPDX-License-Identifier: MIT
// Runs the cases of tests/ops/*.txt, each as one test.
//   test_ops [--target cpu] [--case '<line>'] [gtest arguments]
// A target's file ignore_<target>.txt lists what it does not do yet: `<start of a case>  #
// <reason>`. ignore_symbols.txt says the same of cases whose sizes are symbols. What an entry
// names is left to the test of its list, where an entry whose cases all pass is an error; so each
// test stands by itself, and shards (GTEST_TOTAL_SHARDS) may run them in parallel.
#include "checks.hpp"
#include "coverage.hpp"
#include "symbols.hpp"
#include "test_dir.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/register_target.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>

namespace op_cases {

namespace {

namespace fs = std::filesystem;

struct ignore_entry {
    std::string start;
    std::string reason;
};

struct settings {
    std::vector<std::string> targets;
    std::map<std::string, std::vector<ignore_entry>> ignored; // by target
};

settings& current() {
    static settings s;
    return s;
}

// The name of a list of what is ignored, beside those of targets.
constexpr const char* symbols = "symbols";

std::string shell_quoted(const std::string& text) {
    std::string out = "'";
    for (char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string report(const op_case& c, const std::vector<std::string>& targets,
                   const std::vector<std::string>& faults) {
    std::string out = c.text + "\n";
    for (const auto& f : faults)
        out += "  " + f + "\n";
    out += "repro: test_ops";
    for (const auto& t : targets)
        out += " --target " + t;
    return out + " --case " + shell_quoted(c.text);
}

bool is_ignored(const std::string& list, const op_case& c) {
    const auto& entries = current().ignored[list];
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& e) { return c.text.starts_with(e.start); });
}

// The faults that the list `list` could excuse.
std::vector<std::string> faults_of(const op_case& c, const std::string& list) {
    return list == symbols ? check_symbols(c, current().targets) : check(c, {list});
}

class case_test : public testing::Test {
public:
    explicit case_test(op_case tested) : c(std::move(tested)) {}
    void TestBody() override {
        std::vector<std::string> targets;
        for (const auto& t : current().targets)
            if (not is_ignored(t, c))
                targets.push_back(t);
        if (not targets.empty())
            expect_none(check(c, targets), targets);
        if (not is_ignored(symbols, c))
            expect_none(check_symbols(c, current().targets), current().targets);
    }

private:
    void expect_none(const std::vector<std::string>& faults,
                     const std::vector<std::string>& targets) {
        EXPECT_TRUE(faults.empty()) << report(c, targets, faults);
    }

    op_case c;
};

// The entries of a list that are not needed: those without a case that fails.
std::vector<std::string> needless_entries(const std::string& list,
                                          const std::vector<op_case>& cases) {
    std::vector<std::string> faults;
    for (const auto& e : current().ignored[list]) {
        bool used = false, failed = false;
        for (const auto& c : cases)
            if (not failed and c.text.starts_with(e.start)) {
                used = true;
                failed = not faults_of(c, list).empty();
            }
        if (not failed)
            faults.push_back("ignore_" + list + ".txt: '" + e.start + "' " +
                             (used ? "passes" : "matches no case") + ", the line can go");
    }
    return faults;
}

// Faults of the cases as a whole.
class whole_test : public testing::Test {
public:
    explicit whole_test(std::function<std::vector<std::string>()> f) : faults(std::move(f)) {}
    void TestBody() override {
        for (const auto& f : faults())
            ADD_FAILURE() << f;
    }

private:
    std::function<std::vector<std::string>()> faults;
};

class unreadable_line : public testing::Test {
public:
    explicit unreadable_line(std::string message) : what(std::move(message)) {}
    void TestBody() override { FAIL() << what; }

private:
    std::string what;
};

void read_ignored(const std::string& target, const fs::path& file) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        const auto hash = line.find("  # ");
        if (line.empty() or line[0] == '#')
            continue;
        ignore_entry e;
        e.start = line.substr(0, hash);
        e.reason = hash == std::string::npos ? "" : line.substr(hash + 4);
        if (e.reason.empty())
            testing::RegisterTest(("ignore_" + target).c_str(), "reasons", nullptr, nullptr,
                                  __FILE__, __LINE__, [=]() -> testing::Test* {
                                      return new unreadable_line(
                                          file.string() + ": a reason was expected behind '" +
                                          line + "'");
                                  });
        current().ignored[target].push_back(e);
    }
}

std::string test_name(std::size_t line, const op_case& c) {
    std::string name =
        "L" + std::to_string(line) + "_" + c.operation.substr(0, c.operation.find('['));
    if (not c.operands.empty() and not c.operands.front().missing)
        name += "_" + c.operands.front().type.type_string();
    for (auto& ch : name)
        ch = std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
    return name;
}

void register_cases(const fs::path& file, std::vector<op_case>& all) {
    const auto suite = "ops_" + file.stem().string();
    std::ifstream in(file);
    std::size_t number = 0;
    std::set<std::string> names;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.find_first_not_of(" \t") == std::string::npos or line[0] == '#')
            continue;
        try {
            for (auto& c : read_cases(line)) {
                all.push_back(c);
                auto name = test_name(number, c);
                while (not names.insert(name).second)
                    name += "x";
                testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, file.c_str(),
                                      int(number),
                                      [c]() -> testing::Test* { return new case_test(c); });
            }
        } catch (const std::exception& e) {
            const auto message = file.string() + ":" + std::to_string(number) + ": " + e.what();
            testing::RegisterTest(suite.c_str(), ("L" + std::to_string(number)).c_str(), nullptr,
                                  nullptr, file.c_str(), int(number),
                                  [=]() -> testing::Test* { return new unreadable_line(message); });
        }
    }
}

int run_one(const std::string& line) {
    int rc = 0;
    const auto& targets = current().targets;
    for (const auto& c : read_cases(line)) {
        auto faults = check(c, targets);
        for (const auto& f : check_symbols(c, targets))
            faults.push_back(f);
        std::cout << (faults.empty() ? "passed: " : "failed: ") << report(c, targets, faults)
                  << "\n";
        rc |= faults.empty() ? 0 : 1;
    }
    return rc;
}

bool available(const std::string& target) {
    try {
        migraphx::make_target(target);
        return true;
    } catch (const migraphx::exception& e) {
        std::cout << "target " << target << " is left out: " << e.what() << "\n";
        return false;
    }
}

} // namespace

int run(int argc, char** argv) {
    std::vector<std::string> asked;
    std::string line;
    for (int i = 1; i + 1 < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--target")
            asked.emplace_back(argv[++i]);
        else if (word == "--case")
            line = argv[++i];
    }
    auto& s = current();
    for (const auto& t : asked.empty() ? std::vector<std::string>{"ref", "cpu", "null"} : asked)
        if (available(t))
            s.targets.push_back(t);
    // The reference is part of the check of any other target.
    if (s.targets.size() > 1)
        s.targets.erase(std::remove(s.targets.begin(), s.targets.end(), "ref"), s.targets.end());
    if (not line.empty())
        return run_one(line);

    std::vector<fs::path> files;
    const fs::path folder = migraphx_test::test_dir() / "ops";
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".txt" and
            not entry.path().stem().string().starts_with("ignore_"))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<op_case> cases;
    for (const auto& f : files)
        register_cases(f, cases);
    const auto stated = folder / "interface";
    const auto whole = [&](const std::string& name,
                           std::function<std::vector<std::string>()> faults) {
        testing::RegisterTest("ops_interface", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [=]() -> testing::Test* { return new whole_test(faults); });
    };
    whole("every_operator_and_attribute_has_a_case",
          [=] { return coverage_faults(cases, stated); });
    whole("attributes_and_defaults", [=] { return interface_faults(stated); });
    auto lists = s.targets;
    lists.emplace_back(symbols);
    for (const auto& list : lists) {
        read_ignored(list, folder / ("ignore_" + list + ".txt"));
        // Whether one target needs an excuse says nothing of the others.
        if (asked.empty())
            whole("entries_of_ignore_" + list + "_are_needed",
                  [&cases, list] { return needless_entries(list, cases); });
    }
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

} // namespace op_cases

int main(int argc, char** argv) {
    try {
        return op_cases::run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 2;
    }
}
