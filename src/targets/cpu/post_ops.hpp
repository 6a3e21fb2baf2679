// SPDX-License-Identifier: MIT
// The epilogue of a fused instruction as attributes and operands of a oneDNN primitive.
#pragma once

#include "targets/cpu/dnnl_kernel.hpp"
#include "targets/cpu/epilogue.hpp"

#include <optional>
#include <string>
#include <vector>

namespace migraphx::cpu {

/// A fused instruction has the anchor's inputs first, then one more for each parameter of its
/// module but "x0", which stands for the anchor's result; parameters bind in the order of their
/// names.
struct fused_epilogue {
    dnnl::primitive_attr attr;
    std::vector<dnnl_kernel::operand> operands; ///< of the binary post-operations
    std::optional<std::size_t> bias;            ///< input added first, one value for each channel
    std::optional<std::size_t> written_over;    ///< input that the result may overwrite
};

/// `channel_axis`: where a bias lies in the output. `anchor_inputs`: inputs before those of the
/// module. `order`: of the result, which operands follow. A reason when oneDNN cannot do it.
struct epilogue_result {
    std::optional<fused_epilogue> epilogue;
    std::string reason;
};
epilogue_result make_epilogue(const problem& p, std::size_t anchor_inputs, std::size_t channel_axis,
                              image_order order = image_order::as_given);

/// The input that the module's parameter stands for, of an instruction with so many inputs of its
/// own.
std::size_t epilogue_input(const module& m, const std::string& parameter,
                           std::size_t anchor_inputs);

/// One value for each channel, neighbours in memory, the same everywhere else.
bool is_per_channel(const shape& s, std::size_t channel_axis);

/// Descriptor of a broadcast operand: axes of stride 0 have length 1.
dnnl::memory::desc dnnl_broadcast_desc(const shape& s, image_order order = image_order::as_given);

} // namespace migraphx::cpu
