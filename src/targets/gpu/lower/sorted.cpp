// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/sorted.hpp"

#include <migraphx/make_op.hpp>

#include "base/rounding.hpp"
#include "runtime/implementation_table.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

void sorting_kernel::run(const kernel_args& args) const {
    char* const sorted[] = {args.scratch, args.scratch + order};
    sort->run({args.inputs + which, sorted, args.scratch + rest, args.queue});
    std::vector<char*> in{args.inputs[0], sorted[0], sorted[1]};
    for (std::size_t i = 1; i < inputs; i++)
        if (i != which)
            in.push_back(args.inputs[i]);
    work->run({in.data(), args.outputs, args.scratch + rest, args.queue});
}

std::size_t sorting_kernel::scratch_bytes() const {
    return rest + std::max(sort->scratch_bytes(), work->scratch_bytes());
}

namespace {

shape positions_of(const shape& lines) {
    return {shape::int64_type, lines.lens()};
}

lowered sort_of(const device_problem& p, const shape& data, bool largest) {
    auto q = p;
    const auto last = int64_t(data.ndim()) - 1, count = int64_t(data.lens().back());
    q.ins = {};
    q.op = make_op("topk", {{"axis", last}, {"k", count}, {"largest", largest ? 1 : 0}});
    q.inputs = {data};
    q.constants.clear();
    q.output = shape{std::vector<shape>{data.as_standard(), positions_of(data)}};
    return first_that_takes(q, implementations_of("topk"));
}

} // namespace

sorted_lines::sorted_lines(const device_problem& problem, const shape& data, bool largest)
    : p(problem), lines(data.as_standard()), sort(sort_of(problem, data, largest)) {}

device_problem sorted_lines::after(shape first, std::vector<shape> others) const {
    auto q = p;
    q.ins = {};
    q.inputs = {std::move(first), lines, positions_of(lines)};
    q.inputs.insert(q.inputs.end(), others.begin(), others.end());
    q.constants.clear();
    return q;
}

std::unique_ptr<sorting_kernel> sorted_lines::then(std::unique_ptr<kernel> work,
                                                   std::size_t which) {
    auto k = std::make_unique<sorting_kernel>();
    k->sort = std::move(sort.k);
    k->work = std::move(work);
    k->which = which;
    k->inputs = p.inputs.size();
    k->order = round_up(lines.bytes(), std::size_t{256});
    k->rest = k->order + round_up(positions_of(lines).bytes(), std::size_t{256});
    return k;
}

} // namespace migraphx::gpu
