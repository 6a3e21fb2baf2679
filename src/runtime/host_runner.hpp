// SPDX-License-Identifier: MIT
// Plans run by the host, in the memory of the host.
#pragma once

#include "runtime/buffer_pool.hpp"
#include "runtime/plan_runner.hpp"

#include <memory>

namespace migraphx {

/// `data` outlives it.
std::unique_ptr<plan_runner> make_host_runner(const plan_data& data,
                                              std::shared_ptr<host_memory> memory);

} // namespace migraphx
