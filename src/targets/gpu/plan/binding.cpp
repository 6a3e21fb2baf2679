// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/binding.hpp"

#include "base/rounding.hpp"
#include "ir/output_parameter.hpp"
#include "runtime/walked_shape.hpp"
#include "targets/gpu/plan/lanes.hpp"

#include <algorithm>
#include <unordered_set>

namespace migraphx::gpu {

namespace {

void append_leaves(const plan_result& r, std::size_t position, std::vector<bound_result>& out) {
    for (const auto& t : r.tuple)
        append_leaves(t, position, out);
    if (r.tuple.empty() and r.layout.type() != shape::tuple_type) {
        bound_result b;
        b.result = position;
        b.where = r.where;
        b.layout = result_shape(r);
        b.bytes = span_bytes(r.layout);
        if (r.fresh)
            b.own_base = r.where.base;
        out.push_back(b);
    }
}

} // namespace

plan_binding::plan_binding(const plan_data& p) {
    for (std::size_t i = 0; i < p.results.size(); i++) {
        first_leaf.push_back(results.size());
        append_leaves(p.results[i], i, results);
    }
    first_leaf.push_back(results.size());

    std::unordered_set<uint32_t> read, taken;
    for (const auto& s : p.steps)
        for (uint32_t i = 0; i < s.inputs + s.outputs; i++)
            read.insert(p.refs[s.first_input + i].base);
    for (auto& r : results) {
        read.insert(r.where.base);
        const auto buffer = std::find_if(p.output_buffers.begin(), p.output_buffers.end(),
                                         [&](const auto& b) { return b.base == r.own_base; });
        if (buffer == p.output_buffers.end() or r.where.offset != 0 or buffer->bytes != r.bytes or
            not taken.insert(r.where.base).second)
            r.own_base = std::nullopt;
    }

    const auto place = [](std::size_t& total, std::size_t bytes) {
        const auto at = total;
        total += round_up(bytes, device_alignment);
        return at;
    };
    for (std::size_t i = 0; i < p.param_shapes.size(); i++) {
        bound_parameter b;
        b.base = p.param_bases[i];
        b.layout = p.param_shapes[i];
        if (const auto result = output_parameter_index(p.names[i]);
            result and *result < p.results.size() and p.results[*result].tuple.empty())
            b.leaf = first_leaf[*result];
        else if (not b.layout.is_boxed() and b.layout.type() != shape::tuple_type) {
            b.read = read.contains(b.base);
            b.bytes = span_bytes(b.layout);
        }
        if (b.read)
            b.io = place(parameter_bytes, b.bytes);
        parameters.push_back(b);
    }
    io_bytes = staging_bytes = parameter_bytes;
    for (const auto& b : p.output_buffers)
        buffers.emplace_back(b.base, place(io_bytes, b.bytes));
    for (auto& r : results)
        if (r.bytes <= small_result)
            r.staging = place(staging_bytes, r.bytes);
}

} // namespace migraphx::gpu
