// SPDX-License-Identifier: MIT
// multibroadcast: dimensions aligned at the right, those of one element repeated with stride 0.
#include "ops/expect.hpp"
#include "ops/op.hpp"

#include <migraphx/common_shape.hpp>

namespace migraphx {

namespace {

struct multibroadcast_op {
    std::vector<std::size_t> out_lens;
    std::vector<shape::dynamic_dimension> out_dyn_dims;

    static constexpr auto name = "multibroadcast";
    static constexpr auto summary = "The input repeated to larger dimensions, over the same memory";
    static void fields(field_list<multibroadcast_op>& f) {
        f.add("out_lens", &multibroadcast_op::out_lens, "dimensions of the result");
        f.add("out_dyn_dims", &multibroadcast_op::out_dyn_dims,
              "the same when they are not known yet");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(1).tensor().only(0, 1).rank_at_least(1);
        const auto& x = in[0];
        bool dynamic = false;
        for (const auto& s : in)
            dynamic = dynamic or s.dynamic();
        if (in.size() == 1) {
            if (not out_dyn_dims.empty())
                return make_bcast_shape(x, out_dyn_dims);
            if (out_lens.empty())
                fail_shape("out_lens, out_dyn_dims or more inputs were expected, got none");
            expect(in).static_shapes();
            if (x.ndim() > out_lens.size())
                fail_shape(
                    str("rank of at most ", out_lens.size(), " was expected, got ", x.ndim()));
            return make_bcast_shape(x, out_lens);
        }
        if (not dynamic)
            return make_bcast_shape(x, compute_common_lens(in));
        return make_bcast_shape(x,
                                out_dyn_dims.empty() ? compute_common_dyn_dims(in) : out_dyn_dims);
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<multibroadcast_op> multibroadcast_registered;

} // namespace

} // namespace migraphx
