// SPDX-License-Identifier: MIT
#include "runtime/implementation_table.hpp"

#include <iostream>

namespace migraphx {

void trace_dispatch(const problem& p, const std::string& what) {
    std::cerr << p.op << " -> " << p.output << ": " << what << '\n';
}

} // namespace migraphx
