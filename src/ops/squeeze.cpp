// SPDX-License-Identifier: MIT
// squeeze: drops dimensions of one element.
#include "ops/expect.hpp"
#include "ops/op.hpp"

#include "ir/rank_zero.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct squeeze_op {
    std::vector<int64_t> axes;

    static constexpr auto name = "squeeze";
    static constexpr auto summary = "Drops dimensions of one element; all of them without `axes`";
    static void fields(field_list<squeeze_op>& f) {
        f.axis("axes", &squeeze_op::axes, "dimensions to drop");
    }

    bool drops(std::size_t axis, bool is_one) const {
        return axes.empty()
                   ? is_one
                   : std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axes(axes);
        const auto& x = in[0];
        const auto lows = x.min_lens(), highs = x.max_lens();
        std::vector<std::size_t> kept;
        for (std::size_t i = 0; i < x.ndim(); ++i) {
            if (not drops(i, lows[i] == 1 and highs[i] == 1))
                kept.push_back(i);
            else if (lows[i] > 1 or highs[i] < 1)
                fail_shape(str("a dimension of 1 was expected for axis ", i, ", got ", highs[i]));
        }
        if (kept.empty())
            return {x.type()};
        const auto pick = [&](const auto& from) {
            std::decay_t<decltype(from)> result;
            for (auto i : kept)
                result.push_back(from[i]);
            return result;
        };
        if (not x.dynamic()) {
            const shape y{x.type(), pick(x.lens()), pick(x.strides())};
            // One element of a broadcast is no tensor without dimensions.
            return is_rank_zero(y) ? y.as_standard() : y;
        }
        if (x.symbolic())
            return {x.type(), pick(x.dyn_dims()), pick(x.dyn_strides())};
        return {x.type(), pick(x.dyn_dims())};
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<squeeze_op> squeeze_registered;

} // namespace

} // namespace migraphx
