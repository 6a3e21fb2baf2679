// SPDX-License-Identifier: MIT
// gather, gathernd, scatter, scatternd, onehot. Constant indices that form few runs become strided
// copies.
#include "targets/cpu/kernels/dispatch/run_gather.hpp"
#include "targets/cpu/lower/axis_runs.hpp"
#include "targets/cpu/lowering.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "ops/indices.hpp"
#include "ops/shape_input.hpp"

#include <cstring>

namespace migraphx::cpu {

namespace {

// A packed list of int32 or int64, from an input of any strides.
struct index_input {
    dense_input data;
    elem_type type = elem_type::i64;
    int64_t count = 0;

    index_list get(const kernel_args& args) const { return {data.get(args), type, count}; }
};

std::optional<index_input> index_operand(const problem& p, std::size_t i, scratch_layout& scratch) {
    const auto type = element_of(p.inputs[i].type());
    if (not type or (*type != elem_type::i32 and *type != elem_type::i64))
        return std::nullopt;
    const auto data = dense_input::make(p, i, scratch);
    if (not data)
        return std::nullopt;
    return index_input{*data, *type, int64_t(p.inputs[i].elements())};
}

[[noreturn]] void fail_index(const char* op, const index_list& list, int64_t at) {
    const auto value = list.type == elem_type::i32
                           ? int64_t(static_cast<const int32_t*>(list.data)[at])
                           : static_cast<const int64_t*>(list.data)[at];
    fail(error_kind::invalid_argument,
         str(op, ": an index inside of the data was expected, got ", value));
}

std::vector<int64_t> constant_positions(const argument& indices, std::size_t len) {
    std::vector<int64_t> result;
    for (auto i : read_integers(indices))
        result.push_back(int64_t(position_of(i, len)));
    return result;
}

// ---- gather

// Strides of the output when the dimensions of the indices count as one axis.
std::optional<sizes> with_merged_indices(const shape& out, std::size_t axis, std::size_t index_rank,
                                         const shape& data) {
    if (is_dense(out)) {
        auto lens = lens_of(data);
        lens[axis] = 1;
        for (std::size_t i = 0; i < index_rank; i++)
            lens[axis] *= int64_t(out.lens()[axis + i]);
        return row_major_strides(lens);
    }
    return std::nullopt;
}

std::size_t index_rank_of(const problem& p) {
    return p.output.ndim() + 1 - p.inputs[0].ndim();
}

lowered gather_runs(const problem& p) {
    if (not p.is_constant(1))
        return lowered::refuse("indices that are not constant");
    const auto& data = p.inputs[0];
    const auto axis = p.op.get<std::size_t>("axis");
    if (p.output.elements() == 0 or p.inputs[1].elements() > 4096)
        return lowered::refuse("no elements, or many indices");
    // A result without dimensions is one element.
    const auto strides =
        p.output.elements() == 1
            ? sizes(data.ndim(), 0)
            : with_merged_indices(p.output, axis, index_rank_of(p), data).value_or(sizes{});
    if (strides.empty())
        return lowered::refuse("a result that is not row-major");
    std::vector<axis_runs> axes;
    for (auto n : lens_of(data))
        axes.push_back(same_run(n));
    axes[axis] = runs_of(constant_positions(p.constants[1], data.lens()[axis]));
    return copy_by_runs(data, strides, axes, "gather (copy)", {}, 8);
}

struct gather_kernel : kernel {
    gather_params params{};
    int64_t outer = 0;
    std::optional<dense_input> data;
    index_input indices;
    std::size_t scratch = 0;

