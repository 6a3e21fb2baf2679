// SPDX-License-Identifier: MIT
#include "ops/convolve.hpp"

#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

using conv_dim = shape::dynamic_dimension;

std::size_t conv_product(const std::vector<std::size_t>& lens, std::size_t from) {
    std::size_t n = 1;
    for (std::size_t i = from; i < lens.size(); ++i)
        n *= lens[i];
    return n;
}

std::vector<window> conv_windows(const std::vector<std::size_t>& kernel,
                                 const op::convolution& attributes) {
    return make_windows(kernel, attributes.padding, attributes.stride, attributes.dilation,
                        attributes.padding_mode, "kernel");
}

// For taps x positions [first, first + count): the offset in the spatial data, -1 in the padding.
class tap_offsets {
public:
    tap_offsets(const std::vector<window>& w, const std::vector<std::size_t>& data_lens,
                const std::vector<std::size_t>& out_lens)
        : windows(w), data(data_lens), out(out_lens) {
        for (const auto& x : windows)
            kernel.push_back(x.kernel);
    }
    std::vector<int64_t> of(std::size_t first, std::size_t count) const {
        const auto rank = windows.size();
        std::vector<int64_t> starts(rank * count);
        for (std::size_t p = 0; p < count; ++p) {
            auto rest = first + p;
            for (std::size_t d = rank; d-- > 0; rest /= out[d])
                starts[p * rank + d] = static_cast<int64_t>(rest % out[d] * windows[d].stride) -
                                       static_cast<int64_t>(windows[d].padding(data[d]).first);
        }
        std::vector<int64_t> result;
        std::vector<std::size_t> tap(rank, 0);
        do {
            for (std::size_t p = 0; p < count; ++p) {
                int64_t offset = 0;
                for (std::size_t d = 0; d < rank and offset >= 0; ++d) {
                    const auto at =
                        starts[p * rank + d] + static_cast<int64_t>(tap[d] * windows[d].dilation);
                    const auto length = static_cast<int64_t>(data[d]);
                    offset = at < 0 or at >= length ? -1 : offset * length + at;
                }
                result.push_back(offset);
            }
        } while (next_index(tap, kernel));
        return result;
    }

private:
    std::vector<window> windows;
    std::vector<std::size_t> data, out, kernel;
};

} // namespace

std::size_t convolution_groups(const op::convolution& attributes) {
    if (attributes.group < 1)
        fail_shape(str("a group of at least 1 was expected, got ", attributes.group));
    return static_cast<std::size_t>(attributes.group);
}

shape convolution_shape(const shape& x, const shape& w, const op::convolution& attributes,
                        shape::type_t t) {
    const std::vector<shape> in{x, w};
    expect(in).same_rank().rank_at_least(3);
    const auto group = convolution_groups(attributes);
    const auto aligned = align_kinds(in);
    const auto data = dims_of(aligned[0]), weights = dims_of(aligned[1]);
    if (data[1].is_fixed() and weights[1].is_fixed()) {
        const auto channels = data[1].get_interval().min, of_w = weights[1].get_interval().min;
        if (channels % group != 0 or channels / group != of_w)
            fail_shape(
                str("input channels equal to weight channels times group were expected, got ",
                    channels, " and ", of_w, " times ", group));
    }
    if (weights[0].is_fixed() and weights[0].get_interval().min % group != 0)
        fail_shape(str("output channels divisible by the group were expected, got ",
                       weights[0].get_interval().min, " and ", group));
    std::vector<std::size_t> kernel;
    for (std::size_t i = 2; i < weights.size(); ++i)
        kernel.push_back(weights[i].get_interval().max);
    const auto windows = conv_windows(kernel, attributes);
    std::vector<conv_dim> dims{data[0], weights[0]};
    for (std::size_t i = 0; i < windows.size(); ++i)
        dims.push_back(windows[i].positions(data[i + 2], weights[i + 2]));
    return shape_in_order_of(aligned[0], t, dims);
}

void convolve(const argument& out, const std::vector<std::size_t>& x_lens,
              const matrix_loader<double>& x, const std::vector<std::size_t>& w_lens,
              const matrix_loader<double>& w, const op::convolution& attributes) {
    constexpr std::size_t tile = 128;
    const auto& out_lens = out.get_shape().lens();
    if (out.get_shape().elements() == 0)
        return;
    const auto group = convolution_groups(attributes);
    const auto channels = w_lens[1], outputs = w_lens[0] / group;
    const auto taps = conv_product(w_lens, 2), positions = conv_product(out_lens, 2);
    const auto data_size = conv_product(x_lens, 2);
    const auto windows = conv_windows({w_lens.begin() + 2, w_lens.end()}, attributes);
    const tap_offsets offsets_of(windows, {x_lens.begin() + 2, x_lens.end()},
                                 {out_lens.begin() + 2, out_lens.end()});

    std::vector<double> weights(w_lens[0] * channels * taps);
    w(0, weights.size(), weights.data());
    std::vector<double> image(x_lens[1] * data_size);
    const auto tiles = (positions + tile - 1) / tile;
    const auto channels_at_once = std::max<std::size_t>(1, 256 / taps);

    for (std::size_t n = 0; n < x_lens[0]; ++n) {
        x(n * image.size(), image.size(), image.data());
        const auto one = [&](std::size_t g, std::size_t first, std::size_t count) {
            const auto offsets = offsets_of.of(first, count);
            std::vector<double> acc(outputs * count), columns;
            for (std::size_t c0 = 0; c0 < channels; c0 += channels_at_once) {
                const auto cs = std::min(channels_at_once, channels - c0);
                columns.resize(cs * taps * count);
                for (std::size_t c = 0; c < cs; ++c) {
                    const double* data = image.data() + (g * channels + c0 + c) * data_size;
                    double* to = columns.data() + c * taps * count;
                    for (std::size_t i = 0; i < taps * count; ++i)
                        to[i] = offsets[i] < 0 ? 0 : data[offsets[i]];
                }
                multiply_add(acc.data(), count,
                             weights.data() + (g * outputs * channels + c0) * taps, channels * taps,
                             columns.data(), count, outputs, count, cs * taps);
            }
            for (std::size_t o = 0; o < outputs; ++o)
                store(out, (n * w_lens[0] + g * outputs + o) * positions + first, count,
                      acc.data() + o * count);
        };
        parallel_for(static_cast<int64_t>(group * tiles), 1, [&](int64_t begin, int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                const auto first = i % tiles * tile;
                one(i / tiles, first, std::min(tile, positions - first));
            }
        });
    }
}

} // namespace migraphx
