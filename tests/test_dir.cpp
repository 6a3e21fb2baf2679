// SPDX-License-Identifier: MIT
#include "test_dir.hpp"

#include <cstdlib>

std::filesystem::path migraphx_test::test_dir() {
    const char* elsewhere = std::getenv("MIGRAPHX_TEST_DIR");
    return elsewhere != nullptr ? elsewhere : MIGRAPHX_TEST_DIR;
}
