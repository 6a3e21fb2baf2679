// SPDX-License-Identifier: MIT
// How plans run unless a backend says otherwise: on the host.
#include "runtime/backend.hpp"

#include "runtime/host_runner.hpp"

namespace migraphx {

std::shared_ptr<run_memory> backend::make_memory() const {
    return std::make_shared<host_memory>();
}

std::unique_ptr<plan_runner> backend::make_runner(const plan_data& data, const compile_options&,
                                                  std::shared_ptr<run_memory> memory) const {
    return make_host_runner(data, std::dynamic_pointer_cast<host_memory>(memory));
}

} // namespace migraphx
