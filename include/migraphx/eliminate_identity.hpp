// SPDX-License-Identifier: MIT
// identity(x) → x
#ifndef MIGRAPHX_ELIMINATE_IDENTITY_HPP
#define MIGRAPHX_ELIMINATE_IDENTITY_HPP

#include <string>

namespace migraphx {

struct module;

struct eliminate_identity {
    std::string name() const { return "eliminate_identity"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
