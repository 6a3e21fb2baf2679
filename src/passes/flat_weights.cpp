// SPDX-License-Identifier: MIT
#include "passes/flat_weights.hpp"

#include <migraphx/make_op.hpp>

namespace migraphx {

std::optional<instruction_ref> flat_weights(instruction_ref w) {
    if (w->name() == "multibroadcast" and w->inputs().size() == 1)
        w = w->inputs().front();
    if (w->get_shape().dynamic() or w->get_shape().ndim() != 2 or not w->can_eval())
        return std::nullopt;
    return w;
}

instruction_ref stretched_weights(instruction_ref w, std::vector<std::size_t> result,
                                  rewriter& rw) {
    if (result.size() == 2)
        return w;
    result[result.size() - 2] = w->get_shape().lens()[0];
    result.back() = w->get_shape().lens()[1];
    return rw.add(make_op("multibroadcast", {{"out_lens", result}}), {w});
}

} // namespace migraphx
