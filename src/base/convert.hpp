// SPDX-License-Identifier: MIT
// Conversion of arrays between float and the small floats, with the rounding of the scalar types,
// using the machine's vector instructions where it has them. Source and destination must not
// overlap.
#ifndef MIGRAPHX_GUARD_BASE_CONVERT_HPP
#define MIGRAPHX_GUARD_BASE_CONVERT_HPP

#include <cstddef>
#include <migraphx/bf16.hpp>
#include <migraphx/float8.hpp>
#include <migraphx/half.hpp>

namespace migraphx {

void convert_array(const half* in, float* out, std::size_t n);
void convert_array(const float* in, half* out, std::size_t n);
void convert_array(const bf16* in, float* out, std::size_t n);
void convert_array(const float* in, bf16* out, std::size_t n);
void convert_array(const fp8::fp8e4m3fn* in, float* out, std::size_t n);
void convert_array(const fp8::fp8e5m2* in, float* out, std::size_t n);
void convert_array(const fp8::fp8e4m3fnuz* in, float* out, std::size_t n);
void convert_array(const fp8::fp8e5m2fnuz* in, float* out, std::size_t n);
void convert_array(const float* in, fp8::fp8e4m3fn* out, std::size_t n);
void convert_array(const float* in, fp8::fp8e5m2* out, std::size_t n);
void convert_array(const float* in, fp8::fp8e4m3fnuz* out, std::size_t n);
void convert_array(const float* in, fp8::fp8e5m2fnuz* out, std::size_t n);

} // namespace migraphx
#endif
