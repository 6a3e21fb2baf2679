// SPDX-License-Identifier: MIT
// The channels of several images in turn.
#include "targets/cpu/kernels/dispatch/run_separable.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/lowering.hpp"

#include <algorithm>

namespace migraphx::cpu {

bool can_interleave(const shape& x, std::size_t parts) {
    return parts >= 2 and parts <= std::size_t(interleave_params::most) and
           x.type() == shape::float_type and not x.dynamic() and x.ndim() >= 3 and
           x.elements() > 0 and not x.broadcasted() and
           (x.lens()[1] == 1 or x.strides()[1] == 1) and merged_stride(x, 2, x.ndim()).has_value();
}

namespace {

lowered interleave(const problem& p) {
    const auto parts = p.inputs.size();
    if (not can_interleave(p.output, parts) or
        not std::all_of(p.inputs.begin(), p.inputs.end(),
                        [&](const auto& x) { return can_interleave(x, parts); }))
        return lowered::refuse("channels are not neighbours in memory");
    interleave_params q{};
    q.parts = int64_t(parts);
    for (std::size_t j = 0; j < parts; j++) {
        q.x_image[j] = strides_of(p.inputs[j])[0];
        q.x_row[j] = *merged_stride(p.inputs[j], 2, p.inputs[j].ndim());
    }
    q.channels = int64_t(p.inputs[0].lens()[1]);
    q.rows = elements_between(p.output, 2, p.output.ndim());
    q.y_image = strides_of(p.output)[0];
    q.y_row = *merged_stride(p.output, 2, p.output.ndim());
    return make_kernel("interleave", 0,
                       [q, images = int64_t(p.output.lens()[0])](const kernel_args& args) {
                           auto r = q;
                           for (int64_t j = 0; j < r.parts; j++)
                               r.x[j] = reinterpret_cast<const float*>(args.inputs[j]);
                           r.y = reinterpret_cast<float*>(args.outputs[0]);
                           run_interleave(r, images);
                       });
}

const implementations interleave_choices{{"cpu::interleave"}, {{"interleave", interleave}}};

} // namespace

} // namespace migraphx::cpu
