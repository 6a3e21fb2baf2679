// SPDX-License-Identifier: MIT
// The tuning cache: files that are shared, damaged, read-only or full; and what tuning times.
#include "base/files.hpp"
#include "runtime/tuning_cache.hpp"
#include "test_dir.hpp"

#include <migraphx/errors.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace migraphx {
namespace {

std::string file_of(const std::string& name) {
    return (fs::temp_directory_path() / ("tuning-" + std::to_string(::getpid()) + name)).string();
}

struct scratch_file {
    explicit scratch_file(const std::string& suffix) : name(file_of(suffix)) {}
    ~scratch_file() { fs::remove_all(name); }
    std::string name;
};

TEST(tuning_cache, remembers_across_objects) {
    const scratch_file f(".db");
    {
        tuning_cache c(f.name);
        EXPECT_FALSE(c.find("a problem"));
        c.store("a problem", "one");
        c.store("a problem", "it's \"two\"");
        c.store("another\nproblem", "three");
        EXPECT_EQ(c.find("a problem"), "it's \"two\"");
    }
    tuning_cache c(f.name);
    EXPECT_EQ(c.find("a problem"), "it's \"two\"");
    EXPECT_EQ(c.find("another\nproblem"), "three");
    EXPECT_FALSE(c.find("a problem "));
}

TEST(tuning_cache, makes_its_folder) {
    const scratch_file f(".dir");
    tuning_cache(f.name + "/a/b/t.db").store("p", "c");
    EXPECT_EQ(tuning_cache(f.name + "/a/b/t.db").find("p"), "c");
}

TEST(tuning_cache, without_a_file_it_is_memory) {
    tuning_cache c("");
    c.store("p", "c");
    EXPECT_EQ(c.find("p"), "c");
    EXPECT_FALSE(tuning_cache("").find("p"));
}

// Works on in memory; says so once; leaves the file alone.
void check_unusable(const std::string& file) {
    testing::internal::CaptureStderr();
    {
        tuning_cache c(file);
        EXPECT_FALSE(c.find("p"));
        c.store("p", "c");
        c.store("q", "d");
        EXPECT_EQ(c.find("p"), "c");
        EXPECT_FALSE(c.find("r"));
    }
    const auto text = testing::internal::GetCapturedStderr();
    const auto first = text.find("going on without it");
    EXPECT_NE(first, std::string::npos) << text;
    EXPECT_EQ(text.find("going on without it", first + 1), std::string::npos) << text;
}

TEST(tuning_cache, damaged_files_are_left_alone) {
    const scratch_file f(".bad");
    for (const std::string& content :
         {std::string("[[{\"name\": \"conv\"}, null]]"), std::string(5000, 'x'),
          "SQLite format 3" + std::string(1, '\0') + std::string(3000, '\xff')}) {
        write_string(f.name, content);
        check_unusable(f.name);
        EXPECT_EQ(read_string(f.name), content);
    }
    // A good one cut in the middle.
    const scratch_file g(".cut");
    {
        tuning_cache c(g.name);
        for (int i = 0; i < 500; i++)
            c.store("problem " + std::to_string(i) + std::string(200, 'p'), "c");
    }
    const auto whole = read_string(g.name);
    write_string(g.name, whole.substr(0, whole.size() / 2));
    tuning_cache c(g.name);
    for (int i = 0; i < 500; i++)
        c.find("problem " + std::to_string(i) + std::string(200, 'p'));
    c.store("p", "c");
    EXPECT_EQ(c.find("p"), "c");
}

TEST(tuning_cache, a_folder_or_no_folder_in_its_place) {
    const scratch_file f(".folder");
    fs::create_directories(f.name);
    check_unusable(f.name);
    check_unusable("/proc/nowhere/t.db");
}

// In a child, so that limits stay there. 0: all went well.
template <class F>
int in_child(F f) {
    const auto pid = ::fork();
    if (pid == 0) {
        int result = 1;
        try {
            result = f();
        } catch (...) {
        }
        ::_exit(result);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

TEST(tuning_cache, no_room) {
    const scratch_file f(".full");
    tuning_cache(f.name).store("old", "c");
    EXPECT_EQ(in_child([&] {
                  ::signal(SIGXFSZ, SIG_IGN);
                  const rlimit none{0, 0};
                  ::setrlimit(RLIMIT_FSIZE, &none);
                  tuning_cache c(f.name);
                  for (int i = 0; i < 100; i++)
                      c.store("p" + std::to_string(i), std::string(1000, 'c'));
                  return c.find("old") == "c" and c.find("p7") ? 0 : 2;
              }),
              0);
    EXPECT_EQ(tuning_cache(f.name).find("old"), "c");
    EXPECT_FALSE(tuning_cache(f.name).find("p7"));
}

TEST(tuning_cache, read_only) {
    if (::geteuid() == 0)
        GTEST_SKIP() << "nothing is read-only to root";
    const scratch_file f(".ro");
    tuning_cache(f.name).store("old", "c");
    ::chmod(f.name.c_str(), 0444);
    tuning_cache c(f.name);
    EXPECT_EQ(c.find("old"), "c");
    c.store("new", "d");
    EXPECT_EQ(c.find("new"), "d");
    EXPECT_FALSE(tuning_cache(f.name).find("new"));
}

TEST(tuning_cache, processes_write_at_once) {
    const scratch_file f(".many");
    std::vector<pid_t> children;
    for (int n = 0; n < 6; n++)
        if (const auto pid = ::fork(); pid == 0) {
            tuning_cache c(f.name);
            for (int i = 0; i < 25; i++)
                c.store(std::to_string(n) + " " + std::to_string(i), "choice");
            ::_exit(0);
        } else
            children.push_back(pid);
    for (auto pid : children) {
        int status = 1;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    }
    tuning_cache c(f.name);
    for (int n = 0; n < 6; n++)
        for (int i = 0; i < 25; i++)
            EXPECT_EQ(c.find(std::to_string(n) + " " + std::to_string(i)), "choice") << n << i;
}

} // namespace
} // namespace migraphx
