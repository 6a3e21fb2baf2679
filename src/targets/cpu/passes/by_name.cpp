// SPDX-License-Identifier: MIT
// The passes of the cpu target by name, for the tests and for `migraphx-driver read -p`.
#include "passes/pass_registry.hpp"
#include "targets/cpu/passes/passes.hpp"

namespace migraphx::cpu {

namespace {

const registered_pass channels_last_registered{"cpu::channels_last",
                                               [] { return channels_last{layouts()}; }};
const registered_pass fuse_epilogue_registered{"cpu::fuse_epilogue",
                                               [] { return fuse_epilogue{epilogues()}; }};
const registered_pass fuse_reduce_registered{"cpu::fuse_reduce", [] { return reduce_fusion(); }};
const registered_pass fuse_layout_registered{"cpu::fuse_layout", [] { return fuse_layout{}; }};
const registered_pass fuse_depthwise_registered{"cpu::fuse_depthwise",
                                                [] { return fuse_depthwise{}; }};
const registered_pass fuse_channel_scale_registered{"cpu::fuse_channel_scale",
                                                    [] { return fuse_channel_scale{}; }};
const registered_pass int8_in_float_registered{"cpu::int8_in_float",
                                               [] { return int8_in_float{}; }};
const registered_pass half_in_float_registered{"cpu::half_in_float",
                                               [] { return half_in_float{}; }};

} // namespace

} // namespace migraphx::cpu
