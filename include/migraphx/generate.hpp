// SPDX-License-Identifier: MIT
// Test data: a pure function of shape and seed.
#ifndef MIGRAPHX_GENERATE_HPP
#define MIGRAPHX_GENERATE_HPP

#include <migraphx/argument.hpp>
#include <migraphx/literal.hpp>

namespace migraphx {

/// legacy: small values on a coarse grid; random: uniform. Floats lie in [-1, 1] in both.
enum class random_mode { legacy, random };

argument generate_argument(shape s, unsigned long seed = 0, random_mode m = random_mode::legacy);
literal generate_literal(shape s, unsigned long seed = 0);
argument fill_argument(shape s, double value = 0);
argument iota_argument(shape s, int64_t start = 0);
literal abs(literal l);

} // namespace migraphx
#endif
