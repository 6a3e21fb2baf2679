// SPDX-License-Identifier: MIT
// The choice of the instruction set level, forced by the environment in a process of its own.
#include "targets/cpu/kernels/kernel_table.hpp"

#include <migraphx/errors.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <unistd.h>

using namespace migraphx::cpu;

namespace {

// What DISABLED_print prints after "level: " with that setting.
std::string level_with(const std::string& setting) {
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0)
        return "";
    const std::string command = "MIGRAPHX_CPU_ISA='" + setting + "' '" +
                                std::string(self, std::size_t(length)) +
                                "' --gtest_also_run_disabled_tests "
                                "--gtest_filter=kernels_isa.DISABLED_print 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr)
        return "";
    std::string text;
    char line[512];
    while (fgets(line, sizeof(line), pipe) != nullptr)
        text += line;
    pclose(pipe);
    const auto at = text.find("level: ");
    return at == std::string::npos ? text : text.substr(at + 7, text.find('\n', at) - at - 7);
}

} // namespace

TEST(kernels_isa, DISABLED_print) {
    try {
        printf("level: %s\n", isa_name());
    } catch (const migraphx::exception& e) {
        printf("level: %s\n", e.what());
    }
}

TEST(kernels_isa, environment_forces_a_level) {
    for (isa level : migraphx::cpu::isa_levels) {
        const std::string got = level_with(to_string(level));
        if (isa_supported(level)) {
            EXPECT_EQ(got, to_string(level));
        } else {
            EXPECT_NE(got.find("got none"), std::string::npos) << got;
        }
    }
    const isa highest = isa_supported(isa::amx)      ? isa::amx
                        : isa_supported(isa::avx512) ? isa::avx512
                        : isa_supported(isa::avx2) ? isa::avx2
                                                   : isa::baseline;
    EXPECT_EQ(level_with(""), to_string(highest));
    EXPECT_NE(level_with("avx3").find("baseline, avx2, avx512 or amx was expected, got 'avx3'"),
              std::string::npos);
}

TEST(kernels_isa, tables_are_full) {
    for (isa level : migraphx::cpu::isa_levels) {
        if (not isa_supported(level)) {
            EXPECT_THROW(kernels_for(level), migraphx::exception);
            continue;
        }
        const nest_kernels& k = kernels_for(level).nest;
        EXPECT_NE(k.chain, nullptr);
        for (vm_fn f : k.math)
            EXPECT_NE(f, nullptr);
        for (vm_fn f : k.cast)
            EXPECT_NE(f, nullptr);
    }
}
