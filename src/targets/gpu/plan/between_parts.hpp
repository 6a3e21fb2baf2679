// SPDX-License-Identifier: MIT
// Between the parts of a program: operators whose output size only a run can give. The values that
// decide the size come to the host, data stay on the device.
#pragma once

#include "targets/gpu/device/device.hpp"
#include "targets/gpu/lowering.hpp"

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Thread-safe. Kernels of the last problems are kept.
class between_parts {
public:
    explicit between_parts(std::shared_ptr<device> d) : on(std::move(d)) {}

    /// Copies of complete values in the host's memory; what lies there already is shared.
    std::vector<argument> to_host(std::vector<argument> values) const;
    /// The result, in the device's memory and complete. None: no input lies there, or there is no
    /// kernel for it.
    std::optional<argument> evaluate(const operation& op, const std::vector<argument>& in) const;

private:
    /// A stream that nobody else uses, for the time of one call.
    struct borrowed_stream;

    std::vector<argument> values_of(const std::vector<argument>& in,
                                    const std::vector<std::size_t>& wanted) const;
    std::optional<argument> evaluate_known(const operation& op,
                                           const std::vector<argument>& in) const;
    std::optional<argument> evaluate_counted(const operation& op,
                                             const std::vector<argument>& in) const;
    /// `count`: what a `counted_kernel` has found.
    argument run(const kernel& work, std::vector<argument> in, const shape& output,
                 std::size_t* count = nullptr) const;
    std::shared_ptr<const kernel> kernel_for(const device_problem& p) const;

    struct entry {
        std::string key;
        std::shared_ptr<const kernel> made; ///< null: there is none
    };
    std::shared_ptr<device> on;
    mutable std::mutex mutex;
    mutable std::list<entry> kept;                   ///< the last one used first
    mutable std::vector<std::shared_ptr<void>> idle; ///< streams
};

} // namespace migraphx::gpu
