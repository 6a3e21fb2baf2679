// SPDX-License-Identifier: MIT
// Results with other than standard layout are followed by a copy in standard layout.
#ifndef MIGRAPHX_AUTO_CONTIGUOUS_HPP
#define MIGRAPHX_AUTO_CONTIGUOUS_HPP

#include <string>

namespace migraphx {

struct module;

/// For static shapes; `layout` and `@return` are exempt.
struct auto_contiguous {
    std::string name() const { return "auto_contiguous"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
