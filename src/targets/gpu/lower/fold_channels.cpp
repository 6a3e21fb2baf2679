// SPDX-License-Identifier: MIT
// gpu::fold_channels: device_code/conv_fold.cuh.
#include "base/str.hpp"
#include "targets/gpu/device_code/conv_params.cuh"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/lower/walk.hpp"

#include <limits>

namespace migraphx::gpu {

namespace {

lowered folded(const device_problem& p) {
    constexpr std::size_t eight = 8;
    const auto &x = p.inputs[0], &y = p.output;
    const auto from = device_type(x.type()), to = device_type(y.type());
    const auto spatial = x.ndim() - 2;
    if (from.empty() or to.empty() or spatial > mgx::conv_most_axes)
        return lowered::refuse("type " + x.type_string() + ", or many axes");
    if (y.elements() / eight > std::numeric_limits<int32_t>::max() / 2)
        return lowered::refuse("sizes beyond 31 bits");
    mgx::conv_fold_params q{};
    q.channels = int(x.lens()[1]);
    q.length = int(x.lens().back());
    q.pieces = unsigned(y.elements() / eight);
    q.x.image = int64_t(x.strides()[0]);
    q.x.channel = int64_t(x.strides()[1]);
    const auto unused = mgx::conv_most_axes - spatial;
    for (std::size_t i = 0; i < mgx::conv_most_axes; i++) {
        const bool used = i >= unused;
        q.by_axis[i] = mgx::make_fast_div(used ? y.lens()[i - unused + 2] : 1);
        q.x.axis[i] = used ? int64_t(x.strides()[i - unused + 2]) : 0;
    }
    generated g;
    g.name = "fold channels";
    g.entry = "fold";
    g.source = entry_text("conv_fold.cuh", g.entry,
                          str("const ", from, "* x, ", to, "* y, const conv_fold_params p"),
                          str("fold_channels<", p.op.get<int64_t>("fold"), ">(x, y, p);"));
    param_block block;
    block.add(q);
    g.params = block.data();
    g.launch = launch_for(*p.on, int64_t(q.pieces));
    return make_generated(p, std::move(g));
}

const implementations choices{{"gpu::fold_channels"}, {{"pieces", folded}}};

} // namespace

} // namespace migraphx::gpu
