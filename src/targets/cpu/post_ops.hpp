// SPDX-License-Identifier: MIT
// The epilogue of a fused instruction as attributes and operands of a oneDNN primitive.
#pragma once

#include "passes/post_operations.hpp"
#include "targets/cpu/dnnl_kernel.hpp"

#include <optional>
#include <string>
#include <vector>

namespace migraphx::cpu {

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

/// Descriptor of a broadcast operand: axes of stride 0 have length 1.
dnnl::memory::desc dnnl_broadcast_desc(const shape& s, image_order order = image_order::as_given);

} // namespace migraphx::cpu
