// SPDX-License-Identifier: MIT
// Depthwise convolutions by own kernels (device_code/depthwise.cuh).
#include "base/str.hpp"
#include "codegen/device_text.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/weights.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx::gpu {

namespace {

constexpr unsigned threads_in_block = 128;
constexpr int most_taps = 49;    // unrolled
constexpr int most_columns = 24; // read for one line of a thread's positions

struct depthwise_kernel : kernel {
    std::unique_ptr<kernel> work;
    device_weight weights;

    void run(const kernel_args& args) const override { work->run(args); }
    std::size_t scratch_bytes() const override { return work->scratch_bytes(); }
    std::string name() const override { return work->name(); }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override { weights->add_to(held); }
};

// Channels that one thread takes: what 16 bytes hold, if images and channels come in such runs.
int run_of(const convolution_desc& d) {
    for (auto n = std::min<std::size_t>(8, 16 / d.x.type_size()); n > 1; n /= 2) {
        bool whole = d.x.lens()[1] % n == 0 and d.x.strides()[0] % n == 0;
        for (std::size_t i = 2; i < d.x.ndim(); i++)
            whole = whole and d.x.strides()[i] % n == 0;
        if (whole)
            return int(n);
    }
    return 1;
}

std::size_t div_up(std::size_t x, std::size_t y) {
    return (x + y - 1) / y;
}

// Weights as [tap][channel].
void pack(const argument& w, char* to) {
    const auto& s = w.get_shape();
    const auto size = s.type_size();
    const auto taps = s.elements() / s.lens()[0];
    for (std::size_t t = 0; t < taps; t++) {
        std::size_t from = 0, rest = t;
        for (auto i = s.ndim(); i-- > 2;) {
            from += rest % s.lens()[i] * s.strides()[i];
            rest /= s.lens()[i];
        }
        for (std::size_t c = 0; c < s.lens()[0]; c++, to += size)
            std::memcpy(to, w.data() + (from + c * s.strides()[0]) * size, size);
    }
}

} // namespace

lowered depthwise_convolution(const device_problem& p) {
    std::string reason;
    const auto d = describe_convolution(p, reason);
    if (not d)
        return lowered::refuse(reason);
    if (not is_depthwise(*d))
        return lowered::refuse("not one channel in each group");
    const auto spatial = d->spatial();
    if (spatial > 2)
        return lowered::refuse("three spatial axes");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    if (d->x.strides()[1] != 1 or not is_channels_last(d->y))
        return lowered::refuse("channels that are not neighbours");
    auto params = convolution_params(p, *d, reason);
    if (not params)
        return lowered::refuse(reason);
    const auto& across = params->axis[spatial - 1];
    const int lines = spatial == 2 ? params->axis[0].kernel : 1;
    if (lines * across.kernel > most_taps or (across.kernel - 1) * across.dilation >= most_columns)
        return lowered::refuse("a window that is not unrolled");
    const auto epilogue = convolution_epilogue(p, *d, reason);
    if (not epilogue)
        return lowered::refuse(reason);

    int run = run_of(*d);
    auto runs = std::size_t(params->groups / run);
    const auto all_lines = params->positions / std::size_t(across.out);
    const auto threads_with = [&](int width) {
        return all_lines * div_up(std::size_t(across.out), std::size_t(width)) * runs;
    };
    // Wide enough to share what windows overlap, as long as there is work for every multiprocessor;
    // few channels a thread where there is not.
    const auto enough = 256 * std::size_t(p.on->properties().multiprocessors);
    int width = p.variant > 0 ? 1 << (p.variant - 1) : 4;
    while (width > 1 and
           ((p.variant == 0 and threads_with(width) < enough) or
            (width - 1) * across.stride + (across.kernel - 1) * across.dilation >= most_columns))
        width /= 2;
    if (p.variant == 0 and run == 8 and threads_with(width) < enough) {
        run = 4;
        runs *= 2;
    }
    if (threads_with(width) >= std::size_t{1} << 31)
        return lowered::refuse("sizes beyond 31 bits");

    mgx::depthwise_params block_params{};
    auto result = std::make_unique<depthwise_kernel>();
    result->weights = device_constant(*p.on, p.constants[1], "depthwise taps, channels",
                                      d->w.elements() * d->w.type_size(),
                                      [&](char* to) { pack(p.constants[1], to); });
    params->weights = result->weights->data.get();
    block_params.conv = *params;
    block_params.by_runs = mgx::make_fast_div(runs);
    block_params.by_tiles = mgx::make_fast_div(div_up(std::size_t(across.out), std::size_t(width)));
    block_params.threads = unsigned(threads_with(width));

    const auto type = codegen::stored_type(d->x.type()), out = codegen::stored_type(d->y.type());
    auto text =
        str(convolution_head(p, "depthwise.cuh"), epilogue->definitions, "MGX_KERNEL_BOUNDS(",
            threads_in_block, ") void depthwise(const ", type, "* x", epilogue->parameters, ", ",
            out, "* y, depthwise_params p) {\n    conv_depthwise<", type, ", ", out, ", ", spatial,
            ", ", lines, ", ", across.kernel, ", ", across.stride, ", ", across.dilation, ", ",
            width, ", ", run, ">(x, y, p, ", epilogue->value, ");\n}\n}\n");
    generated g;
    g.name = str("depthwise ", lines, "x", across.kernel, " ", width, " positions of ", run,
                 " channels");
    g.source = std::move(text);
    g.entry = "depthwise";
    g.launch = {{unsigned(div_up(block_params.threads, threads_in_block))}, {threads_in_block}, 0};
    param_block block;
    block.add(block_params);
    g.params = block.data();
    g.inputs = {0};
    g.inputs.insert(g.inputs.end(), epilogue->inputs.begin(), epilogue->inputs.end());
    result->work = make_generated(p, std::move(g));
    return result;
}

} // namespace migraphx::gpu
