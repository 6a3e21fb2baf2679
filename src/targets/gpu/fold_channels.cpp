// SPDX-License-Identifier: MIT
#include "targets/gpu/fold_channels.hpp"

#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"
#include "passes/channels_last.hpp"
#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"
#include "targets/gpu/lower/convolution.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace migraphx::gpu {

namespace {

constexpr std::size_t eight = 8;

// gpu::fold_channels(x {N, C, …, L}) -> {N, 8, …, length}, channels last: channel j * (8 / fold) +
// c at position l is channel c of x at l * fold + j, or 0 where x has none.
struct fold_op {
    std::size_t fold = 1, length = 0;
    shape::type_t target_type = shape::half_type;

    static constexpr auto name = "gpu::fold_channels";
    static constexpr auto summary = "Few channels of neighbours as eight channels of one position";
    static void fields(field_list<fold_op>& f) {
        f.add("fold", &fold_op::fold, "neighbours of one position: 1, 2, 4 or 8");
        f.add("length", &fold_op::length, "positions along the innermost axis");
        type_field(f, "target_type", &fold_op::target_type, "half or bf16");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().static_shapes();
        const auto& x = in[0];
        const bool known = fold == 1 or fold == 2 or fold == 4 or fold == eight;
        expect(in)
            .that(known and x.ndim() >= 3 and x.lens()[1] * fold <= eight,
                  str("an image of at most 8 channels in all neighbours was expected, got ", x))
            .that(is_short(target_type), "a result of half or bf16 was expected");
        auto lens = x.lens();
        lens[1] = eight;
        lens.back() = length;
        return shape::from_permutation(target_type, lens, channels_last_order(lens.size()));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto &s = in[0].get_shape(), &r = out.get_shape();
        const auto x = load<double>(in[0]);
        const auto channels = s.lens()[1], from = s.lens().back(), places = eight / fold;
        const auto rows = r.elements() / std::max<std::size_t>(1, r.lens()[0] * eight * length);
        std::vector<double> y(r.elements(), 0);
        for (std::size_t i = 0; i < y.size(); i++) {
            const auto at = i % length, row = i / length % rows, k = i / (length * rows) % eight,
                       image = i / (length * rows * eight);
            const auto place = at * fold + k / places, channel = k % places;
            if (channel < channels and place < from)
                y[i] = x[((image * channels + channel) * rows + row) * from + place];
        }
        store(out, y);
    }
};

const registered_op<fold_op> fold_registered;

// Along the innermost axis: `fold` neighbours are one position of the new image.
struct folding {
    int64_t fold = 1,
            shift = 0; ///< zero taps before the first, so that windows begin at a position
    int64_t kernel = 0, stride = 1, before = 0, after = 0, length = 0;
};

std::optional<folding> folding_of(const convolution_desc& d) {
    const auto axis = d.spatial() - 1;
    const auto channels = int64_t(d.x.lens()[1]);
    const auto in = int64_t(d.x.lens().back()), out = int64_t(d.y.lens().back());
    folding f;
    while (channels * f.fold * 2 <= int64_t(eight) and d.stride[axis] % (f.fold * 2) == 0 and
           d.dilation[axis] == 1)
        f.fold *= 2;
    // Mostly zeros would be multiplied.
    if (channels * f.fold * 4 <= int64_t(eight))
        return std::nullopt;
    f.shift = (f.fold - d.before[axis] % f.fold) % f.fold;
    f.kernel = (int64_t(d.w.lens().back()) + f.shift + f.fold - 1) / f.fold;
    f.stride = d.stride[axis] / f.fold;
    f.before = (d.before[axis] + f.shift) / f.fold;
    // What the last window reaches, and no more.
    const auto reach = (out - 1) * f.stride + (f.kernel - 1) * d.dilation[axis] + 1 - f.before;
    f.length = std::min((in + f.fold - 1) / f.fold, reach);
    f.after = reach - f.length;
    return f.length > 0 ? std::optional(f) : std::nullopt;
}

argument folded_weights(const argument& w, const folding& f) {
    const auto& s = w.get_shape();
    auto lens = s.lens();
    const auto channels = lens[1], taps = lens.back(), fold = std::size_t(f.fold);
    lens[1] = eight;
    lens.back() = std::size_t(f.kernel);
    const argument packed{shape{s.type(), lens}};
    const auto from = load<double>(w);
    std::vector<double> to(packed.get_shape().elements(), 0);
    const auto rows = s.elements() / (lens[0] * channels * taps); // of taps, in one channel
    for (std::size_t i = 0; i < from.size(); i++) {
        const auto tap = i % taps + std::size_t(f.shift), row = i / taps % rows,
                   channel = i / (taps * rows) % channels, output = i / (taps * rows * channels);
        const auto place = tap % fold * (eight / fold) + channel;
        to[((output * eight + place) * rows + row) * lens.back() + tap / fold] = from[i];
    }
    store(packed, to);
    return packed;
}

// None for other instructions.
std::optional<convolution_desc> described(instruction_ref ins) {
    if (ins->name() != "convolution")
        return std::nullopt;
    const auto x = ins->inputs()[0], w = ins->inputs()[1];
    const auto &s = x->get_shape(), &weights = w->get_shape();
    if (s.dynamic() or weights.dynamic() or not is_short(s.type()) or weights.type() != s.type() or
        s.ndim() < 3 or s.lens()[1] >= eight or not w->can_eval())
        return std::nullopt;
    device_problem p;
    p.op = ins->normalized_operator();
    p.inputs = {s, weights};
    p.output = ins->get_shape();
    std::string reason;
    auto d = describe_convolution(p, reason);
    return d and d->group == 1 and d->y.elements() > 0 ? d : std::nullopt;
}

} // namespace

void fold_channels::apply(module& m) const {
    for (auto ins : instructions_of(m)) {
        const auto d = described(ins);
        const auto f = d ? folding_of(*d) : std::nullopt;
        if (not f)
            continue;
        auto x = ins->inputs()[0];
        const auto type = x->get_shape().type();
        if (x->name() == "convert" and x->inputs().front()->get_shape().type() == shape::float_type)
            x = x->inputs().front();
        const auto folded = m.insert_instruction(
            ins,
            make_op("gpu::fold_channels",
                    {{"fold", f->fold}, {"length", f->length}, {"target_type", type}}),
            x);
        auto stride = d->stride, padding = d->before;
        stride.back() = f->stride;
        padding.back() = f->before;
        padding.insert(padding.end(), d->after.begin(), d->after.end());
        padding.back() = f->after;
        const auto op = make_op(
            "convolution", {{"stride", stride}, {"padding", padding}, {"dilation", d->dilation}});
        const auto weights =
            m.insert_literal(ins, literal::adopt(folded_weights(ins->inputs()[1]->eval(), *f)));
        m.replace_instruction(ins, op, {folded, weights});
    }
}

namespace {

const registered_pass fold_registered_pass{"gpu::fold_channels", [] { return fold_channels{}; }};

} // namespace

} // namespace migraphx::gpu
