// SPDX-License-Identifier: MIT
// Gates: a tensor's mean for each channel, a product or two of it with small weights, a sigmoid,
// and then the product with the tensor (squeeze and excite, pooled branches, attention over
// channels). A few hundred numbers decide about thousands of channels, and a gate on the ramp of
// its sigmoid turns the rounding of the numbers before it into the same error of whole channels; in
// float they cost nothing.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/shape.hpp>

#include <cstddef>
#include <unordered_set>

namespace migraphx {

struct module;

/// What counts as small: numbers of one result (known dimensions only, those that are open count as
/// 1) and of the weights of one product. Larger weights are read at the speed of memory, so halves
/// are faster.
struct gate_sizes {
    std::size_t results = std::size_t{1} << 16;
    std::size_t weights = std::size_t{1} << 18;
};

/// The mean (`reduce_mean`, or average `pooling` whose window is everything), and what follows from
/// it and constants alone, where one of the followers is a convolution or dot.
std::unordered_set<instruction_ref> float_gates(const module& m, const gate_sizes& limits = {});

/// Convolutions in float, with windows of one position and constant weights within the limits, from
/// which one of the `gates` follows: what their weights lose moves the gates' means, which no sum
/// over positions evens out.
std::unordered_set<instruction_ref>
products_before_gates(const module& m, const std::unordered_set<instruction_ref>& gates,
                      const gate_sizes& limits = {});

/// Of weights {outputs, inputs, window ...}: the window has one position.
bool has_windows_of_one(const shape& weights);

/// Average pooling whose window is all of the data, without padding.
bool is_mean_pooling(instruction_ref ins);

} // namespace migraphx
