// SPDX-License-Identifier: MIT
// rotary and gqa_rotary_embedding: device_code/rotary.cuh.
#include "targets/gpu/lower/copy.hpp"

#include <migraphx/common_shape.hpp>

#include "base/str.hpp"

#include <array>

namespace migraphx::gpu {

namespace {

bool is_computed(const shape& s) {
    return s.type() == shape::float_type or s.type() == shape::half_type or
           s.type() == shape::bf16_type or s.type() == shape::double_type;
}

// The box: rows of half a length of x, its tensors the output, x, cos and sin.
lowered rotary(const device_problem& p) {
    const auto& x = p.inputs[0];
    if (not is_computed(x))
        return lowered::refuse("type " + x.type_string());
    const auto half = int64_t(x.lens().back() / 2);
    sizes halves;
    box b;
    b.lens = lens_of(x);
    b.lens.back() = half;
    const auto add = [&](const shape& s, bool shared) {
        b.strides.push_back(strides_of(s));
        auto& last = b.strides.back().back();
        last = half == 1 ? 0 : int64_t(s.strides().back());
        halves.push_back(shared ? 0 : half * int64_t(s.strides().back()));
    };
    add(p.output, false);
    add(x, false);
    for (std::size_t i : {1, 2}) {
        const auto& s = p.inputs[i];
        const bool shared = int64_t(s.lens().back()) == half;
        auto lens = x.lens();
        if (shared)
            lens.back() /= 2;
        add(make_bcast_shape(s, lens), shared);
    }
    b.simplify();
    const auto wide = b.widest_access(x.type_size(), 4, halves);
    b.widen(wide, 4);
    bool large = b.is_large();
    for (auto h : halves)
        large = large or h >= int64_t{1} << 30;
    index_params params{large};
    params.add(b);
    params.add(halves);
    params.add(b.elements());
    const auto type = device_type(x.type());
    generated g;
    g.name = "rotary";
    g.entry = "rotary";
    g.source =
        entry_text("rotary.cuh", g.entry,
                   str("const ", type, "* x, const ", type, "* cos, const ", type, "* sin, ", type,
                       "* y, const rotary_params<", b.rank(), ", ", params.type(), "> p"),
                   str("turn_pairs<", wide, ">(y, x, cos, sin, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.writes_over = true;
    return one_launch(p, std::move(g));
}

// The box: all elements, its tensors the output, x, the lengths, and numbers that are an element's
// head, row and column.
lowered head_rotary(const device_problem& p) {
    const auto &x = p.inputs[0], &lengths = p.inputs[1], &cos = p.inputs[2], &sin = p.inputs[3];
    if (not is_computed(x) or not is_computed(cos))
        return lowered::refuse("type " + x.type_string());
    if (sin.type() != cos.type())
        return lowered::refuse("cos and sin of two types");
    if (index_type(lengths.type()).empty())
        return lowered::refuse("lengths of type " + lengths.type_string());
    const auto length_step = int64_t(lengths.ndim() == 0 ? 0 : lengths.strides().back());
    if (not is_dense(lengths) and lengths.ndim() != 1)
        return lowered::refuse("lengths that are not dense");
    if (cos.elements() == 0)
        return lowered::refuse("no angles");
    box b{lens_of(x),
          {strides_of(p.output),
           strides_of(x),
           {length_step, 0, 0, 0},
           {0, 1, 0, 0},
           {0, 0, 1, 0},
           {0, 0, 0, 1}}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    params.add(int64_t(p.output.strides()[3]));
    params.add(int64_t(x.strides()[3]));
    for (const auto& s : {cos, sin})
        for (std::size_t d = 0; d < 2; d++)
            params.add(int64_t(s.strides()[d]));
    params.add(length_step);
    params.add(p.op.get<int64_t>("num_heads") + p.op.get<int64_t>("kv_num_heads"));
    params.add(int64_t(x.lens()[2]));
    params.add(int64_t(cos.lens()[1]));
    params.add(int64_t(cos.lens()[0]));
    params.add(int64_t(p.op.get<bool>("interleaved")));
    params.add(b.elements());
    const auto type = device_type(x.type()), angle = device_type(cos.type());
    generated g;
    g.name = g.entry = "head_rotary";
    g.source =
        entry_text("rotary.cuh", g.entry,
                   str("const ", type, "* x, const ", index_type(lengths.type()),
                       "* lengths, const ", angle, "* cos, const ", angle, "* sin, ", type,
                       "* y, const head_rotary_params<", b.rank(), ", ", params.type(), "> p"),
                   "turn_heads(y, x, lengths, cos, sin, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

const implementations rotary_choices{{"rotary"}, {{"pairs", rotary}}};
const implementations head_rotary_choices{{"gqa_rotary_embedding"}, {{"elements", head_rotary}}};

} // namespace

} // namespace migraphx::gpu
