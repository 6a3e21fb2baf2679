// SPDX-License-Identifier: MIT
// Products of matrices on matrix tiles: rows of A with constant B.
#include "targets/cpu/lower/dot.hpp"
#include "targets/cpu/lower/split_product.hpp"

namespace migraphx::cpu {

lowered split_dot_kernel(const problem& p) {
    if (auto r = split_refusal(p); not r.empty())
        return lowered::refuse(r);
    if (auto r = product_refusal(p); not r.empty())
        return lowered::refuse(r);
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    flat_product f;
    if (not as_flat(p, f))
        return lowered::refuse("a batch of matrices, or rows that do not merge");
    std::string reason;
    const auto epilogue =
        plan_product_epilogue(inputs_of(p), p.modules.empty() ? nullptr : p.modules.front(), 2,
                              p.output, reason);
    if (not epilogue)
        return lowered::refuse(reason);
    split_convolution c{};
    c.images = c.width = c.out_width = 1;
    c.kernel_height = c.kernel_width = c.stride_y = c.stride_x = c.dilation_y = c.dilation_x = 1;
    c.height = c.out_height = f.m;
    c.channels = f.k;
    c.x_row = f.a_row;
    c.x_channel = f.a_k;
    c.outputs = f.n;
    c.y_position = f.c_row;
    const split_weights w{reinterpret_cast<const float*>(p.constants[1].data()), f.b_n, f.b_k, 0, 0};
    return make_split_kernel(p, {c, w, *epilogue});
}

} // namespace migraphx::cpu
