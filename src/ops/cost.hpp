// SPDX-License-Identifier: MIT
// Work of an instruction, from shapes alone.
#pragma once

#include <migraphx/instruction.hpp>

namespace migraphx {

/// A multiply-add is 2 flops. Bytes are those of operands and results, each read or written once;
/// views have none. Of a range of sizes the largest counts, or the smallest when there is no limit.
struct cost {
    double flops = 0;
    double bytes = 0;

    cost& operator+=(const cost& x) {
        flops += x.flops;
        bytes += x.bytes;
        return *this;
    }
};

/// With the modules of a loop or branch, each once.
cost cost_of(instruction_ref ins);

} // namespace migraphx
