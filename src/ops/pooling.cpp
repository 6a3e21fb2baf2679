// SPDX-License-Identifier: MIT
// pooling: average, maximum or Lp norm of a window sliding over the spatial dimensions;
// pooling_indices: where the maxima are.
#include "ops/enum_field.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"
#include "ops/window.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <migraphx/op/pooling.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace migraphx {

namespace {

// The taps of one position along one dimension that lie in the data.
struct pool_taps {
    std::size_t first = 0;  // index in the data
    std::size_t count = 0;  // `dilation` apart
    std::size_t padded = 0; // taps in the data or its padding
};

std::vector<pool_taps> taps_along(const window& w, std::size_t length, std::size_t positions) {
    const auto [before, after] = w.padding(length);
    // Taps before `end`, counted from the padding's begin.
    const auto taps_before = [&w](std::size_t start, std::size_t end) {
        return start >= end ? 0 : std::min(w.kernel, (end - start - 1) / w.dilation + 1);
    };
    std::vector<pool_taps> result(positions);
    for (std::size_t p = 0; p < positions; ++p) {
        const auto start = p * w.stride;
        const auto skipped = taps_before(start, before);
        result[p].first = start + skipped * w.dilation - before;
        result[p].count = taps_before(start, before + length) - skipped;
        result[p].padded = taps_before(start, before + length + after);
    }
    return result;
}

// The windows over one image of spatial dimensions `lens`.
struct pool_walk {
    std::vector<std::size_t> lens, out_lens, dilations;
    std::vector<std::vector<pool_taps>> taps;

    pool_walk(const std::vector<window>& w, const shape& in, const shape& out)
        : lens(in.lens().begin() + 2, in.lens().end()),
          out_lens(out.lens().begin() + 2, out.lens().end()) {
        for (std::size_t d = 0; d < w.size(); ++d) {
            dilations.push_back(w[d].dilation);
            taps.push_back(taps_along(w[d], lens[d], out_lens[d]));
        }
    }
    static std::size_t product(const std::vector<std::size_t>& v) {
        return std::accumulate(v.begin(), v.end(), std::size_t{1}, std::multiplies<>{});
    }
    std::size_t in_size() const { return product(lens); }
    std::size_t out_size() const { return product(out_lens); }

    // f(taps in the data, taps in the data or padding, each) for every position in order;
    // each(g) calls g with the offset of every tap in the data.
    template <class F>
    void each_window(F f) const {
        std::vector<std::size_t> position(lens.size(), 0), counts(lens.size());
        do {
            std::size_t count = 1, padded = 1;
            for (std::size_t d = 0; d < lens.size(); ++d) {
                const auto& t = taps[d][position[d]];
                count *= counts[d] = t.count;
                padded *= t.padded;
            }
            f(count, padded, [&](auto g) {
                std::vector<std::size_t> tap(lens.size(), 0);
                if (count == 0)
                    return;
                do {
                    std::size_t at = 0;
                    for (std::size_t d = 0; d < lens.size(); ++d)
                        at = at * lens[d] + taps[d][position[d]].first + tap[d] * dilations[d];
                    g(at);
                } while (next_index(tap, counts));
            });
        } while (next_index(position, out_lens));
    }
    // channel(i) for every image of the batch, unless the result is empty.
    template <class F>
    void each_channel(const shape& in, F channel) const {
        if (out_size() == 0)
            return;
        parallel_for(static_cast<int64_t>(in.lens()[0] * in.lens()[1]), 4,
                     [&](int64_t begin, int64_t end) {
                         for (auto i = begin; i < end; ++i)
                             channel(static_cast<std::size_t>(i));
                     });
    }
};

struct pooling_op : op::pooling {
    static constexpr auto name = "pooling";
    static constexpr auto summary = "Average, maximum or Lp norm of a sliding window";
    static void fields(field_list<pooling_op>& f) {
        using p = op::pooling;
        f.choice("mode", &p::mode, "what is taken of a window", {"average", "max", "lpnorm"});
        f.normalized("padding", &p::padding, "elements around the data, per spatial dimension",
                     normalize_kind::padding);
        enum_field(f, "padding_mode", &p::padding_mode,
                   "0: `padding`; 1, 2: so that ceil(in / stride) fit", padding_mode_words());
        f.add("stride", &p::stride, "step between positions, per spatial dimension");
        f.add("lengths", &p::lengths, "taps of a window, per spatial dimension");
        f.add("dilations", &p::dilations, "step between taps, per spatial dimension");
        f.add("ceil_mode", &p::ceil_mode, "the last window may hang over the end");
        f.add("count_include_pad", &p::count_include_pad, "averages count the padding as zeros");
        f.add("lp_order", &p::lp_order, "order of the Lp norm");
        f.add("dyn_global", &p::dyn_global, "one window over all spatial dimensions");
    }
    static void traits(op_info& info) { info.type = &typeid(op::pooling); }

