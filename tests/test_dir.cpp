// SPDX-License-Identifier: MIT
#include "test_dir.hpp"

std::filesystem::path migraphx_test::test_dir() {
    return MIGRAPHX_TEST_DIR;
}
