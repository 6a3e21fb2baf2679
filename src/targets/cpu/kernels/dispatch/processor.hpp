// SPDX-License-Identifier: MIT
// What the processor does better or worse than others of its instruction set.
#pragma once

namespace migraphx::cpu {

struct processor {
    /// Vectors are added beside multiplications, as many at a time.
    bool adds_aside = false;
    /// Vectors are divided beside multiplications, in the time of six of them or less: a reciprocal
    /// and its correction take places of multiplications.
    bool divides_aside = false;
    /// Lines that a program fetches at even steps make the processor fetch further ones, maybe
    /// those that another core writes.
    bool fetches_beyond = false;
};

processor detect_processor();
const processor& this_processor();

} // namespace migraphx::cpu
