// SPDX-License-Identifier: MIT
// broadcast_for_dot: the leading dimensions of a against those of b; the last two are a's own.
#include "ops/expect.hpp"
#include "ops/op.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/common_shape.hpp>

namespace migraphx {

namespace {

struct broadcast_for_dot_op {
    static constexpr auto name = "broadcast_for_dot";
    static constexpr auto summary = "The batch dimensions of a matrix repeated to those of another";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().rank_at_least(2);
        const auto kinds = align_kinds(in);
        const auto join = [&](const auto& a, const auto& b, auto common) {
            auto dims = common(std::decay_t<decltype(a)>{a.begin(), a.end() - 2},
                               std::decay_t<decltype(a)>{b.begin(), b.end() - 2});
            dims.insert(dims.end(), a.end() - 2, a.end());
            return dims;
        };
        if (not kinds[0].dynamic())
            return make_bcast_shape(
                kinds[0], join(kinds[0].lens(), kinds[1].lens(), compute_broadcasted_lens));
        using dims = std::vector<shape::dynamic_dimension>;
        return make_bcast_shape(
            kinds[0], join(kinds[0].dyn_dims(), kinds[1].dyn_dims(),
                           [](dims a, dims b) { return compute_broadcasted_dyn_dims(a, b); }));
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<broadcast_for_dot_op> broadcast_for_dot_registered;

} // namespace

} // namespace migraphx
