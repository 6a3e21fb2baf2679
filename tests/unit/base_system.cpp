// SPDX-License-Identifier: MIT
// Errors, settings, tracing, log, files, threads, text helpers, ranges, verify.
#include "base/files.hpp"
#include "base/parallel.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <migraphx/env.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/float_equal.hpp>
#include <migraphx/half.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/ranges.hpp>
#include <migraphx/stringutils.hpp>
#include <migraphx/tracer.hpp>
#include <migraphx/type_name.hpp>
#include <migraphx/verify.hpp>
#include <sys/resource.h>
#include <thread>

MIGRAPHX_DECLARE_ENV_VAR(MIGRAPHX_TEST_DECLARED)

namespace base_test {
struct named {};
} // namespace base_test

namespace {

using migraphx::exception;

TEST(base_errors, context_and_kind) {
    try {
        migraphx::with_context(
            [] { migraphx::fail(exception::kind::unsupported, "softmax: expected x, got y"); },
            [] { return std::string("at @7\nsecond line"); });
        FAIL();
    } catch (exception& e) {
        migraphx::add_context(e, "while reading m.onnx");
        EXPECT_STREQ(e.what(),
                     "softmax: expected x, got y\n  at @7\n  second line\n  while reading m.onnx");
        EXPECT_EQ(e.category(), exception::kind::unsupported);
        EXPECT_EQ(e.message(), "softmax: expected x, got y");
        EXPECT_EQ(e.context().size(), 2u);
        EXPECT_EQ(e.error, 0u);
    }
}

TEST(base_errors, throw_macro_names_the_place) {
    try {
        MIGRAPHX_THROW("text");
    } catch (const std::runtime_error& e) {
        const std::string text = e.what();
        EXPECT_NE(text.find("base_system.cpp:"), std::string::npos) << text;
        EXPECT_TRUE(migraphx::ends_with(text, ": text")) << text;
    }
    try {
        MIGRAPHX_THROW(3, "text");
    } catch (const exception& e) {
        EXPECT_EQ(e.error, 3u);
    }
}

TEST(base_str, joins) {
    EXPECT_EQ(migraphx::str("a", 1, ' ', 0.5, true, std::vector<int>{1, 2}, std::string("z")),
              "a1 0.5true{1, 2}z");
    EXPECT_EQ(migraphx::str(std::uint8_t{65}), "65");
}

TEST(base_settings, values) {
    ::setenv("MIGRAPHX_TEST_ON", "yes", 1);
    ::setenv("MIGRAPHX_TEST_OFF", "2", 1);
    ::setenv("MIGRAPHX_TEST_INT", "-12", 1);
    ::setenv("MIGRAPHX_TEST_BAD", "12x", 1);
    ::setenv("MIGRAPHX_TEST_TEXT", "a b", 1);
    const migraphx::setting<bool> on{"MIGRAPHX_TEST_ON", false, "h"};
    const migraphx::setting<bool> off{"MIGRAPHX_TEST_OFF", true, "h"};
    const migraphx::setting<int> number{"MIGRAPHX_TEST_INT", 3, "h"};
    const migraphx::setting<std::int64_t> bad{"MIGRAPHX_TEST_BAD", 3, "h"};
    const migraphx::setting<std::string> text{"MIGRAPHX_TEST_TEXT", "d", "h"};
    const migraphx::setting<std::string> unset{"MIGRAPHX_TEST_UNSET", "d", "some help"};
    EXPECT_FALSE(on.was_read());
    EXPECT_TRUE(on);
    EXPECT_TRUE(on.was_read());
    EXPECT_FALSE(off);
    EXPECT_EQ(number, -12);
    EXPECT_EQ(bad, 3);
    EXPECT_EQ(text.get(), "a b");
    EXPECT_EQ(unset.get(), "d");
    ::setenv("MIGRAPHX_TEST_INT", "5", 1);
    EXPECT_EQ(number, -12) << "a variable is read once";

    bool listed = false;
    for (const auto& s : migraphx::list_settings()) {
        listed = listed or (s.name == "MIGRAPHX_TEST_UNSET" and s.help == "some help" and
                            s.default_text == "d" and s.type == "string" and not s.is_set);
    }
    EXPECT_TRUE(listed);
}

TEST(base_settings, leave_the_list_when_destroyed) {
    { const migraphx::setting<bool> s{"MIGRAPHX_TEST_SHORT", false, "h"}; }
    for (const auto& s : migraphx::list_settings())
        EXPECT_NE(s.name, "MIGRAPHX_TEST_SHORT");
}

TEST(base_settings, unknown_names_warn_once) {
    ::setenv("MIGRAPHX_TEST_DECLARET", "1", 1);
    ::setenv("MIGRAPHX_TEST_DECLARED", "1", 1);
    std::vector<std::string> lines;
    const auto id = migraphx::log::add_sink(
        [&](migraphx::log::severity s, std::string_view m, std::string_view, int) {
            if (s == migraphx::log::severity::warn)
                lines.emplace_back(m);
        },
        migraphx::log::severity::warn);
    const auto old = migraphx::log::get_severity();
    migraphx::log::set_severity(migraphx::log::severity::none);
    migraphx::warn_unknown_settings();
    migraphx::warn_unknown_settings();
    migraphx::log::set_severity(old);
    migraphx::log::remove_sink(id);
    const std::string wanted = "Unused environment variable: MIGRAPHX_TEST_DECLARET=1 (did you "
                               "mean MIGRAPHX_TEST_DECLARED?)";
    EXPECT_EQ(std::count(lines.begin(), lines.end(), wanted), 1);
    for (const auto& l : lines)
        EXPECT_EQ(l.find("MIGRAPHX_TEST_DECLARED=1"), std::string::npos);
    ::unsetenv("MIGRAPHX_TEST_DECLARET");
}

TEST(base_settings, read_variables_are_logged) {
    static const migraphx::setting<int> read_one{"MIGRAPHX_TEST_READ", 0, "a setting that is read"};
    static const migraphx::setting<int> idle_one{"MIGRAPHX_TEST_IDLE", 0, "one that is not"};
    ::setenv("MIGRAPHX_TEST_READ", "3", 1);
    ::setenv("MIGRAPHX_TEST_IDLE", "4", 1);
    EXPECT_EQ(read_one.get(), 3);
    std::vector<std::string> lines;
    const auto id = migraphx::log::add_sink([&](migraphx::log::severity, std::string_view m,
                                                std::string_view, int) { lines.emplace_back(m); },
                                            migraphx::log::severity::info);
    migraphx::log_read_settings();
    migraphx::log::remove_sink(id);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "MIGRAPHX_TEST_READ=3 \\"), 1);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "MIGRAPHX_TEST_IDLE=4 \\"), 0);
    EXPECT_FALSE(idle_one.was_read());
    ::unsetenv("MIGRAPHX_TEST_READ");
    ::unsetenv("MIGRAPHX_TEST_IDLE");
}

