// SPDX-License-Identifier: MIT
// The cache of compiled code on disk, and the texts that it is named by.
#include "targets/gpu/compiler/code_cache.hpp"
#include "targets/gpu/compiler/source_text.hpp"

#include <migraphx/tmp_dir.hpp>

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

std::size_t bytes_in(const fs::path& folder) {
    std::size_t total = 0;
    for (const auto& entry : fs::directory_iterator(folder))
        total += entry.file_size();
    return total;
}

} // namespace

TEST(gpu_code_cache, finds_what_was_stored) {
    const tmp_dir folder;
    code_cache cache(folder.path / "made" / "when_needed", 1 << 20);
    EXPECT_FALSE(cache.find("a"));
    const std::string code("\0code\n", 6);
    cache.store("a", code);
    EXPECT_EQ(cache.find("a"), code);
    EXPECT_EQ(code_cache(folder.path / "made" / "when_needed", 1 << 20).find("a"), code);
    EXPECT_FALSE(cache.find("b"));
}

TEST(gpu_code_cache, damaged_files_count_as_absent) {
    const tmp_dir folder;
    code_cache cache(folder.path, 1 << 20);
    cache.store("a", "what was compiled");
    const auto size = fs::file_size(folder.path / "a");
    {
        std::fstream file(folder.path / "a", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(size - 1));
        file.put('x');
    }
    EXPECT_FALSE(cache.find("a"));
    fs::resize_file(folder.path / "a", size / 2);
    EXPECT_FALSE(cache.find("a"));
    fs::resize_file(folder.path / "a", 0);
    EXPECT_FALSE(cache.find("a"));
    cache.store("a", "again");
    EXPECT_EQ(cache.find("a"), "again");
}

TEST(gpu_code_cache, keeps_to_its_size) {
    const tmp_dir folder;
    constexpr std::size_t limit = 100000;
    code_cache cache(folder.path, limit);
    const std::string code(1000, 'x');
    for (int i = 0; i < 1000; i++)
        cache.store("code" + std::to_string(i), code);
    EXPECT_LT(bytes_in(folder.path), 2 * limit);
    EXPECT_TRUE(cache.find("code999"));
    EXPECT_FALSE(cache.find("code0"));
}

TEST(gpu_code_cache, a_folder_that_cannot_be_used_is_no_error) {
    const tmp_dir folder;
    std::ofstream(folder.path / "file") << "x";
    code_cache cache(folder.path / "file", 1 << 20);
    cache.store("a", "b");
    EXPECT_FALSE(cache.find("a"));
}

TEST(gpu_code_cache, many_may_write_at_once) {
    const tmp_dir folder;
    const std::string code(5000, 'c');
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&] {
            code_cache cache(folder.path, 1 << 20);
            for (int i = 0; i < 50; i++) {
                const auto name = std::to_string(i % 5);
                cache.store(name, code);
                const auto found = cache.find(name);
                ASSERT_TRUE(found);
                ASSERT_EQ(*found, code);
            }
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()), 5);
}

TEST(gpu_source_text, entries_are_found_as_they_are_written) {
    EXPECT_EQ(entries_of("MGX_KERNEL void one(float* x) {}\nMGX_KERNEL_BOUNDS((2 + 2), 1)\nvoid "
                         "two (int n)\n{ NOT_MGX_KERNEL(three); }"),
              (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(entries_of("void f() {}").empty());
}

TEST(gpu_source_text, headers_are_put_in_once) {
    const auto text = with_headers("#include \"dialect.cuh\"\n#include \"types.cuh\"\nlast");
    const std::string mark = "struct bf16 {";
    const auto first = text.find(mark);
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(text.find(mark, first + 1), std::string::npos);
    EXPECT_EQ(text.find("#include \""), std::string::npos);
    EXPECT_NE(text.find("#line 2 \"generated\"\n\nlast"), std::string::npos);
}

TEST(gpu_source_text, content_names_differ) {
    std::set<std::string> names;
    std::string text;
    for (int i = 0; i < 2000; i++) {
        names.insert(content_name(text));
        text += '\0';
    }
    for (int i = 0; i < 2000; i++) {
        text[static_cast<std::size_t>(i)] = 'a';
        names.insert(content_name(text));
    }
    EXPECT_EQ(names.size(), 4000u);
    EXPECT_EQ(names.begin()->size(), 32u);
}
