// SPDX-License-Identifier: MIT
// Equal operators on equal operands are computed once.
#ifndef MIGRAPHX_ELIMINATE_COMMON_SUBEXPRESSION_HPP
#define MIGRAPHX_ELIMINATE_COMMON_SUBEXPRESSION_HPP

#include <string>

namespace migraphx {

struct module;

struct eliminate_common_subexpression {
    std::string name() const { return "eliminate_common_subexpression"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
