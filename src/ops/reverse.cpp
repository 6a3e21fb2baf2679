// SPDX-License-Identifier: MIT
// reverse: the positions of some axes in opposite order.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct reverse_op {
    std::vector<int64_t> axes;

    static constexpr auto name = "reverse";
    static constexpr auto summary = "The positions of some axes in opposite order";
    static void fields(field_list<reverse_op>& f) {
        f.axis("axes", &reverse_op::axes, "dimensions to reverse");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axes(axes);
        return keep_permutation(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        auto from = same_positions(out.get_shape().lens());
        for (std::size_t d = 0; d < from.size(); ++d)
            if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end())
                std::reverse(from[d].begin(), from[d].end());
        copy_by_axis(out, in[0], from);
    }
};

const registered_op<reverse_op> reverse_registered;

} // namespace

} // namespace migraphx
