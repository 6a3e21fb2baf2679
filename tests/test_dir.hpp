// SPDX-License-Identifier: MIT
// Where the text cases are: one file knows the checkout, so that the others compile alike in every
// folder.
#pragma once

#include <filesystem>

namespace migraphx_test {

/// The folder `tests` of the checkout that was built; for tests that run on another machine,
/// the environment's MIGRAPHX_TEST_DIR.
std::filesystem::path test_dir();

} // namespace migraphx_test
