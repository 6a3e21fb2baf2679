// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_EXECUTION_ENVIRONMENT_HPP
#define MIGRAPHX_EXECUTION_ENVIRONMENT_HPP

#include <functional>
#include <migraphx/any_ptr.hpp>
#include <migraphx/argument.hpp>
#include <migraphx/instruction_ref.hpp>

namespace migraphx {

/// Where and how one evaluation runs.
struct execution_environment {
    any_ptr queue{};    ///< stream of the caller (gpu)
    bool async = false; ///< return before the work on `queue` is done
    /// Called after each instruction that computes something, with its result on the host.
    std::function<void(instruction_ref, const argument&)> trace = nullptr;
};

} // namespace migraphx
#endif
