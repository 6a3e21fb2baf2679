// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/strided.hpp"

#include "runtime/pointwise_nest.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace migraphx::gpu {

namespace {

// Generated kernels of these take any strides on both sides at the same cost.
bool moves(const problem& p) {
    static constexpr std::array<std::string_view, 13> names{
        "concat", "contiguous", "layout",       "pad",  "reverse", "gather",         "gathernd",
        "resize", "pooling",    "tile_dynamic", "topk", "where",   "gather_elements"};
    return std::find(names.begin(), names.end(), p.op.name()) != names.end();
}

} // namespace

bool writes_strided(const problem& p) {
    return p.output.type() != shape::tuple_type and (moves(p) or is_pointwise(p));
}

bool reads_strided(const problem& p, std::size_t) {
    return moves(p) or is_pointwise(p);
}

} // namespace migraphx::gpu
