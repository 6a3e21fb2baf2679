// SPDX-License-Identifier: MIT
// The first layer of a network: three channels are no whole vectors, so kernels gather single
// elements. With a fourth one of zeros, and two neighbours of a row as one position (whose stride
// is then half of it), an image has eight channels, and each tap is a copy of 16 bytes. That costs
// a pass over the smallest images of the network.
#include "base/str.hpp"
#include "ops/tensor.hpp"
#include "passes/channels_last.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/lower/walk.hpp"
#include "targets/gpu/tuning.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <limits>

namespace migraphx::gpu {

namespace {

constexpr std::size_t eight = 8;

// Along the innermost axis: `fold` neighbours are one position of the new image.
struct folding {
    int64_t fold = 1,
            shift = 0; ///< zero taps before the first, so that windows begin at a position
    int64_t kernel = 0, stride = 1, before = 0, after = 0, length = 0;

    int64_t places() const { return int64_t(eight) / fold; } ///< of channels, for each neighbour
};

std::optional<folding> folding_of(const convolution_desc& d) {
    const auto axis = d.spatial() - 1;
    const auto in = int64_t(d.x.lens().back()), out = int64_t(d.y.lens().back());
    folding f;
    if (d.x.lens()[1] <= eight / 2 and d.stride[axis] % 2 == 0 and d.dilation[axis] == 1)
        f.fold = 2;
    f.shift = d.before[axis] % f.fold;
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
    const auto channels = lens[1], taps = lens.back();
    lens[1] = eight;
    lens.back() = std::size_t(f.kernel);
    const shape packed{s.type(), lens};
    const auto from = load<double>(w);
    std::vector<double> to(packed.elements());
    const auto rows = s.elements() / (lens[0] * channels * taps); // of taps, in one channel
    for (std::size_t i = 0; i < from.size(); i++) {
        const auto tap = i % taps + std::size_t(f.shift), row = i / taps % rows,
                   channel = i / (taps * rows) % channels, output = i / (taps * rows * channels);
        const auto place = tap % std::size_t(f.fold) * std::size_t(f.places()) + channel;
        to[((output * eight + place) * rows + row) * lens.back() + tap / std::size_t(f.fold)] =
            from[i];
    }
    argument result{packed};
    store(result, to);
    return result;
}

struct folded_kernel : kernel {
    std::unique_ptr<kernel> fold, work;
    std::size_t image = 0; ///< bytes of the new image, in the scratch
    std::size_t inputs = 0;

    void run(const kernel_args& args) const override {
        char* const folded = args.scratch;
        fold->run({args.inputs, &folded, args.scratch + image, args.queue});
        std::vector<char*> in(args.inputs, args.inputs + inputs);
        in[0] = folded;
        work->run({in.data(), args.outputs, args.scratch + image, args.queue});
    }
    std::size_t scratch_bytes() const override { return image + work->scratch_bytes(); }
    std::string name() const override { return str(fold->name(), ", ", work->name()); }
    bool reads_input(std::size_t i) const override { return i == 0 or work->reads_input(i); }
    void add_constants(held_constants& held) const override { work->add_constants(held); }
};

std::unique_ptr<kernel> fold_kernel(const device_problem& p, const convolution_desc& d,
                                    const mgx::conv_params& params, const folding& f,
                                    const shape& image) {
    mgx::conv_fold_params q{};
    q.channels = params.channels;
    q.length = int(d.x.lens().back());
    q.pieces = unsigned(image.elements() / eight);
    q.x.image = params.x.image;
    q.x.channel = params.x.channel;
    const auto unused = mgx::conv_most_axes - d.spatial();
    for (std::size_t i = 0; i < mgx::conv_most_axes; i++) {
        const bool used = i >= unused;
        q.by_axis[i] = mgx::make_fast_div(used ? image.lens()[i - unused + 2] : 1);
        q.x.axis[i] = used ? params.x.axis[i - unused] : 0;
    }
    device_problem r = p;
    r.ins = {};
    r.op = make_op("layout", {{"permutation", channels_last_order(image.ndim())}});
    r.inputs = {d.x};
    r.constants.clear();
    r.modules.clear();
    r.output = image;
    generated g;
    g.name = "fold channels";
    g.entry = "fold";
    const auto type = device_type(d.x.type());
    g.source = entry_text("conv_fold.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, const conv_fold_params p"),
                          str("fold_channels<", f.fold, ">(x, y, p);"));
    param_block block;
    block.add(q);
    g.params = block.data();
    g.launch = launch_for(*p.on, int64_t(q.pieces));
    return make_generated(r, std::move(g));
}

} // namespace

lowered folded_convolution(const device_problem& p) {
    std::string reason;
    const auto d = describe_convolution(p, reason);
    if (not d)
        return lowered::refuse(reason);
    const auto type = d->x.type();
    if ((type != shape::half_type and type != shape::bf16_type) or d->w.type() != type or
        not multiplies_halves(*p.on))
        return lowered::refuse("no data for matrix units");
    if (d->transposed or d->group != 1 or d->x.lens()[1] >= eight or not p.is_constant(1))
        return lowered::refuse("channels enough, or in groups, or weights that are not constant");
    const auto f = folding_of(*d);
    const auto params = convolution_params(p, *d, reason);
    if (not f or not params)
        return lowered::refuse(f ? reason : "windows of the border only");
    auto lens = d->x.lens();
    lens[1] = eight;
    lens.back() = std::size_t(f->length);
    const auto image = shape::from_permutation(type, lens, channels_last_order(lens.size()));
    constexpr auto most = std::size_t(std::numeric_limits<int32_t>::max()) / 2;
    if (image.elements() / eight > most)
        return lowered::refuse("sizes beyond 31 bits");

    const auto weights = folded_weights(p.constants[1], *f);
    device_problem q = p;
    q.ins = {};
    q.variant = 0;
    q.inputs[0] = image;
    q.inputs[1] = weights.get_shape();
    q.constants[0] = {};
    q.constants[1] = weights;
    auto fields = p.op.to_value();
    auto stride = d->stride, padding = d->before;
    stride.back() = f->stride;
    padding.back() = f->before;
    padding.insert(padding.end(), d->after.begin(), d->after.end());
    padding.back() = f->after;
    fields["stride"] = stride;
    fields["padding"] = padding;
    fields["padding_mode"] = 0;
    q.op = make_op(p.op.name(), fields);

    auto work =
        p.on->properties().kind == platform::host
            ? implicit_gemm_convolution(q)
            : fastest(q, {{"library", library_convolution}, {"tiles", implicit_gemm_convolution}});
    if (not work)
        return work;
    auto k = std::make_unique<folded_kernel>();
    k->fold = fold_kernel(p, *d, *params, *f, image);
    k->work = std::move(work.k);
    k->image = (image.bytes() + 255) / 256 * 256;
    k->inputs = p.inputs.size();
    return k;
}

} // namespace migraphx::gpu
