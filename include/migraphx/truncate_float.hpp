// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_TRUNCATE_FLOAT_HPP
#define MIGRAPHX_TRUNCATE_FLOAT_HPP

#include <migraphx/shape.hpp>
#include <string>
#include <vector>

namespace migraphx {

struct module;

/// Operators with these names ("all": every one) get their float and double operands as
/// `float_type` and give back the type they had. Quantising operators and constants of other types
/// are left alone; with "all" also sums (`reduce_sum`), the squares that they add up and what
/// follows from them alone, which would leave half's range, gates (passes/float_gates.hpp), scales
/// and shifts of images (passes/float_scales.hpp), narrow images (passes/narrow_images.hpp) and
/// arithmetic on constants. Constant weights of convolutions are rounded so that the sums of their
/// windows stay (passes/rounded_windows.hpp); what flat images lose by it is added to the channels
/// (passes/flat_images.hpp).
struct truncate_float_pass {
    std::vector<std::string> ins_names = {"all"};
    shape::type_t float_type = shape::half_type;
    std::string name() const { return "truncate_float"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
