// SPDX-License-Identifier: MIT
// Random graphs on ref, on ref after the passes, and on cpu.
//   test_fuzz [--graphs n] [--first seed] [--jobs n] [gtest arguments]
//   test_fuzz --seed n [--print] one graph, made smaller when it fails
//   test_fuzz --program file     a program as text
// tests/fuzz/*.txt hold programs on which something once differed: `=== name`, then the text.
#include "check.hpp"
#include "isolated.hpp"
#include "recipes.hpp"
#include "shrink.hpp"
#include "test_dir.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/file_buffer.hpp>
#include <migraphx/register_target.hpp>

#include "ir/text_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

namespace fuzz {

namespace fs = std::filesystem;

namespace {

struct settings {
    std::uint64_t first = 1, graphs = 0;
    unsigned jobs = 1;
};
settings& current() {
    static settings s;
    return s;
}

// "" or what is wrong, from a child.
std::string outcome_of(const graph& g) {
    const auto r = isolated([&] { return check(g); });
    return r.fault.empty() ? r.text : r.fault;
}

std::vector<migraphx::argument> values_in_child(const graph& g) {
    const auto r = isolated([&] {
        std::string bytes;
        for (const auto& a : reference_values(g))
            if (not a.empty())
                for (std::size_t i = 0; i < a.get_shape().elements(); ++i)
                    bytes.append(a.data() + a.get_shape().index(i) * a.get_shape().type_size(),
                                 a.get_shape().type_size());
        return bytes;
    });
    std::vector<migraphx::argument> result(g.nodes.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        const auto& s = g.nodes[i].out;
        if (s.type() == migraphx::shape::tuple_type)
            continue;
        const auto n = s.elements() * s.type_size();
        if (not r.fault.empty() or at + n > r.text.size())
            return {};
        result[i] = migraphx::argument(
            s.scalar() and s.ndim() == 1 ? s : migraphx::shape{s.type(), s.lens()});
        std::memcpy(result[i].data(), r.text.data() + at, n);
        at += n;
    }
    return result;
}

// The failure as it is found, smaller, and how to repeat it.
std::string report(std::uint64_t seed, const std::string& message) {
    auto g = grow(seed);
    const auto kind = [](const std::string& m) { return m.substr(0, m.find(':')); };
    const auto wanted = kind(message);
    const auto small = shrink(
        g, [&](const graph& x) { return kind(outcome_of(x)) == wanted; }, values_in_child);
    const auto text = to_text(small);
    const auto file = fs::temp_directory_path() / ("fuzz_" + std::to_string(seed) + ".txt");
    std::ofstream(file) << text;
    return "seed " + std::to_string(seed) + ": " + message + "\nsmaller: " + outcome_of(small) +
           "\n" + text + "repro: test_fuzz --seed " + std::to_string(seed) +
           "\nrepro: test_fuzz --program " + file.string() +
           "\nrepro: migraphx-driver verify --cpu " + file.string();
}

class random_graphs : public testing::Test {
public:
    void TestBody() override {
        const auto& s = current();
        std::map<std::uint64_t, std::string> found;
        for_each_seed(
            s.first, s.graphs, s.jobs, [](std::uint64_t seed) { return check(grow(seed)); },
            [&](std::uint64_t seed, const std::string& message) {
                std::cout << "seed " << seed << ": " << message.substr(0, 400) << std::endl;
                found.emplace(seed, message);
            });
        std::size_t reported = 0;
        for (const auto& [seed, message] : found)
            if (++reported <= 5)
                ADD_FAILURE() << report(seed, message);
            else
                ADD_FAILURE() << "seed " << seed << ": " << message << "\nrepro: test_fuzz --seed "
                              << seed;
    }
};

class known_program : public testing::Test {
public:
    known_program(fs::path path, std::string title, std::string program_text)
        : file(std::move(path)), name(std::move(title)), text(std::move(program_text)) {}
    void TestBody() override {
        const auto r = isolated([&] { return check(migraphx::parse_text(text)); });
        EXPECT_EQ(r.fault + r.text, "") << file.filename().string() << ": " << name << "\n" << text;
    }

private:
    fs::path file;
    std::string name, text;
};

void register_programs(const fs::path& file) {
    std::ifstream in(file);
    std::string name, text;
    std::set<std::string> names;
    const auto finish = [&] {
        if (name.empty())
            return;
        auto id = name;
        for (auto& c : id)
            c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
        while (not names.insert(id).second)
            id += "_";
        testing::RegisterTest(
            ("fuzz_" + file.stem().string()).c_str(), id.c_str(), nullptr, nullptr, file.c_str(), 1,
            [=]() -> testing::Test* { return new known_program(file, name, text); });
    };
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("=== ")) {
            finish();
            name = line.substr(4);
            text.clear();
        } else
            text += line + "\n";
    finish();
}

int run_seed(std::uint64_t seed, bool print) {
    if (print)
        std::cout << to_text(grow(seed)) << std::endl;
    const auto message = outcome_of(grow(seed));
    std::cout << (message.empty() ? "passed: seed " + std::to_string(seed) : report(seed, message))
              << std::endl;
    return message.empty() ? 0 : 1;
}

int run_program(const std::string& file) {
    const auto r =
        isolated([&] { return check(migraphx::parse_text(migraphx::read_string(file))); });
    const auto message = r.fault + r.text;
    std::cout << (message.empty() ? "passed" : "failed: " + message) << std::endl;
    return message.empty() ? 0 : 1;
}

// Names of the operators of so many graphs.
int run_census(std::uint64_t graphs) {
    std::map<std::string, std::size_t> seen;
    std::size_t nodes = 0;
    for (std::uint64_t seed = 1; seed <= graphs; ++seed)
        for (const auto& n : grow(seed).nodes)
            if (n.kind == node::operation) {
                ++seen[n.op.name()];
                ++nodes;
            }
    for (const auto& [name, count] : seen)
        std::cout << name << " " << count << "\n";
    std::cout << seen.size() << " operators in " << nodes << " nodes of " << graphs << " graphs\n";
    return 0;
}

} // namespace

int run(int argc, char** argv) {
    auto& s = current();
    s.graphs = std::getenv("MGX_TEST_QUICK") != nullptr ? 150 : 1500;
    bool print = false;
    for (int i = 1; i < argc; ++i)
        print |= std::strcmp(argv[i], "--print") == 0;
    for (int i = 1; i + 1 < argc; ++i) {
        const std::string word = argv[i], given = argv[i + 1];
        if (word == "--graphs")
            s.graphs = std::stoull(given);
        else if (word == "--first")
            s.first = std::stoull(given);
        else if (word == "--jobs")
            s.jobs = unsigned(std::stoul(given));
        else if (word == "--seed")
            return run_seed(std::stoull(given), print);
        else if (word == "--program")
            return run_program(given);
        else if (word == "--census")
            return run_census(std::stoull(given));
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(migraphx_test::test_dir() / "fuzz"))
        if (entry.path().extension() == ".txt")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& f : files)
        register_programs(f);
    testing::RegisterTest("fuzz", "random_graphs", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new random_graphs; });
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

} // namespace fuzz

int main(int argc, char** argv) {
    try {
        migraphx::make_target("cpu");
        return fuzz::run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 2;
    }
}
