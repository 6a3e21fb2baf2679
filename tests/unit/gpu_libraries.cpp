// SPDX-License-Identifier: MIT
// Where the gpu target finds the vendors' libraries.
#include "targets/gpu/libraries/open_library.hpp"

#include "base/package_folders.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <migraphx/errors.hpp>

namespace fs = std::filesystem;

namespace {

using namespace migraphx::gpu;

struct temporary_folder {
    fs::path path = fs::temp_directory_path() / ("migraphx_libraries_" + std::to_string(getpid()));
    temporary_folder() { fs::create_directories(path); }
    ~temporary_folder() { fs::remove_all(path); }
};

TEST(gpu_libraries, folders_and_names_are_tried_in_order) {
    temporary_folder folder;
    const auto libm = search_library({"libm.so.6"}, {""}, nullptr);
    ASSERT_NE(libm, nullptr);
    fs::create_symlink(libm->file(), folder.path / "libplanted.so.2");
    std::string problem;
    const auto found = search_library({"libplanted.so.3", "libplanted.so.2"},
                                      {"", "/no/such/folder", folder.path.string()}, &problem);
    ASSERT_NE(found, nullptr);
    double (*cosine)(double) = nullptr;
    found->find(cosine, "cos");
    EXPECT_EQ(cosine(0), 1);
    void (*none)() = nullptr;
    EXPECT_FALSE(found->find_optional(none, "no_such_function"));
    try {
        found->find(none, "no_such_function");
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_NE(e.message().find("no_such_function"), std::string::npos);
    }
}

TEST(gpu_libraries, what_does_not_load_is_told) {
    temporary_folder folder;
    std::ofstream(folder.path / "libplanted.so.1") << "no library";
    std::string problem;
    EXPECT_EQ(search_library({"libplanted.so.1"}, {"", folder.path.string()}, &problem), nullptr);
    EXPECT_NE(problem.find("libplanted.so.1"), std::string::npos) << problem;
    problem.clear();
    EXPECT_EQ(search_library({"libplanted.so.9"}, {"", folder.path.string()}, &problem), nullptr);
    EXPECT_EQ(problem, "");
}

TEST(gpu_libraries, a_missing_one_is_one_sentence) {
    for (const auto which : {library::cuda, library::nvrtc, library::cublaslt, library::cudnn,
                             library::hip, library::hiprtc, library::hipblaslt}) {
        if (find_library(which) != nullptr) {
            EXPECT_EQ(&open_library(which), find_library(which));
            continue;
        }
        try {
            open_library(which);
            FAIL();
        } catch (const migraphx::exception& e) {
            EXPECT_EQ(e.category(), migraphx::error_kind::unsupported);
            EXPECT_NE(e.message().find("install"), std::string::npos) << e.message();
            EXPECT_EQ(e.message().find('\n'), std::string::npos);
        }
    }
}

TEST(gpu_libraries, package_folders_are_named_once) {
    temporary_folder folder;
    migraphx::add_package_folder(folder.path.string());
    migraphx::add_package_folder(folder.path.string() + "/.");
    migraphx::add_package_folder("/no/such/folder");
    const auto all = migraphx::package_folders();
    EXPECT_EQ(std::count(all.begin(), all.end(), folder.path.string()), 1);
    EXPECT_EQ(std::count(all.begin(), all.end(), "/no/such/folder"), 0);
}

} // namespace