    std::vector<window> windows(std::size_t spatial) const {
        if (lengths.size() != spatial)
            fail_shape(str("lengths must have ", spatial, " values, got ", lengths.size()));
        auto result = make_windows(lengths, padding, stride, dilations, padding_mode, "lengths");
        for (auto& w : result)
            w.ceil = ceil_mode;
        return result;
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().rank_at_least(3);
        const auto& x = in[0];
        const bool symbolic = x.symbolic();
        auto dims = dims_of(x);
        if (dyn_global) {
            for (std::size_t i = 2; i < dims.size(); ++i)
                dims[i] = symbolic ? shape::dynamic_dimension{sym::lit(1)}
                                   : shape::dynamic_dimension{1, 1};
            return shape_in_order_of(x, x.type(), dims);
        }
        const auto w = windows(dims.size() - 2);
        for (std::size_t i = 0; i < w.size(); ++i) {
            auto& d = dims[i + 2];
            const auto most = d.get_interval().max;
            if (padding_mode == op::default_ and most < (std::size_t{1} << 62) and
                most + w[i].before + w[i].after < w[i].extent())
                fail_shape(str("a window that fits the padded input was expected, got ",
                               w[i].extent(), " over ", most + w[i].before + w[i].after));
            d = w[i].positions(d);
        }
        return shape_in_order_of(x, x.type(), dims);
    }

    // The value of a window from f(g), which calls g for each of its elements.
    template <class ForEach>
    double pooled(std::size_t count, std::size_t padded, ForEach for_each) const {
        double acc = 0;
        switch (mode) {
        case op::pooling_mode::average:
            for_each([&](double x) { acc += x; });
            return acc / static_cast<double>(count_include_pad ? padded : count);
        case op::pooling_mode::max:
            acc = -std::numeric_limits<double>::infinity();
            for_each([&](double x) { acc = std::isnan(acc) or acc > x ? acc : x; });
            return acc;
        case op::pooling_mode::lpnorm:
            if (lp_order == 0)
                return 1;
            for_each([&](double x) { acc += std::pow(std::fabs(x), lp_order); });
            return std::pow(acc, 1.0 / lp_order);
        }
        return acc;
    }

    pool_walk walk(const shape& in, const shape& out) const {
        if (not dyn_global)
            return {windows(in.ndim() - 2), in, out};
        std::vector<window> all(in.ndim() - 2);
        for (std::size_t d = 0; d < all.size(); ++d)
            all[d].kernel = std::max<std::size_t>(1, in.lens()[d + 2]);
        return {all, in, out};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto images = walk(in[0].get_shape(), out.get_shape());
        images.each_channel(in[0].get_shape(), [&](std::size_t nc) {
            std::vector<double> x(images.in_size()), y;
            load(in[0], nc * x.size(), x.size(), x.data());
            images.each_window([&](std::size_t count, std::size_t padded, auto each) {
                y.push_back(pooled(count, padded,
                                   [&](auto f) { each([&](std::size_t at) { f(x[at]); }); }));
            });
            store(out, nc * y.size(), y.size(), y.data());
        });
    }
};

struct pooling_indices_op : pooling_op {
    bool column_major = false;

    static constexpr auto name = "pooling_indices";
    static constexpr auto summary = "Flat indices in the input of the first maximum of each window";
    static void fields(field_list<pooling_indices_op>& f) {
        using p = op::pooling;
        f.normalized("padding", &p::padding, "elements around the data, per spatial dimension",
                     normalize_kind::padding);
        f.add("padding_mode", &p::padding_mode,
              "0: `padding`; 1, 2: so that ceil(in / stride) fit");
        f.add("stride", &p::stride, "step between positions, per spatial dimension");
        f.add("lengths", &p::lengths, "taps of a window, per spatial dimension");
        f.add("dilations", &p::dilations, "step between taps, per spatial dimension");
        f.add("ceil_mode", &p::ceil_mode, "the last window may hang over the end");
        f.add("column_major", &pooling_indices_op::column_major,
              "count the spatial dimensions from the first instead of the last");
    }
    static void traits(op_info&) {}

    shape infer(const std::vector<shape>& in) const {
        return pooling_op::infer(in).with_type(shape::int64_type);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto images = walk(in[0].get_shape(), out.get_shape());
        const auto counted = [&](std::size_t at) {
            if (not column_major)
                return at;
            std::size_t result = 0;
            for (auto d = images.lens.size(); d-- > 0; at /= images.lens[d])
                result += at % images.lens[d] *
                          std::accumulate(images.lens.begin(),
                                          images.lens.begin() + static_cast<std::ptrdiff_t>(d),
                                          std::size_t{1}, std::multiplies<>{});
            return result;
        };
        images.each_channel(in[0].get_shape(), [&](std::size_t nc) {
            std::vector<double> x(images.in_size());
            std::vector<int64_t> y;
            load(in[0], nc * x.size(), x.size(), x.data());
            images.each_window([&](std::size_t, std::size_t, auto each) {
                std::optional<std::size_t> best;
                each([&](std::size_t at) {
                    if (not best or x[at] > x[*best])
                        best = at;
                });
                y.push_back(static_cast<int64_t>(nc * x.size() + counted(best.value_or(0))));
            });
            store(out, nc * y.size(), y.size(), y.data());
        });
    }
};

const registered_op<pooling_op> pooling_registered;
const registered_op<pooling_indices_op> pooling_indices_registered;

} // namespace

} // namespace migraphx
