// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_FOLD_CONVOLUTION_HPP
#define MIGRAPHX_FOLD_CONVOLUTION_HPP

#include <string>

namespace migraphx {

struct module;

/// Moves constants around convolutions (batch normalization, padding) into their weights and
/// attributes.
struct fold_convolution {
    std::string name() const { return "fold_convolution"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
