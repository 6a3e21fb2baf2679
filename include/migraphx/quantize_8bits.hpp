// SPDX-License-Identifier: MIT
// Calibration and quantisation to eight bits.
#ifndef MIGRAPHX_QUANTIZE_8BITS_HPP
#define MIGRAPHX_QUANTIZE_8BITS_HPP

#include <cstddef>
#include <functional>
#include <migraphx/argument.hpp>
#include <migraphx/shape.hpp>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace migraphx {

struct module;

/// Puts a `capture` behind each value that an operator of these names takes and that is not
/// constant; `f` gets its number, from `param_index` on, and the value.
struct capture_arguments_pass {
    std::unordered_set<std::string> ins_names = {};
    std::function<void(std::size_t, std::vector<argument>)> f = {};
    std::size_t* param_index = nullptr;
    std::string name() const { return "capture_arguments"; }
    void apply(module& m) const;
};

/// Each `capture` number i becomes quantizelinear and dequantizelinear of x * first + second of
/// quant_params[i]; constant weights of the operators of these names are quantised by their own
/// values.
struct quantize_8bits_pass {
    shape::type_t precision = shape::int8_type;
    std::vector<std::pair<float, float>> quant_params = {};
    std::unordered_set<std::string> ins_names = {"dot", "convolution"};
    std::string name() const { return "quantize_8bits"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
