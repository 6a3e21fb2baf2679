// SPDX-License-Identifier: MIT
// Lower precision for a program that is not compiled yet. Results keep their types.
#ifndef MIGRAPHX_QUANTIZATION_HPP
#define MIGRAPHX_QUANTIZATION_HPP

#include <migraphx/program.hpp>
#include <migraphx/target.hpp>
#include <string>
#include <unordered_set>
#include <vector>

namespace migraphx {

/// The named operators ("all": every one) compute in half or bf16.
void quantize_fp16(program& prog, const std::vector<std::string>& ins_names = {"all"});
void quantize_bf16(program& prog, const std::vector<std::string>& ins_names = {"all"});

/// dot and convolution work on int8. Activations are scaled by the largest magnitude that runs of
/// `t` over the calibration data show, weights by that of each output channel. Without calibration
/// data the range of activations is taken as -127/64 to 127/64. Throws for names other than dot and
/// convolution.
void quantize_int8(program& prog, const target& t, const std::vector<parameter_map>& calibration,
                   const std::unordered_set<std::string>& ins_names = {"dot", "convolution"});
/// The same with fp8e4m3fn. Without calibration data activations are not scaled.
void quantize_fp8(program& prog, const target& t, const std::vector<parameter_map>& calibration);

/// Constant weights of dot and convolution become 4-bit integers with a scale for each output
/// channel and block of inputs.
void quantize_int4_weights(program& prog);

} // namespace migraphx
#endif
