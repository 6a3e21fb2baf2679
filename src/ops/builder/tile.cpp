// SPDX-License-Identifier: MIT
// tile(x; repeats): a dimension of 1 before each repeated one, stretched, then merged.
#include "ops/builder/site.hpp"

namespace migraphx::op::builder {

namespace {

instructions build_tile(site& s) {
    s.expect_operands(1, 1);
    auto x = s.operand(0);
    const auto repeats = s.option<std::vector<int64_t>>("repeats", {});
    const auto& in = x->get_shape();
    if (in.dynamic())
        s.malformed(str("a static shape was expected, got ", in));
    if (repeats.size() != in.ndim())
        s.malformed(str(in.ndim(), " repeats were expected, got ", repeats.size()));
    std::vector<int64_t> axes;
    std::vector<std::size_t> split, merged;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
        if (repeats[i] < 0)
            s.malformed(str("repeats of 0 or more were expected, got ", repeats[i]));
        const auto n = static_cast<std::size_t>(repeats[i]);
        std::size_t len = 0;
        if (__builtin_mul_overflow(n, in.lens()[i], &len))
            s.malformed(str("repeats that fit the address space were expected, got ", n));
        merged.push_back(len);
        if (n != 1) {
            axes.push_back(static_cast<int64_t>(split.size()));
            split.push_back(n);
        }
        split.push_back(in.lens()[i]);
    }
    if (axes.empty())
        return {x};
    // The one element of a scalar has no dimension to keep.
    if (in.scalar() and in.ndim() == 1 and in.lens()[0] == 1)
        split.pop_back();
    else
        x = s.add(make_op("unsqueeze", {{"axes", axes}}), {x});
    x = s.add(make_op("multibroadcast", {{"out_lens", split}}), {x});
    return {s.add(make_op("reshape", {{"dims", merged}}), {x})};
}

const recipes tile_recipes{{"tile", build_tile, {"repeats"}}};

} // namespace

} // namespace migraphx::op::builder
