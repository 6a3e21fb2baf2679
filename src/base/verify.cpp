// SPDX-License-Identifier: MIT
// The setting of verify.hpp.
#include <migraphx/verify.hpp>

#include "base/settings.hpp"

namespace migraphx {
namespace verify {
namespace {

const setting<bool> verify_allclose{"MIGRAPHX_VERIFY_ENABLE_ALLCLOSE", false,
                                    "verification also bounds the difference of each element"};

} // namespace

bool allclose_enabled() {
    return verify_allclose;
}

} // namespace verify
} // namespace migraphx