TEST(base_settings, declared_variables) {
    ::setenv("MIGRAPHX_TEST_DECLARED", "1", 1);
    EXPECT_TRUE(migraphx::enabled(MIGRAPHX_TEST_DECLARED{}));
    EXPECT_EQ(migraphx::value_of(MIGRAPHX_TEST_DECLARED{}), 1u);
    EXPECT_EQ(migraphx::string_value_of(MIGRAPHX_TEST_DECLARED{}, "x"), "1");
    EXPECT_EQ(migraphx::string_value_of("MIGRAPHX_TEST_NONE", "x"), "x");
    EXPECT_FALSE(migraphx::disabled("MIGRAPHX_TEST_NONE"));
}

// The channels are read once in a process, so this needs one of its own.
bool channels_are_right() {
    ::setenv("MIGRAPHX_TRACE", "dispatch, codegen=3,tuning:conv*", 1);
    ::setenv("MIGRAPHX_TRACE_EVAL", "2", 1);
    using migraphx::trace_enabled;
    using migraphx::trace_level;
    return trace_level("codegen") == 3 and trace_level("quantization") == 0 and
           trace_level("eval") == 2 and trace_enabled("dispatch", "anything") and
           trace_enabled("tuning", "convolution") and not trace_enabled("tuning", "dot");
}

