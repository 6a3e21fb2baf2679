// SPDX-License-Identifier: MIT
// How the gpu target turns instructions into kernels: for each operator an ordered list of
// implementations; the first that does not refuse wins. What has none runs on the host between two
// copies, which MIGRAPHX_TRACE=dispatch and the profile show.
#pragma once

#include "runtime/kernel.hpp"
#include "targets/gpu/device/device.hpp"

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// An instruction to be lowered, and the device it is for.
struct device_problem : problem {
    std::shared_ptr<device> on;
};

struct implementation {
    const char* name;
    lowered (*make)(const device_problem& p);
};

/// An implementation's variant, as one more to choose from.
template <lowered (*Make)(const device_problem&), int Variant>
lowered of_variant(const device_problem& p) {
    auto q = p;
    q.variant = Variant;
    return Make(q);
}

/// Declared once for each operator (or several of one kind), at namespace scope.
struct implementations {
    implementations(std::initializer_list<const char*> operators,
                    std::initializer_list<implementation> list);
};

const std::vector<implementation>& implementations_of(const std::string& op);

/// Never refuses.
std::unique_ptr<kernel> lower(const device_problem& p);

/// A kernel of the host as one of the device: waits for the queue, copies what it reads to the
/// host, runs, copies the results back. A plan cannot record it (`runs_on_host`).
std::unique_ptr<kernel> on_host(const device_problem& p, std::unique_ptr<kernel> k);

/// Whether the kernel is one of `on_host`: its queue must not be recording.
bool runs_on_host(const kernel& k);

} // namespace migraphx::gpu
