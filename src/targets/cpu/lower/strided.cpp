// SPDX-License-Identifier: MIT
// Which kernels write and read a part of a concat's result where it lies. The library's
// convolutions and pooling are not among them: they want dense tensors.
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/pooling.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/lower/split_product.hpp"
#include "targets/cpu/lowering.hpp"

#include "runtime/pointwise_nest.hpp"

namespace migraphx::cpu {

namespace {

bool is_convolution(const problem& p) {
    const auto name = p.op.name();
    return name == "convolution" or name == "cpu::convolution";
}

// One that keeps any steps between pixels.
bool is_strided_convolution(const problem& p) {
    return is_convolution(p) and
           (winograd_refusal(p).empty() or split_convolution_refusal(p).empty());
}

bool is_strided_transposed(const problem& p) {
    const auto name = p.op.name();
    return (name == "convolution_backwards" or name == "cpu::convolution_backwards") and
           transposed_refusal(p).empty();
}

// Regions of pointwise operators, also those that read gathers and pads.
bool has_nest(const problem& p) {
    return is_pointwise(p) or
           (p.op.name() == "fused_reduce" and p.op.get_vector<int64_t>("axes").empty());
}

} // namespace

bool writes_strided(const problem& p) {
    const auto name = p.op.name();
    return name == "concat" or name == "contiguous" or name == "layout" or has_nest(p) or
           is_strided_convolution(p) or is_strided_transposed(p) or is_separable_convolution(p) or
           (name == "pooling" and pools_pixels(p));
}

bool reads_strided(const problem& p, std::size_t i) {
    const auto name = p.op.name();
    return name == "contiguous" or name == "layout" or has_nest(p) or
           (i != 1 and is_strided_convolution(p)) or (i == 0 and is_strided_transposed(p)) or
           is_separable_convolution(p) or (name == "pooling" and pools_pixels(p));
}

} // namespace migraphx::cpu
