// SPDX-License-Identifier: MIT
// capture: hands its inputs to a function while a program runs (calibration).
#pragma once

#include <migraphx/operation.hpp>

#include <functional>
#include <vector>

namespace migraphx {

/// Called with `ins_index` and the inputs. It is not saved with the program.
using capture_function = std::function<void(std::size_t, const std::vector<argument>&)>;

operation make_capture(std::size_t ins_index, capture_function f);

} // namespace migraphx
