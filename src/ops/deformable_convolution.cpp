// SPDX-License-Identifier: MIT
// deformable_convolution(x (N, C, spatial...), weights (O, C / group, kernel...), offset[, mask]):
// a convolution each of whose taps is moved by an offset of its own at every position, interpolated
// linearly between the neighbours (zero outside of the data) and scaled by the mask.
//   offset (N, offset_group * taps * spatial dimensions, out...), mask (N, offset_group * taps,
//   out...)
#include "ops/convolve.hpp"
#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

using sizes = std::vector<std::size_t>;

std::size_t product(const sizes& lens, std::size_t from) {
    std::size_t n = 1;
    for (auto i = from; i < lens.size(); ++i)
        n *= lens[i];
    return n;
}

// The neighbours of one point with the weight of each; at most 2 for each dimension.
struct neighbourhood {
    std::vector<std::size_t> offsets;
    std::vector<double> weights;

    // Weights are `scale` in all; neighbours outside of the data are left out.
    void find(const double* at, const sizes& lens, double scale) {
        offsets.assign(1, 0);
        weights.assign(1, scale);
        for (std::size_t d = 0; d < lens.size(); ++d) {
            const auto size = static_cast<double>(lens[d]);
            if (not(at[d] > -1 and at[d] < size)) {
                offsets.clear();
                weights.clear();
                return;
            }
            const double low = std::floor(at[d]), fraction = at[d] - low;
            const auto count = offsets.size();
            std::size_t kept = 0;
            const auto old_offsets = offsets;
            const auto old_weights = weights;
            offsets.resize(2 * count);
            weights.resize(2 * count);
            for (int side = 0; side < 2; ++side) {
                const double position = low + side, part = side == 0 ? 1 - fraction : fraction;
                if (position < 0 or position >= size or part == 0)
                    continue;
                for (std::size_t i = 0; i < count; ++i, ++kept) {
                    offsets[kept] = old_offsets[i] * lens[d] + static_cast<std::size_t>(position);
                    weights[kept] = old_weights[i] * part;
                }
            }
            offsets.resize(kept);
            weights.resize(kept);
        }
    }
};

struct deformable_convolution_op : op::convolution {
    int64_t offset_group = 1;

    static constexpr auto name = "deformable_convolution";
    static constexpr auto summary = "Convolution whose taps are moved by offsets";
    static void fields(field_list<deformable_convolution_op>& f) {
        convolution_fields(f, normalize_kind::padding);
        f.add("offset_group", &deformable_convolution_op::offset_group,
              "channels are split in so many parts with offsets of their own");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({3, 4}).floating().same_type().same_rank();
        const auto result = convolution_shape(in[0], in[1], *this, in[0].type());
        const auto x = dims_of(in[0]);
        if (offset_group < 1 or (x[1].is_fixed() and x[1].get_interval().min % groups() != 0))
            fail_shape(str("channels divisible by the offset group were expected, got ", x[1],
                           " and ", offset_group));
        if (std::none_of(in.begin(), in.end(), [](const auto& s) { return s.dynamic(); }))
            check_sizes(in, result.lens());
        return result;
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        check_sizes(to_shapes(in), out.get_shape().lens());
        if (out.get_shape().elements() == 0)
            return;
        problem p{*this, out, in};
        constexpr std::size_t tile = 64;
        const auto tiles = (p.positions + tile - 1) / tile;
        const auto group = convolution_groups(*this);
        for (p.image = 0; p.image < p.x.lens[0]; ++p.image)
            parallel_for(static_cast<int64_t>(group * tiles), 1, [&](int64_t begin, int64_t end) {
                for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end);
                     ++i) {
                    const auto first = i % tiles * tile;
                    p.compute(i / tiles, first, std::min(tile, p.positions - first));
                }
            });
    }

