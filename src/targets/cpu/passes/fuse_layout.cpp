// SPDX-License-Identifier: MIT
// The copy of an image with its channels last that only a convolution of few channels reads is left
// out: own kernels read the image where it is.
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/passes/fused_body.hpp"
#include "targets/cpu/passes/passes.hpp"

namespace migraphx::cpu {

void fuse_layout::apply(module_pass_manager& mpm) const {
    auto& m = mpm.get_module();
    std::size_t number = 0;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        if (not is_convolution(ins))
            continue;
        const auto copy = ins->inputs()[0];
        if (copy->name() != "layout" or not is_literal(ins->inputs()[1]) or not epilogue_of(ins) or
            not is_plane_convolution(plain_convolution(ins), copy->inputs()[0]->get_shape(),
                                     ins->inputs()[1]->get_shape(), ins->get_shape()))
            continue;
        auto inputs = ins->inputs();
        inputs[0] = copy->inputs()[0];
        const auto symbols = ins->get_debug_symbols();
        auto fused = m.replace_instruction(
            ins, make_op("cpu::plane_convolution", ins->get_operator().to_value()), inputs,
            {body_of(mpm, ins, ":planes" + std::to_string(number++))});
        fused->add_debug_symbols(symbols);
    }
}

} // namespace migraphx::cpu
