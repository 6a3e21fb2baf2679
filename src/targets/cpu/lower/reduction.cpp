// SPDX-License-Identifier: MIT
// Reductions, argmax and argmin, softmax and logsoftmax, running sums: any strides.
#include "targets/cpu/kernels/dispatch/run_reduce.hpp"
#include "targets/cpu/kernels/dispatch/run_select.hpp"
#include "targets/cpu/kernels/dispatch/run_softmax.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/str.hpp"

#include <array>
#include <bit>

namespace migraphx::cpu {

namespace {

constexpr int max_axes = 8;

// Extents of a tensor of at most 8 axes, after those of one element are dropped.
struct short_axes {
    int rank = 0;
    std::array<int64_t, max_axes> lens{}, x{}, y{};
    uint32_t marked = 0; ///< the axes asked for

    int first_marked() const { return std::countr_zero(marked); }
};

std::optional<short_axes> shorten(const shape& x, const shape& y,
                                  const std::vector<std::size_t>& mark) {
    short_axes a;
    const auto in = strides_of(x), out = strides_of(y);
    for (std::size_t d = 0; d < x.ndim(); d++) {
        const bool marked = std::find(mark.begin(), mark.end(), d) != mark.end();
        if (x.lens()[d] == 1 and not marked)
            continue;
        if (a.rank == max_axes)
            return std::nullopt;
        const auto i = std::size_t(a.rank++);
        a.lens[i] = int64_t(x.lens()[d]);
        a.x[i] = in[d];
        a.y[i] = out[d];
        a.marked |= marked ? 1u << i : 0u;
    }
    return a;
}

std::optional<reduce_op> reduction_of(const std::string& name) {
    if (name == "reduce_sum")
        return reduce_op::sum;
    if (name == "reduce_mean")
        return reduce_op::mean;
    if (name == "reduce_max")
        return reduce_op::max;
    if (name == "reduce_min")
        return reduce_op::min;
    if (name == "reduce_prod")
        return reduce_op::prod;
    if (name == "reduce_all")
        return reduce_op::all;
    if (name == "reduce_any")
        return reduce_op::any;
    return std::nullopt;
}

lowered reduce(const problem& p) {
    const auto op = reduction_of(p.op.name());
    const auto type = element_of(p.inputs[0].type());
    if (not op or not type or p.output.type() != p.inputs[0].type())
        return lowered::refuse("type " + p.inputs[0].type_string());
    if (p.inputs.size() != 1)
        return lowered::refuse("axes that are not attributes");
    if (p.output.broadcasted() and p.output.elements() > 1)
        return lowered::refuse("a broadcast result");
    if (p.inputs[0].elements() == 0 and (*op == reduce_op::max or *op == reduce_op::min))
        return lowered::refuse("extremes of no elements");
    const auto a = shorten(p.inputs[0], p.output, p.op.get_vector<std::size_t>("axes"));
    if (not a)
        return lowered::refuse("more than 8 axes");
    return make_kernel(p.op.name(), 0, [op = *op, type = *type, a = *a](const kernel_args& args) {
        run_reduce(op, type, a.rank, a.lens.data(), a.marked, args.inputs[0], a.x.data(),
                   args.outputs[0], a.y.data());
    });
}

lowered arg_reduce(const problem& p) {
    const auto type = element_of(p.inputs[0].type());
    if (not type or p.output.type() != shape::int64_type)
        return lowered::refuse("type " + p.inputs[0].type_string());
    if (p.inputs[0].elements() == 0)
        return lowered::refuse("nothing to search");
    const auto a = shorten(p.inputs[0], p.output, {p.op.get<std::size_t>("axis")});
    scratch_layout scratch;
    const auto out = dense_output::make(p.output, 0, scratch);
    if (not a or not out)
        return lowered::refuse("more than 8 axes");
    const int axis = a->first_marked();
    const bool largest = p.op.name() == "argmax", last = p.op.get<bool>("select_last_index");
    return make_kernel(
        p.op.name(), scratch.bytes(),
        [type = *type, a = *a, out = *out, axis, largest, last](const kernel_args& args) {
            run_arg(largest, last, type, a.rank, a.lens.data(), axis, args.inputs[0], a.x.data(),
                    reinterpret_cast<int64_t*>(out.begin(args)));
            out.end(args);
        });
}

lowered softmax(const problem& p) {
    const auto& x = p.inputs[0];
    const auto type = element_of(x.type());
    if (not type or
        (*type != elem_type::f32 and *type != elem_type::f16 and *type != elem_type::bf16))
        return lowered::refuse("type " + x.type_string());
    if (p.output.broadcasted() and p.output.elements() > 1)
        return lowered::refuse("a broadcast result");
    const auto a = shorten(x, p.output, {p.op.get<std::size_t>("axis")});
    if (not a)
        return lowered::refuse("more than 8 axes");
    softmax_problem s;
    s.type = *type;
    s.log = p.op.name() == "logsoftmax";
    s.rank = a->rank;
    s.axis = a->first_marked();
    const bool rows = a->x[std::size_t(s.axis)] == 1 and a->y[std::size_t(s.axis)] == 1;
    auto k = make_kernel(str(p.op.name(), rows ? "_rows" : "_lines"), 0,
                         [s, a = *a](const kernel_args& args) {
                             auto q = s;
                             q.lens = a.lens.data();
                             q.x = args.inputs[0];
                             q.x_strides = a.x.data();
                             q.y = args.outputs[0];
                             q.y_strides = a.y.data();
                             run_softmax(q);
                         });
    k->over = {x == p.output};
    return k;
}

lowered prefix_scan_sum(const problem& p) {
    const auto type = element_of(p.inputs[0].type());
    if (not type)
        return lowered::refuse("type " + p.inputs[0].type_string());
    if (p.output.broadcasted() and p.output.elements() > 1)
        return lowered::refuse("a broadcast result");
    const auto a = shorten(p.inputs[0], p.output, {p.op.get<std::size_t>("axis")});
    if (not a)
        return lowered::refuse("more than 8 axes");
    const bool exclusive = p.op.get<bool>("exclusive"), reverse = p.op.get<bool>("reverse");
    auto k = make_kernel(
        "prefix_scan_sum", 0, [type = *type, a = *a, exclusive, reverse](const kernel_args& args) {
            run_scan(type, exclusive, reverse, a.rank, a.first_marked(), a.lens.data(),
                     args.inputs[0], a.x.data(), args.outputs[0], a.y.data());
        });
    k->over = {p.inputs[0] == p.output};
    return k;
}

const implementations reduce_choices{{"reduce_sum", "reduce_mean", "reduce_max", "reduce_min",
                                      "reduce_prod", "reduce_all", "reduce_any"},
                                     {{"reduce", reduce}}};
const implementations arg_choices{{"argmax", "argmin"}, {{"arg_reduce", arg_reduce}}};
const implementations softmax_choices{{"softmax", "logsoftmax"}, {{"softmax", softmax}}};
const implementations scan_choices{{"prefix_scan_sum"}, {{"prefix_scan_sum", prefix_scan_sum}}};

} // namespace

} // namespace migraphx::cpu
