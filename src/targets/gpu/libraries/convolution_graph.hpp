// SPDX-License-Identifier: MIT
// A convolution and its steps as one graph of cuDNN's operations; between them values are floats.
#pragma once

#include "targets/gpu/libraries/convolution.hpp"
#include "targets/gpu/libraries/cudnn.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace migraphx::gpu {

struct convolution_graph {
    std::vector<cudnn::descriptor> operations;
    std::vector<int64_t> ids;  ///< of x, w, the steps' operands, y, then the numbers
    std::deque<float> numbers; ///< what the last ids point to
    std::size_t operands = 0;
};

/// Throws cudnn::refused for what the library has no types for.
convolution_graph make_convolution_graph(const cudnn::functions& f, const convolution_desc& d);

/// Which engines will do: deterministic ones that keep the precision.
cudnn::plan_wishes convolution_wishes(const convolution_desc& d, std::size_t most);

} // namespace migraphx::gpu