private:
    std::size_t groups() const { return static_cast<std::size_t>(offset_group); }

    void check_sizes(const std::vector<shape>& in, const sizes& out) const {
        const auto taps = product(in[1].lens(), 2), spatial = out.size() - 2;
        const auto check = [&](std::size_t i, std::size_t channels, const char* what) {
            auto wanted = out;
            wanted[1] = channels;
            if (in[i].lens() != wanted)
                fail_shape(str(what, " of dimensions ", wanted, " was expected, got ", in[i]));
        };
        check(2, groups() * taps * spatial, "an offset");
        if (in.size() == 4)
            check(3, groups() * taps, "a mask");
    }

    struct problem {
        const deformable_convolution_op& op;
        const argument& out;
        numbers<double> x, weights, offset, mask;
        std::vector<window> windows;
        sizes data, kernel, places;
        std::size_t taps, positions, image = 0;

        problem(const deformable_convolution_op& o, const argument& result,
                const std::vector<argument>& in)
            : op(o), out(result), x(in[0]), weights(in[1]), offset(in[2]) {
            if (in.size() == 4)
                mask = numbers<double>(in[3]);
            data.assign(x.lens.begin() + 2, x.lens.end());
            kernel.assign(weights.lens.begin() + 2, weights.lens.end());
            const auto& lens = out.get_shape().lens();
            places.assign(lens.begin() + 2, lens.end());
            windows =
                make_windows(kernel, op.padding, op.stride, op.dilation, op.padding_mode, "kernel");
            taps = product(kernel, 0);
            positions = product(places, 0);
        }

        // The taps of positions [first, first + count), of all offset groups that the channels
        // [channel, channel + channels) belong to, as columns.
        void fill_columns(std::size_t channel, std::size_t channels, std::size_t first,
                          std::size_t count, std::vector<double>& columns) const {
            const auto spatial = data.size();
            const auto data_size = product(data, 0);
            const auto of_group = x.lens[1] / op.groups();
            neighbourhood near;
            std::vector<double> at(spatial);
            sizes tap(spatial, 0), place(spatial);
            for (std::size_t t = 0; t < taps; ++t, next_index(tap, kernel))
                for (std::size_t p = 0; p < count; ++p) {
                    auto rest = first + p;
                    for (std::size_t d = spatial; d-- > 0; rest /= places[d])
                        place[d] = rest % places[d];
                    auto group = op.groups();
                    for (std::size_t c = 0; c < channels; ++c) {
                        if ((channel + c) / of_group != group) {
                            group = (channel + c) / of_group;
                            const auto entry = (image * op.groups() + group) * taps + t;
                            for (std::size_t d = 0; d < spatial; ++d)
                                at[d] = static_cast<double>(place[d] * windows[d].stride +
                                                            tap[d] * windows[d].dilation) -
                                        static_cast<double>(windows[d].padding(data[d]).first) +
                                        offset[(entry * spatial + d) * positions + first + p];
                            near.find(at.data(), data,
                                      mask.size() == 0 ? 1 : mask[entry * positions + first + p]);
                        }
                        const double* from =
                            x.data.data() + (image * x.lens[1] + channel + c) * data_size;
                        double sum = 0;
                        for (std::size_t i = 0; i < near.offsets.size(); ++i)
                            sum += near.weights[i] * from[near.offsets[i]];
                        columns[(c * taps + t) * count + p] = sum;
                    }
                }
        }
        void compute(std::size_t group, std::size_t first, std::size_t count) const {
            const auto channels = weights.lens[1];
            const auto outputs = weights.lens[0] / convolution_groups(op);
            std::vector<double> columns(channels * taps * count), acc(outputs * count);
            fill_columns(group * channels, channels, first, count, columns);
            multiply_add(acc.data(), count, weights.data.data() + group * outputs * channels * taps,
                         channels * taps, columns.data(), count, outputs, count, channels * taps);
            for (std::size_t o = 0; o < outputs; ++o)
                store(out, (image * weights.lens[0] + group * outputs + o) * positions + first,
                      count, acc.data() + o * count);
        }
    };
};

const registered_op<deformable_convolution_op> deformable_convolution_registered;

} // namespace

} // namespace migraphx
