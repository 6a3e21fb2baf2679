// SPDX-License-Identifier: MIT
// How many processors a process may use: the set it is bound to and the time its control groups
// leave it.
#ifndef MIGRAPHX_GUARD_BASE_CPU_LIMITS_HPP
#define MIGRAPHX_GUARD_BASE_CPU_LIMITS_HPP

#include <string>

namespace migraphx {

// Processors whose time the control groups around a process (v1 and v2) allow, possibly a part of
// one; infinity without a quota. `process` is its folder under /proc.
double cgroup_cpu_quota(const std::string& process = "/proc/self");

// Processors that the calling thread may run on (cpuset, taskset).
int processors_in_set();

} // namespace migraphx
#endif
