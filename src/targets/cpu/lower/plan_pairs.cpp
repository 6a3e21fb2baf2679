// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/plan_pairs.hpp"

#include "base/str.hpp"

namespace migraphx::cpu {

std::shared_ptr<const packed_weight> plan_pairs(const problem& p, std::size_t input,
                                                const std::string& order,
                                                const packed_weight& weights, gemm_params& q) {
    auto pairs = p.weights->get(
        p.constants[input],
        str("pairs of ", order, ' ', kernels().gemm.panel, ' ', q.sum_depth, ' ', p.inputs[input]),
        [&] {
            const auto floats = weight_pairs_size(q.k, q.n, kernels(), q.sum_depth);
            auto made = allocate_weight(std::size_t(floats) * sizeof(float));
            sum_weight_pairs(reinterpret_cast<const float*>(weights.data.get()), q.k, q.n,
                             reinterpret_cast<float*>(made.data.get()), kernels(), q.sum_depth);
            return made;
        });
    q.paired = can_pair(q, reinterpret_cast<const float*>(pairs->data.get()));
    return q.paired ? pairs : nullptr;
}

} // namespace migraphx::cpu
