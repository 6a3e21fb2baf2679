// SPDX-License-Identifier: MIT
// What follows a convolution or a product: a module of pointwise operators over its result, read as
// a chain of oneDNN post-operations.
#pragma once

#include <migraphx/module.hpp>
#include <migraphx/shape.hpp>

#include <dnnl.hpp>

#include <optional>
#include <string>
#include <vector>

namespace migraphx::cpu {

struct post_operation {
    enum class kind { eltwise, binary } what = kind::eltwise;
    dnnl::algorithm algorithm = dnnl::algorithm::undef;
    float alpha = 0, beta = 0;
    std::string parameter; ///< binary: the module's parameter that is the other operand
};

/// The chain that turns the parameter `from` into the module's only result, innermost first;
/// nullopt when the module does something that post-operations cannot.
std::optional<std::vector<post_operation>> as_post_operations(const module& m,
                                                              const std::string& from);

} // namespace migraphx::cpu
