// SPDX-License-Identifier: MIT
// attention on the tiled kernel: q, k, v in whatever strides the projections gave them.
#include "targets/cpu/kernels/dispatch/run_attention.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/parallel.hpp"
#include "ops/shape_input.hpp"

#include <migraphx/common_shape.hpp>

#include <algorithm>
#include <cmath>

namespace migraphx::cpu {

namespace {

// Steps by batch, head, position and along the head, of the tensor or of its row-major copy.
struct attention_operand {
    std::optional<dense_input> copied;
    std::size_t index = 0;
    int64_t batch = 0, head = 0, row = 0, dim = 0;

    const float* get(const kernel_args& args) const {
        return reinterpret_cast<const float*>(copied ? copied->get(args) : args.inputs[index]);
    }
};

std::optional<attention_operand> operand_of(const problem& p, std::size_t i, bool any_dim_step,
                                            scratch_layout& scratch) {
    attention_operand o;
    o.index = i;
    const auto& s = p.inputs[i];
    auto strides = strides_of(s);
    if (s.lens()[3] != 1 and strides[3] != 1 and not any_dim_step) {
        o.copied = dense_input::make(p, i, scratch);
        if (not o.copied)
            return std::nullopt;
        strides = row_major_strides(lens_of(s));
    }
    o.batch = strides[0];
    o.head = strides[1];
    o.row = strides[2];
    o.dim = s.lens()[3] == 1 ? 1 : strides[3];
    return o;
}

// A mask whose steps the kernel takes, or a row-major copy of what is not broadcast in it.
struct attention_mask {
    bool hides = false, copies = false;
    std::size_t packed_at = 0;
    strided_copy copy;
    sizes strides;

    const char* get(const kernel_args& args) const {
        if (not copies)
            return args.inputs[3];
        copy.run(args.inputs[3], args.scratch + packed_at);
        return args.scratch + packed_at;
    }
};

std::optional<attention_mask> mask_of(const problem& p, const std::vector<std::size_t>& scores,
                                      scratch_layout& scratch) {
    const auto s = make_bcast_shape(p.inputs[3], scores);
    attention_mask m;
    m.hides = s.type() == shape::bool_type;
    m.strides = strides_of(s);
    if (m.strides[3] == 0 or m.strides[3] == 1)
        return m;
    auto lens = lens_of(s);
    for (std::size_t d = 0; d < 4; d++)
        if (m.strides[d] == 0)
            lens[d] = 1;
    const auto packed = row_major_strides(lens);
    const auto c = strided_copy::make(s.type_size(), lens, m.strides, packed);
    if (not c)
        return std::nullopt;
    m.copy = *c;
    m.copies = true;
    for (std::size_t d = 0; d < 4; d++)
        m.strides[d] = lens[d] == 1 ? 0 : packed[d];
    m.packed_at = scratch.take(std::size_t(lens[0] * lens[1] * lens[2] * lens[3]) * s.type_size());
    return m;
}

lowered attention(const problem& p) {
    const auto &q = p.inputs[0], &k = p.inputs[1], &v = p.inputs[2];
    if (q.type() != shape::float_type)
        return lowered::refuse("type " + q.type_string());
    if (p.output.elements() == 0 or k.elements() == 0)
        return lowered::refuse("nothing to compute");
    const bool masked = not is_absent(p.inputs, 3);
    if (masked and p.inputs[3].type() != shape::float_type and
        p.inputs[3].type() != shape::bool_type)
        return lowered::refuse("a mask of type " + p.inputs[3].type_string());
    const bool drains = not is_absent(p.inputs, 4);
    if (drains and (p.inputs[4].type() != shape::float_type or not p.inputs[4].standard()))
        return lowered::refuse("sinks other than packed floats");
    if (p.output.lens()[3] != 1 and p.output.strides()[3] != 1)
        return lowered::refuse("a result whose heads are not contiguous");
    scratch_layout scratch;
    const auto qs = operand_of(p, 0, false, scratch), ks = operand_of(p, 1, true, scratch),
               vs = operand_of(p, 2, false, scratch);
    std::optional<attention_mask> mask;
    if (masked)
        mask = mask_of(p, {q.lens()[0], q.lens()[1], q.lens()[2], k.lens()[2]}, scratch);
    if (not qs or not ks or not vs or (masked and not mask))
        return lowered::refuse("operands that cannot be copied");
    attention_params a{};
    const auto scale = p.op.get<float>("scale");
    a.scale = scale == 0 ? float(1 / std::sqrt(double(q.lens()[3]))) : scale;
    a.softcap = p.op.get<float>("softcap");
    a.causal = p.op.get<bool>("causal");
    a.causal_offset = int64_t(k.lens()[2]) - int64_t(q.lens()[2]);
    a.pairs = p.fast_math and adds_beside_multiplies();
    a.batches = int64_t(q.lens()[0]);
    a.heads = int64_t(q.lens()[1]);
    a.queries = int64_t(q.lens()[2]);
    a.keys = int64_t(k.lens()[2]);
    a.q_dim = int64_t(q.lens()[3]);
    a.v_dim = int64_t(v.lens()[3]);
    a.heads_per_kv = a.heads / int64_t(k.lens()[1]);
    a.q_batch = qs->batch;
    a.q_head = qs->head;
    a.q_row = qs->row;
    a.k_batch = ks->batch;
    a.k_head = ks->head;
    a.k_row = ks->row;
    a.k_dim = ks->dim;
    a.v_batch = vs->batch;
    a.v_head = vs->head;
    a.v_row = vs->row;
    const auto out = strides_of(p.output);
    a.out_batch = out[0];
    a.out_head = out[1];
    a.out_row = out[2];
    if (mask) {
        a.mask_batch = mask->strides[0];
        a.mask_head = mask->strides[1];
        a.mask_row = mask->strides[2];
        a.mask_key = mask->strides[3];
    }
    auto checked = a;
    checked.mask = mask ? reinterpret_cast<const float*>(&checked) : nullptr;
    if (const auto* why = attention_refusal(checked))
        return lowered::refuse(why);
    const auto threads = std::max<int64_t>(1, num_threads());
    a = planned_attention(a, threads);
    const auto scratch_at =
        scratch.take(std::size_t(attention_scratch(a, threads)) * sizeof(float));
    return make_kernel(
        "attention_tiles", scratch.bytes(),
        [=, qs = *qs, ks = *ks, vs = *vs](const kernel_args& args) {
            auto r = a;
            r.q = qs.get(args);
            r.k = ks.get(args);
            r.v = vs.get(args);
            if (mask and mask->hides)
                r.hides = reinterpret_cast<const uint8_t*>(mask->get(args));
            else if (mask)
                r.mask = reinterpret_cast<const float*>(mask->get(args));
            r.sink = drains ? reinterpret_cast<const float*>(args.inputs[4]) : nullptr;
            r.out = reinterpret_cast<float*>(args.outputs[0]);
            run_attention(r, reinterpret_cast<float*>(args.scratch + scratch_at), threads);
        });
}

const implementations attention_choices{{"attention"}, {{"attention_tiles", attention}}};

} // namespace

} // namespace migraphx::cpu