TEST(base_trace, channels) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(std::_Exit(channels_are_right() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(base_trace, wildcards) {
    using migraphx::matches_wildcard;
    EXPECT_TRUE(matches_wildcard("fuse_*", "fuse_pointwise"));
    EXPECT_TRUE(matches_wildcard("*wise", "fuse_pointwise"));
    EXPECT_TRUE(matches_wildcard("*a*b?", "xxaxxabc"));
    EXPECT_TRUE(matches_wildcard("", ""));
    EXPECT_TRUE(matches_wildcard("**", ""));
    EXPECT_FALSE(matches_wildcard("fuse", "fuse_pointwise"));
    EXPECT_FALSE(matches_wildcard("?", ""));
}

TEST(base_log, format) {
    using migraphx::log::severity;
    const auto text =
        migraphx::log::format_record(severity::warn, "one\ntwo\n", "/a/b/file.cpp", 12);
    // Digits become 0, so that the form of the time shows.
    auto form = text;
    for (char& c : form)
        c = c >= '0' and c <= '9' ? '0' : c;
    const std::string head = "0000-00-00 00:00:00.000000 [WARN] [file.cpp:00] ";
    EXPECT_EQ(form, head + "one\n" + head + "two\n");
    EXPECT_NE(text.find("[file.cpp:12]"), std::string::npos);
}

TEST(base_log, sinks_and_files) {
    using migraphx::log::severity;
    const migraphx::tmp_dir dir("base-log");
    const auto file = (dir.path / "log.txt").string();
    int count = 0;
    const auto id = migraphx::log::add_sink(
        [&](severity, std::string_view m, std::string_view f, int line) {
            ++count;
            EXPECT_EQ(m, "seen 1");
            EXPECT_NE(f.find("base_system.cpp"), std::string_view::npos);
            EXPECT_GT(line, 0);
            migraphx::log::trace() << "a sink may log";
        },
        severity::debug);
    const auto file_id = migraphx::log::add_file_logger(file, severity::debug);
    migraphx::log::debug() << "seen " << 1;
    migraphx::log::trace() << "not seen";
    migraphx::log::remove_sink(id);
    migraphx::log::remove_sink(file_id);
    migraphx::log::debug() << "gone";
    EXPECT_EQ(count, 1);
    const auto text = migraphx::read_string(file);
    EXPECT_NE(text.find("[DEBUG] [base_system.cpp:"), std::string::npos);
    EXPECT_EQ(text.find("gone"), std::string::npos);
    EXPECT_THROW(migraphx::log::add_file_logger("/nonexistent/dir/log"), exception);
}

TEST(base_files, read_and_write) {
    const migraphx::tmp_dir dir("base-files");
    const auto file = dir.path / "data";
    const std::vector<char> data(200000, 'q');
    migraphx::write_buffer(file, data);
    EXPECT_EQ(migraphx::read_buffer(file), data);
    EXPECT_EQ(migraphx::read_buffer(file, 199998).size(), 2u);
    EXPECT_EQ(migraphx::read_buffer(file, 5, 7).size(), 7u);
    EXPECT_THROW(migraphx::read_buffer(file, 199998, 3), exception);
    EXPECT_THROW(migraphx::read_buffer(file, 200001), exception);
    EXPECT_THROW(migraphx::read_buffer(file, ~std::size_t{0}, 5), exception);
    EXPECT_THROW(migraphx::read_buffer(dir.path / "none"), exception);
    EXPECT_THROW(migraphx::read_buffer(dir.path), exception);
    migraphx::write_string(file, "short");
    EXPECT_EQ(migraphx::read_string(file), "short");
    migraphx::write_buffer(file, nullptr, 0);
    EXPECT_EQ(migraphx::read_string(file), "");
    EXPECT_THROW(migraphx::write_string(dir.path, "x"), exception);
    EXPECT_THROW(migraphx::write_string(dir.path / "no" / "file", "x"), exception);
    EXPECT_NO_THROW(migraphx::write_string("/dev/null", "x"));
    EXPECT_TRUE(migraphx::fs::is_character_file("/dev/null"));
    EXPECT_FALSE(migraphx::read_string("/proc/self/status").empty());
}

TEST(base_files, links_and_modes_stay) {
    const migraphx::tmp_dir dir("base-files");
    const auto file = dir.path / "data";
    const auto link = dir.path / "link";
    migraphx::write_string(file, "old");
    migraphx::fs::permissions(file,
                              migraphx::fs::perms::owner_read | migraphx::fs::perms::owner_write);
    migraphx::fs::create_symlink(file, link);
    migraphx::write_string(link, "new");
    EXPECT_TRUE(migraphx::fs::is_symlink(link));
    EXPECT_EQ(migraphx::read_string(file), "new");
    EXPECT_EQ(migraphx::fs::status(file).permissions(),
              migraphx::fs::perms::owner_read | migraphx::fs::perms::owner_write);
}

std::size_t count_files(const migraphx::fs::path& dir) {
    return static_cast<std::size_t>(
        std::distance(migraphx::fs::directory_iterator(dir), migraphx::fs::directory_iterator()));
}

TEST(base_files, failed_writes_leave_the_old_file) {
    const migraphx::tmp_dir dir("base-files");
    const auto file = dir.path / "data";
    migraphx::write_string(file, "old");
    {
        migraphx::file_writer out(file);
        out.write("half of it");
    }
    EXPECT_EQ(migraphx::read_string(file), "old");
    EXPECT_EQ(count_files(dir.path), 1u);

    // A limit on file size stands for a full disk.
    struct rlimit old_limit;
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = old_limit;
    small.rlim_cur = 100000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_THROW(migraphx::write_buffer(file, std::vector<char>(300000, 'x')), exception);
    ::setrlimit(RLIMIT_FSIZE, &old_limit);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(migraphx::read_string(file), "old");
    EXPECT_EQ(count_files(dir.path), 1u);
    EXPECT_THROW(migraphx::write_string("/dev/full", std::string(100, 'x')), exception);
}

TEST(base_files, maps) {
    const migraphx::tmp_dir dir("base-map");
    const auto file = dir.path / "data";
    migraphx::write_string(file, std::string(10000, 'm') + "end");
    const auto map = migraphx::map_file(file);
    EXPECT_EQ(map->size(), 10003u);
    EXPECT_EQ(map->view().substr(10000), "end");
    map->advise_dontneed();
    map->advise_dontneed(1, 5000);
    map->advise_dontneed(20000, 5);
    map->advise_willneed(5, ~std::size_t{0});
    EXPECT_EQ(map->data()[9999], 'm');
    migraphx::write_string(file, "");
    EXPECT_EQ(map->data()[9999], 'm') << "a map outlives the replacement of its file";
    EXPECT_EQ(migraphx::map_file(file)->size(), 0u);
    EXPECT_THROW(migraphx::map_file(dir.path), exception);
    EXPECT_THROW(migraphx::map_file(dir.path / "none"), exception);
}

// Dropping pages changes what is resident, never what is read, and only in maps.
TEST(base_files, drops_pages_of_maps) {
    const auto mapped_pages = [] {
        std::ifstream in("/proc/self/statm");
        std::size_t total = 0, resident = 0, of_files = 0;
        in >> total >> resident >> of_files;
        return of_files;
    };
    const migraphx::tmp_dir dir("base-drop");
    const auto file = dir.path / "weights";
    const std::string content(4 << 20, 'w');
    migraphx::write_string(file, content);
    const auto map = migraphx::map_file(file);
    EXPECT_EQ(map->view(), content);
    const auto before = mapped_pages();
    migraphx::drop_mapped_pages(map->data(), content.size() + 1); // more than the map: left alone
    EXPECT_GE(mapped_pages() + 100, before);
    migraphx::drop_mapped_pages(map->data() + 100, content.size() - 100);
    EXPECT_LE(mapped_pages() + 900, before);
    EXPECT_EQ(map->view(), content);
    std::string own = content;
    migraphx::drop_mapped_pages(own.data(), own.size());
    EXPECT_EQ(own, content);
}

TEST(base_files, tmp_dir_goes) {
    migraphx::fs::path where;
    {
        const migraphx::tmp_dir dir("prefix");
        where = dir.path;
        EXPECT_NE(where.filename().string().find("prefix"), std::string::npos);
        migraphx::write_string(where / "f", "x");
        EXPECT_NE(migraphx::tmp_dir("prefix").path, where);
    }
    EXPECT_FALSE(migraphx::fs::exists(where));
}

TEST(base_parallel, covers_each_index_once) {
    for (int threads : {1, 2, 3, 8}) {
        const migraphx::thread_count_guard guard(threads);
        EXPECT_EQ(migraphx::num_threads(), threads);
        for (std::int64_t n : {0, 1, 2, 7, 100, 1001}) {
            std::vector<std::atomic<int>> hits(static_cast<std::size_t>(n));
            std::atomic<int> parts = 0;
            migraphx::parallel_for(n, 10, [&](std::int64_t begin, std::int64_t end) {
                ++parts;
                for (auto i = begin; i < end; ++i)
                    ++hits[static_cast<std::size_t>(i)];
            });
            for (const auto& h : hits)
                ASSERT_EQ(h, 1);
            EXPECT_LE(parts, threads);
            EXPECT_TRUE(n > 10 or parts <= 1);
        }
    }
}

TEST(base_parallel, nests_inline_and_passes_exceptions) {
    const migraphx::thread_count_guard guard(4);
    std::atomic<int> inner = 0;
    migraphx::parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
        const auto self = std::this_thread::get_id();
        migraphx::parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) {
            EXPECT_EQ(std::this_thread::get_id(), self);
            inner += static_cast<int>(end - begin);
        });
    });
    EXPECT_EQ(inner, 400);
    EXPECT_THROW(migraphx::parallel_for(
                     100, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("x"); }),
                 std::runtime_error);
    EXPECT_GE(migraphx::available_processors(), 1);
}

