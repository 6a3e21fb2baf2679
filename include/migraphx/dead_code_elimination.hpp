// SPDX-License-Identifier: MIT
// Removes what no result depends on.
#ifndef MIGRAPHX_DEAD_CODE_ELIMINATION_HPP
#define MIGRAPHX_DEAD_CODE_ELIMINATION_HPP

#include <string>

namespace migraphx {

struct module;
struct program;

/// Parameters, operators with side effects and those whose output is `shape{}` stay. For a program:
/// also the modules that nothing uses.
struct dead_code_elimination {
    std::string name() const { return "dead_code_elimination"; }
    void apply(module& m) const;
    void apply(program& p) const;
};

} // namespace migraphx
#endif