    void run(const kernel_args& args) const override {
        auto q = params;
        q.x = data ? data->get(args) : args.inputs[0];
        q.y = args.outputs[0];
        q.idx = indices.get(args);
        if (const auto bad = run_gather(q, outer); bad >= 0)
            fail_index("gather", q.idx, bad);
    }
    std::string name() const override {
        return data and not data->direct ? "gather (dense copy)" : "gather";
    }
    std::size_t scratch_bytes() const override { return scratch; }
};

lowered gather(const problem& p) {
    const auto& x = p.inputs[0];
    const auto axis = p.op.get<std::size_t>("axis");
    if (not is_dense(p.output))
        return lowered::refuse("a result that is not row-major");
    const auto elem = x.type_size();
    if (elem != 1 and elem != 2 and elem != 4 and elem != 8)
        return lowered::refuse(str("elements of ", elem, " bytes"));
    scratch_layout scratch;
    auto k = std::make_unique<gather_kernel>();
    const auto indices = index_operand(p, 1, scratch);
    if (not indices)
        return lowered::refuse("indices of type " + p.inputs[1].type_string());
    k->indices = *indices;
    auto& q = k->params;
    q.elem = int32_t(elem);
    q.axis_len = int64_t(x.lens()[axis]);
    k->outer = elements_between(x, 0, axis);
    q.run = elements_between(x, axis + 1, x.ndim());
    const auto o = merged_stride(x, 0, axis);
    const auto in = merged_stride(x, axis + 1, x.ndim());
    if (o and in and (*in == 1 or q.run == 1)) {
        q.x_outer = *o;
        q.x_axis = int64_t(x.strides()[axis]);
    } else {
        k->data = dense_input::make(p, 0, scratch);
        if (not k->data)
            return lowered::refuse("more than 8 axes");
        q.x_axis = q.run;
        q.x_outer = q.run * q.axis_len;
    }
    k->scratch = scratch.bytes();
    return k;
}

// ---- gathernd

lowered gathernd(const problem& p) {
    const auto& x = p.inputs[0];
    const auto batch = p.op.get<std::size_t>("batch_dims");
    const auto type = element_of(x.type());
    if (not type)
        return lowered::refuse("type " + x.type_string());
    scratch_layout scratch;
    const auto indices = index_operand(p, 1, scratch);
    const auto data = dense_input::make(p, 0, scratch);
    const auto out = dense_output::make(p.output, 0, scratch);
    if (not indices or not data or not out)
        return lowered::refuse("indices of type " + p.inputs[1].type_string() +
                               ", or more than 8 axes");
    const auto depth = p.inputs[1].lens().back();
    if (depth > std::size_t(index_tuple_params::max_rank))
        return lowered::refuse("tuples of more than 8 indices");
    index_tuple_params q{};
    q.type = *type;
    q.depth = int32_t(depth);
    q.batches = elements_between(x, 0, batch);
    q.tuples = q.batches == 0 ? 0 : indices->count / int64_t(depth) / q.batches;
    q.batch_step = elements_between(x, batch, x.ndim());
    q.run = elements_between(x, batch + depth, x.ndim());
    for (std::size_t d = 0; d < depth; d++) {
        q.lens[d] = int64_t(x.lens()[batch + d]);
        q.steps[d] = elements_between(x, batch + d + 1, x.ndim());
    }
    return make_kernel("gathernd", scratch.bytes(),
                       [q, indices = *indices, data = *data, out = *out](const kernel_args& args) {
                           auto r = q;
                           r.tensor = const_cast<char*>(data.get(args));
                           r.packed = out.begin(args);
                           r.idx = indices.get(args);
                           if (const auto bad = run_gather_tuples(r); bad >= 0)
                               fail_index("gathernd", r.idx, bad);
                           out.end(args);
                       });
}

// ---- scatter

// What the kernels compute for elements of this type; nothing where they differ from the operator:
// their floating-point extremes do not carry NaN.
std::optional<scatter_op> scatter_kind(const std::string& name, elem_type type) {
    const auto kind = name.substr(name.find('_') + 1);
    const bool is_bool = type == elem_type::boolean;
    if (kind == "none")
        return scatter_op::none;
    if (kind == "add")
        return is_bool ? scatter_op::max : scatter_op::add;
    if (kind == "mul")
        return is_bool ? scatter_op::min : scatter_op::mul;
    if (is_floating(type))
        return std::nullopt;
    if (kind == "min")
        return scatter_op::min;
    if (kind == "max")
        return scatter_op::max;
    return std::nullopt;
}

// Both scatters: the data are copied, or kept where the result may lie over them, then updated.
template <class Params>
lowered scattered(const problem& p, const Params& params, scatter_op op,
                  int64_t (*update)(const Params&, scatter_op, const kernel_table&)) {
    scratch_layout scratch;
    const auto data = strided_copy::make(p.inputs[0], p.output);
    const auto indices = index_operand(p, 1, scratch);
    const auto updates = dense_input::make(p, 2, scratch);
    if (not data or not indices or not updates)
        return lowered::refuse("indices of type " + p.inputs[1].type_string() +
                               ", or more than 8 axes");
    const auto name = p.op.name();
    auto k = make_kernel(
        name, scratch.bytes(),
        [=, data = *data, indices = *indices, updates = *updates](const kernel_args& args) {
            auto q = params;
            q.idx = indices.get(args);
            q.packed = const_cast<char*>(updates.get(args));
            q.tensor = args.outputs[0];
            if (args.inputs[0] != args.outputs[0])
                data.run(args.inputs[0], args.outputs[0]);
            if (const auto bad = update(q, op, kernels()); bad >= 0)
                fail_index(name.c_str(), q.idx, bad);
        });
    const auto& in = p.ins->inputs();
    k->over = {p.inputs[0] == p.output and in[0] != in[1] and in[0] != in[2]};
    return k;
}

lowered scatter(const problem& p) {
    const auto type = element_of(p.inputs[0].type());
    const auto kind = type ? scatter_kind(p.op.name(), *type) : std::nullopt;
    if (not kind)
        return lowered::refuse("this reduction of type " + p.inputs[0].type_string());
    const auto& out = p.output;
    const auto& from = p.inputs[1];
    const auto axis = p.op.get<std::size_t>("axis");
    if (out.ndim() > std::size_t(index_walk_params::max_rank) or out.ndim() == 0)
        return lowered::refuse("more than 8 axes");
    for (std::size_t d = 0; d < out.ndim(); d++)
        if (d != axis and from.lens()[d] > out.lens()[d])
            return lowered::refuse("indices outside of the data");
    index_walk_params q{};
    q.type = *type;
    q.rank = int32_t(out.ndim());
    q.axis = int32_t(axis);
    q.axis_len = int64_t(out.lens()[axis]);
    for (std::size_t d = 0; d < out.ndim(); d++) {
        q.lens[d] = int64_t(from.lens()[d]);
        q.steps[d] = int64_t(out.strides()[d]);
    }
    q.skip_outside = p.op.get<bool>("skip_out_of_bounds");
    return scattered(p, q, *kind, run_scatter_elements);
}

lowered scatternd(const problem& p) {
    const auto& x = p.inputs[0];
    const auto type = element_of(x.type());
    const auto kind = type ? scatter_kind(p.op.name(), *type) : std::nullopt;
    if (not kind)
        return lowered::refuse("this reduction of type " + x.type_string());
    const auto depth = p.inputs[1].lens().back();
    if (not is_dense(p.output))
        return lowered::refuse("a result that is not row-major");
    if (depth > std::size_t(index_tuple_params::max_rank))
        return lowered::refuse("tuples of more than 8 indices");
    index_tuple_params q{};
    q.type = *type;
    q.depth = int32_t(depth);
    q.batches = 1;
    q.tuples = int64_t(p.inputs[1].elements() / depth);
    q.run = elements_between(x, depth, x.ndim());
    if (q.tuples * q.run != int64_t(p.inputs[2].elements()))
        return lowered::refuse("another number of updates");
    for (std::size_t d = 0; d < depth; d++) {
        q.lens[d] = int64_t(x.lens()[d]);
        q.steps[d] = elements_between(x, d + 1, x.ndim());
    }
    return scattered(p, q, *kind, run_scatter_tuples);
}

// ---- onehot

lowered onehot(const problem& p) {
    const auto& out = p.output;
    const auto axis = p.op.get<std::size_t>("axis");
    const auto elem = out.type_size();
    scratch_layout scratch;
    const auto indices = index_operand(p, 0, scratch);
    const auto values = dense_input::make(p, p.inputs.size() - 1, scratch);
    const auto fill = strided_copy::make(elem, lens_of(out), sizes(out.ndim(), 0), strides_of(out));
    if (not is_dense(out) or not indices or not values or not fill)
        return lowered::refuse("indices of type " + p.inputs[0].type_string() +
                               ", or a result that is not row-major");
    const auto inner = elements_between(out, axis + 1, out.ndim());
    const auto depth = out.lens()[axis];
    return make_kernel(
        "onehot", scratch.bytes(),
        [=, indices = *indices, values = *values, fill = *fill](const kernel_args& args) {
            const char* pair = values.get(args);
            fill.run(pair, args.outputs[0]);
            const auto list = indices.get(args);
            parallel_for(list.count, 16 * 1024, [&](int64_t begin, int64_t end) {
                for (auto i = begin; i < end; i++) {
                    const auto index = list.type == elem_type::i32
                                           ? int64_t(static_cast<const int32_t*>(list.data)[i])
                                           : static_cast<const int64_t*>(list.data)[i];
                    std::size_t at = 0;
                    if (find_position(index, depth, at))
                        std::memcpy(
                            args.outputs[0] +
                                ((i / inner * int64_t(depth) + int64_t(at)) * inner + i % inner) *
                                    int64_t(elem),
                            pair + elem, elem);
                }
            });
        });
}

const implementations gather_choices{{"gather"},
                                     {{"gather (copy)", gather_runs}, {"gather", gather}}};
const implementations gathernd_choices{{"gathernd"}, {{"gathernd", gathernd}}};
const implementations scatter_choices{
    {"scatter_none", "scatter_add", "scatter_mul", "scatter_min", "scatter_max"},
    {{"scatter", scatter}}};
const implementations scatternd_choices{
    {"scatternd_none", "scatternd_add", "scatternd_mul", "scatternd_min", "scatternd_max"},
    {{"scatternd", scatternd}}};
const implementations onehot_choices{{"onehot"}, {{"onehot", onehot}}};

} // namespace

} // namespace migraphx::cpu
