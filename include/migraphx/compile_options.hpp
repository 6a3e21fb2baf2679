// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_COMPILE_OPTIONS_HPP
#define MIGRAPHX_COMPILE_OPTIONS_HPP

#include <cstddef>
#include <migraphx/tracer.hpp>

namespace migraphx {

/// How a program is compiled. Set by field.
struct compile_options {
    bool offload_copy = false;    ///< gpu: copy inputs and outputs between host and device
    bool fast_math = true;        ///< polynomial approximations and regrouping are allowed
    bool tf32 = false;            ///< gpu: products and convolutions of float may round to TF32
    bool exhaustive_tune = false; ///< time candidate implementations (bounded, cached)
    bool is_dynamic = false;      ///< sizes up to the parsed ones may be given at run time
    std::size_t device_id = 0;    ///< gpu: which device
    std::size_t num_threads = 0;  ///< cpu: threads for one evaluation; 0: what the machine allows
    tracer trace{};               ///< gets the program after each pass
};

} // namespace migraphx
#endif
