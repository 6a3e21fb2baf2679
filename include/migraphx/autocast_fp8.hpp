// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_AUTOCAST_FP8_HPP
#define MIGRAPHX_AUTOCAST_FP8_HPP

#include <migraphx/shape.hpp>
#include <string>

namespace migraphx {

struct module;

/// 8-bit floating-point parameters and results of main become `target_type`.
struct autocast_fp8_pass {
    shape::type_t target_type = shape::float_type;
    std::string name() const { return "autocast_fp8"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
