// SPDX-License-Identifier: MIT
// Convolutions (forward, transposed, of integers; each with or without an epilogue) as the
// implementations see them.
#pragma once

#include "passes/channels_last.hpp"
#include "targets/gpu/device_code/conv_params.cuh"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/libraries/convolution.hpp"

#include <migraphx/module.hpp>

#include <optional>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Without steps. None, with the reason, for what no implementation takes.
std::optional<convolution_desc> describe_convolution(const device_problem& p, std::string& reason);

/// The epilogue's module; null when there is none.
const module* epilogue_of(const device_problem& p);

/// What is the same in all own kernels. None, with the reason, when something does not fit 32 bits.
std::optional<mgx::conv_params> convolution_params(const device_problem& p,
                                                   const convolution_desc& d, std::string& reason);

/// The beginning of a kernel's text, which opens the namespace: functions of the epilogue as exact
/// as its result needs.
std::string convolution_head(const device_problem& p, const std::string& header);

/// The text of `struct epilogue` for device_code/conv.cuh and what the entry gets for it.
struct epilogue_text {
    std::string definitions; ///< after the includes
    std::string parameters;  ///< of the entry: ", const mgx::half* e0, ..."
    std::string value;       ///< within the entry
    std::vector<std::size_t> inputs;
};
std::optional<epilogue_text> convolution_epilogue(const device_problem& p,
                                                  const convolution_desc& d, std::string& reason);

/// Channels are neighbours in memory (or there is one).
bool is_channels_last(const shape& s);
/// Every channel by itself.
bool is_depthwise(const convolution_desc& d);

/// Whether the device has matrix units for halves (the host device plays them).
bool multiplies_halves(const device& on);

/// For the pass `channels_last`.
channels_last_rules layouts();

/// A sum over the channels of one position: 1x1 windows with stride 1.
bool is_product(const convolution_desc& d);

lowered implicit_gemm_convolution(const device_problem& p);
lowered depthwise_convolution(const device_problem& p);
/// Variant n: the library's n-th plan.
lowered library_convolution(const device_problem& p);
/// 1x1 windows over packed channels-last images, as the product of positions and channels.
lowered convolution_as_product(const device_problem& p);

} // namespace migraphx::gpu
