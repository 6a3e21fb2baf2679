// SPDX-License-Identifier: MIT
// What the gpu target generates for the programs of tests/gpu_sources/*.txt, as text: a file is a
// program, `---` and its sources. A source says all of a kernel but its sizes. MGX_UPDATE=1
// rewrites the files for review.
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "ir/text_parser.hpp"
#include "targets/gpu/compiler/compiler.hpp"
#include "test_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace migraphx;
namespace fs = std::filesystem;

namespace {

const std::string divider = "---\n";

std::string read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

std::vector<fs::path> case_files() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(migraphx_test::test_dir() / "gpu_sources"))
        files.push_back(entry.path());
    return files;
}

// Threads ask for code in any order.
std::string generated_for(const std::string& program_text) {
    std::set<std::string> sources;
    gpu::listen_to_sources([&](const std::string& source) { sources.insert(source); });
    auto p = parse_text(program_text);
    p.compile(make_target("null"));
    gpu::listen_to_sources(nullptr);
    std::string all;
    for (const auto& s : sources)
        all += (all.empty() ? "" : "\n") + s;
    return all;
}

class gpu_sources : public testing::TestWithParam<fs::path> {};

} // namespace

TEST_P(gpu_sources, stay_as_they_are) {
    const auto text = read(GetParam());
    const auto at = text.find(divider);
    ASSERT_NE(at, std::string::npos) << "a program, " << divider << "and sources were expected";
    const auto program_text = text.substr(0, at), wanted = text.substr(at + divider.size());
    const auto got = generated_for(program_text);
    EXPECT_EQ(generated_for(program_text), got) << "the second time";
    EXPECT_NE(got, "") << "nothing is generated";
    if (std::getenv("MGX_UPDATE") != nullptr)
        std::ofstream(GetParam()) << program_text << divider << got;
    else
        EXPECT_EQ(got, wanted) << "accept it with MGX_UPDATE=1 if it is meant";
}

INSTANTIATE_TEST_SUITE_P(programs, gpu_sources, testing::ValuesIn(case_files()),
                         [](const auto& info) { return info.param.stem().string(); });