TEST(base_parallel, guard_restores) {
    const int before = migraphx::num_threads();
    {
        const migraphx::thread_count_guard outer(before + 3);
        const migraphx::thread_count_guard inner(1);
        EXPECT_EQ(migraphx::num_threads(), 1);
    }
    EXPECT_EQ(migraphx::num_threads(), before);
}

TEST(base_text, helpers) {
    using namespace migraphx;
    EXPECT_EQ(trim("  a b\n"), "a b");
    EXPECT_EQ(split_string("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
    EXPECT_TRUE(split_string("", ',').empty());
    EXPECT_EQ(join_strings(std::vector<std::string>{"a", "b"}, ", "), "a, b");
    EXPECT_TRUE(ends_with("model.onnx", ".onnx"));
    EXPECT_FALSE(ends_with("x", ".onnx"));
    EXPECT_TRUE(starts_with("gpu::x", "gpu::"));
    EXPECT_EQ(remove_prefix("gpu::x", "gpu::"), "x");
    EXPECT_EQ(replace_string("aXbX", "X", "--"), "a--b--");
    EXPECT_EQ(interpolate_string("a ${x} b ${ y }", {{"x", "1"}, {"y", "2"}}), "a 1 b 2");
    EXPECT_THROW(interpolate_string("${z}", {{"x", "1"}}), exception);
    EXPECT_EQ(to_hex_string(std::vector<std::uint16_t>{0x1234}), "1234");
    EXPECT_EQ(to_hex_string(std::vector<std::uint16_t>{0x1234}, false), "3412");
    EXPECT_EQ(to_c_id("1a-b.c"), "_1a_b_c");
    EXPECT_EQ(migraphx::to_string(2.5), "2.5");
    EXPECT_EQ(to_string_range(std::vector<int>{1, 2}), "1, 2");
    EXPECT_EQ(get_type_name<base_test::named>(), "base_test::named");
    EXPECT_EQ(get_type_name<int>(), "int");
    EXPECT_EQ(get_type_name(2.5f), "float");
    std::ostringstream os;
    const tracer traced(os);
    traced("a", 1);
    tracer{}("nothing");
    EXPECT_EQ(os.str(), "a1\n");
}

TEST(base_text, ranges) {
    using namespace migraphx;
    const std::vector<int> v{3, 1, 2};
    EXPECT_TRUE(contains(v, 2));
    EXPECT_TRUE(contains({1, 2}, 2));
    EXPECT_TRUE(contains("abc", "bc"));
    EXPECT_TRUE(all_of(v, [](int x) { return x > 0; }));
    EXPECT_TRUE(none_of({1, 2}, [](int x) { return x > 2; }));
    EXPECT_EQ(find_all(v, [](int x) { return x > 1; }), (std::vector<int>{3, 2}));
    std::vector<std::ptrdiff_t> counted;
    for (auto i : range(2, 5))
        counted.push_back(i);
    EXPECT_EQ(counted, (std::vector<std::ptrdiff_t>{2, 3, 4}));
    EXPECT_EQ(range(4).size(), 4);
    EXPECT_TRUE(range(-1).empty());
    EXPECT_TRUE(migraphx::equal(v, std::vector<int>{3, 1, 2}));
    EXPECT_TRUE(float_equal(1.0f, 1.0));
    EXPECT_TRUE(float_equal(0.1f, 0.1));
    EXPECT_FALSE(float_equal(1.0f, 1.001));
    EXPECT_TRUE(float_equal(half(0.1f), 0.1f));
    EXPECT_FALSE(float_equal(1, 2));
}

TEST(base_verify, ranges) {
    using namespace migraphx::verify;
    const std::vector<float> gold{1, 2, 3};
    double rms = -1;
    EXPECT_TRUE(verify_rms_range(std::vector<float>{1, 2, 3}, gold, 80, &rms));
    EXPECT_EQ(rms, 0);
    EXPECT_TRUE(verify_rms_range(std::vector<float>{1.000001f, 2, 3}, gold));
    EXPECT_FALSE(verify_rms_range(std::vector<float>{1.01f, 2, 3}, gold));
    EXPECT_FALSE(verify_rms_range(std::vector<float>{1, 2}, gold));
    EXPECT_FALSE(verify_rms_range(std::vector<float>{1, 2, std::nanf("")}, gold));
    EXPECT_TRUE(verify_rms_range(std::vector<migraphx::half>{1, 2.001, 3}, gold));
    EXPECT_TRUE(verify_rms_range(std::vector<int>{1, 2, 3}, std::vector<int>{1, 2, 3}));
    EXPECT_FALSE(verify_rms_range(std::vector<int>{1, 2, 4}, std::vector<int>{1, 2, 3}));
    EXPECT_TRUE(
        verify_rms_range(std::vector<float>{HUGE_VALF, 1}, std::vector<float>{HUGE_VALF, 1}));
    EXPECT_TRUE(verify_range_with_tolerance(std::vector<float>{1.001f, 2, 3}, expected{gold}));
    EXPECT_FALSE(verify_range_with_tolerance(std::vector<float>{1.01f, 2, 3}, expected{gold},
                                             tolerance{1e-4, 1e-3, 1e-3}));
    EXPECT_FALSE(allclose(std::vector<float>{1.01f, 2, 3}, gold, tolerance{}));
    EXPECT_EQ(mismatch_idx(std::vector<float>{1, 5, 3}, gold, std::equal_to<>{}), 1u);
    EXPECT_EQ(max_diff(std::vector<float>{1, 5, 3}, gold), 3);
}

} // namespace
