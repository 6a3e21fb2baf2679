// SPDX-License-Identifier: MIT
// layer_norm, rms_norm and lrn.
#include "targets/cpu/kernels/dispatch/run_norm.hpp"
#include "targets/cpu/kernels/dispatch/run_select.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <migraphx/common_shape.hpp>

namespace migraphx::cpu {

namespace {

// Scale or bias: one value for each element of a row, contiguous, copied to scratch memory when it
// is not.
struct row_operand {
    std::size_t index = 0, offset = 0;
    bool direct = true;
    strided_copy copy;

    const char* get(const kernel_args& args) const {
        if (direct)
            return args.inputs[index];
        copy.run(args.inputs[index], args.scratch + offset);
        return args.scratch + offset;
    }
};

std::optional<row_operand> row_operand_of(const problem& p, std::size_t i, std::size_t axis,
                                          scratch_layout& scratch) {
    const auto s = make_bcast_shape(p.inputs[i], p.inputs[0].lens());
    for (std::size_t d = 0; d < axis; d++)
        if (s.lens()[d] != 1 and s.strides()[d] != 0)
            return std::nullopt;
    row_operand r;
    r.index = i;
    const sizes lens(s.lens().begin() + std::ptrdiff_t(axis), s.lens().end());
    const auto all = strides_of(s);
    const sizes strides(all.begin() + std::ptrdiff_t(axis), all.end());
    const auto n = elements_between(s, axis, s.ndim());
    const auto step = merged_stride(s, axis, s.ndim());
    r.direct = n == 1 or (step and *step == 1);
    if (r.direct)
        return r;
    const auto c = strided_copy::make(s.type_size(), lens, strides, row_major_strides(lens));
    if (not c)
        return std::nullopt;
    r.copy = *c;
    r.offset = scratch.take(std::size_t(n) * s.type_size());
    return r;
}

// Rows of a tensor: their distance when rows and the elements in them each count as one axis.
std::optional<int64_t> row_step(const shape& s, std::size_t axis) {
    const auto inside = merged_stride(s, axis, s.ndim());
    const auto n = elements_between(s, axis, s.ndim());
    const auto step = merged_stride(s, 0, axis);
    if (not inside or not step or (n != 1 and *inside != 1))
        return std::nullopt;
    return step;
}

lowered norm(const problem& p) {
    const auto& x = p.inputs[0];
    const auto axis = p.op.get<std::size_t>("axis");
    const auto type = element_of(x.type());
    if (not type or
        (*type != elem_type::f32 and *type != elem_type::f16 and *type != elem_type::bf16))
        return lowered::refuse("type " + x.type_string());
    if (p.output.broadcasted() and p.output.elements() > 1)
        return lowered::refuse("a broadcast result");
    norm_params q{};
    q.type = *type;
    q.param_type = *type;
    q.rms = p.op.name() == "rms_norm";
    q.epsilon = p.op.get<float>("epsilon");
    q.n = elements_between(x, axis, x.ndim());
    scratch_layout scratch;
    std::optional<row_operand> operands[2];
    for (std::size_t i = 1; i <= 2; i++) {
        if (is_absent(p.inputs, i))
            continue;
        const auto given = element_of(p.inputs[i].type());
        if (not given or (*given != *type and *given != elem_type::f32) or
            (i == 2 and operands[0] and *given != q.param_type))
            return lowered::refuse("scale or bias of type " + p.inputs[i].type_string());
        q.param_type = *given;
        operands[i - 1] = row_operand_of(p, i, axis, scratch);
        if (not operands[i - 1])
            return lowered::refuse("scale or bias that changes from row to row");
    }
    std::optional<dense_input> in;
    std::optional<dense_output> out;
    auto x_row = row_step(x, axis), y_row = row_step(p.output, axis);
    if (not x_row) {
        in = dense_input::make(p, 0, scratch);
        x_row = q.n;
    }
    if (not y_row) {
        out = dense_output::make(p.output, 0, scratch);
        y_row = q.n;
        if (not out)
            return lowered::refuse("more than 8 axes");
    }
    q.x_row = *x_row;
    q.y_row = *y_row;
    const auto rows = elements_between(x, 0, axis);
    auto k = make_kernel(p.op.name() + "_rows", scratch.bytes(),
                         [=, scale = operands[0], bias = operands[1]](const kernel_args& args) {
                             auto r = q;
                             r.x = in ? in->get(args) : args.inputs[0];
                             r.y = out ? out->begin(args) : args.outputs[0];
                             r.gamma = scale ? scale->get(args) : nullptr;
                             r.beta = bias ? bias->get(args) : nullptr;
                             if (r.n > 0)
                                 run_norm_rows(r, rows);
                             if (out)
                                 out->end(args);
                         });
    k->over = {x == p.output};
    return k;
}

lowered lrn(const problem& p) {
    const auto& x = p.inputs[0];
    if (x.type() != shape::float_type)
        return lowered::refuse("type " + x.type_string());
    if (x.elements() == 0)
        return lowered::refuse("nothing to compute");
    lrn_params q{};
    q.alpha = p.op.get<float>("alpha");
    q.beta = p.op.get<float>("beta");
    q.bias = p.op.get<float>("bias");
    q.size = p.op.get<int64_t>("size");
    q.channels = int64_t(x.lens()[1]);
    q.inner = elements_between(x, 2, x.ndim());
    const auto images = int64_t(x.lens()[0]);
    auto is_pixels = [&](const shape& s) {
        const auto inner = merged_stride(s, 2, s.ndim());
        const auto image = int64_t(s.strides()[0]);
        return (q.channels == 1 or s.strides()[1] == 1) and inner and
               (q.inner == 1 or *inner == q.channels) and
               (images == 1 or image == q.inner * q.channels);
    };
    const bool last =
        is_pixels(x) and is_pixels(p.output) and q.channels + q.size <= lrn_params::max_channels;
    scratch_layout scratch;
    std::optional<dense_input> in;
    std::optional<dense_output> out;
    if (not last) {
        in = dense_input::make(p, 0, scratch);
        out = dense_output::make(p.output, 0, scratch);
        if (not in or not out)
            return lowered::refuse("more than 8 axes");
    }
    return make_kernel(
        last ? "lrn_pixels" : "lrn_planes", scratch.bytes(), [=](const kernel_args& args) {
            auto r = q;
            r.x = reinterpret_cast<const float*>(in ? in->get(args) : args.inputs[0]);
            r.y = reinterpret_cast<float*>(out ? out->begin(args) : args.outputs[0]);
            run_lrn(r, images, last);
            if (out)
                out->end(args);
        });
}

const implementations norm_choices{{"layer_norm", "rms_norm"}, {{"norm_rows", norm}}};
const implementations lrn_choices{{"lrn"}, {{"lrn", lrn}}};

} // namespace

} // namespace migraphx::cpu
