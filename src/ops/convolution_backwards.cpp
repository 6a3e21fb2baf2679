// SPDX-License-Identifier: MIT
// convolution_backwards of x (N, C, spatial...) with weights (C, O / group, kernel...): every input
// element adds its value times the kernel at position * stride - padding.
#include "ops/convolve.hpp"
#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <migraphx/op/convolution_backwards.hpp>

#include <algorithm>
#include <optional>

namespace migraphx {

namespace {

using backwards_dim = shape::dynamic_dimension;

std::size_t backwards_product(const std::vector<std::size_t>& lens, std::size_t from) {
    std::size_t n = 1;
    for (std::size_t i = from; i < lens.size(); ++i)
        n *= lens[i];
    return n;
}

// Output elements for `length` input elements under one window, at least 1.
backwards_dim spread(const window& w, const backwards_dim& length) {
    const auto rest = static_cast<int64_t>(w.extent()) - static_cast<int64_t>(w.before + w.after);
    const auto stride = static_cast<int64_t>(w.stride);
    if (length.is_symbolic()) {
        const auto e = (length.sym_expr - 1) * stride + rest;
        if (e.eval_interval().min >= 1)
            return e;
    }
    const auto of = [&](std::size_t n) -> std::size_t {
        int64_t result = 0;
        if (n > (std::size_t{1} << 62) or
            __builtin_mul_overflow(static_cast<int64_t>(n) - 1, stride, &result))
            return std::numeric_limits<std::size_t>::max();
        return static_cast<std::size_t>(std::max<int64_t>(1, result + rest));
    };
    std::set<std::size_t> optimals;
    for (auto n : length.get_optimals())
        optimals.insert(of(n));
    return {of(length.get_interval().min), of(length.get_interval().max), optimals};
}

struct convolution_backwards_op : op::convolution_backwards {
    static constexpr auto name = "convolution_backwards";
    static constexpr auto summary = "Transposed convolution: every element adds a scaled kernel";
    static void fields(field_list<convolution_backwards_op>& f) {
        convolution_fields(f, normalize_kind::none);
    }
    static void traits(op_info& info) { info.type = &typeid(op::convolution_backwards); }

    std::vector<window> windows(const std::vector<std::size_t>& kernel) const {
        return make_windows(kernel, padding, stride, dilation, op::default_, "kernel");
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().same_type().same_rank().rank_at_least(3);
        const auto groups = convolution_groups(*this);
        const auto aligned = align_kinds(in);
        const auto data = dims_of(aligned[0]), weights = dims_of(aligned[1]);
        if (data[1].is_fixed() and weights[0].is_fixed()) {
            const auto channels = data[1].get_interval().min;
            if (channels != weights[0].get_interval().min)
                fail_shape(str("as many input channels as weights have was expected, got ",
                               channels, " and ", weights[0].get_interval().min));
            if (channels % groups != 0)
                fail_shape(str("input channels divisible by the group were expected, got ",
                               channels, " and ", groups));
        }
        std::vector<std::size_t> kernel;
        for (std::size_t i = 2; i < weights.size(); ++i) {
            if (not weights[i].is_fixed())
                fail_shape(str("a kernel of known size was expected, got ", weights[i]));
            kernel.push_back(weights[i].get_interval().min);
        }
        const auto w = windows(kernel);
        std::vector<backwards_dim> dims{data[0], weights[1] * groups};
        for (std::size_t i = 0; i < w.size(); ++i)
            dims.push_back(spread(w[i], data[i + 2]));
        return shape_in_order_of(aligned[0], in[0].type(), dims);
    }

    // Where a kernel's taps fall: out offset for taps x input positions, -1 outside of the output.
    static std::vector<int64_t> targets(const std::vector<window>& w,
                                        const std::vector<std::size_t>& data,
                                        const std::vector<std::size_t>& out) {
        std::vector<std::size_t> kernel;
        for (const auto& x : w)
            kernel.push_back(x.kernel);
        std::vector<int64_t> result;
        std::vector<std::size_t> tap(w.size(), 0);
        do {
            std::vector<std::size_t> position(w.size(), 0);
            do {
                int64_t offset = 0;
                for (std::size_t d = 0; d < w.size() and offset >= 0; ++d) {
                    const auto at =
                        static_cast<int64_t>(position[d] * w[d].stride + tap[d] * w[d].dilation) -
                        static_cast<int64_t>(w[d].before);
                    const auto length = static_cast<int64_t>(out[d]);
                    offset = at < 0 or at >= length ? -1 : offset * length + at;
                }
                result.push_back(offset);
            } while (next_index(position, data));
        } while (next_index(tap, kernel));
        return result;
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& x_lens = in[0].get_shape().lens();
        const auto& w_lens = in[1].get_shape().lens();
        const auto& out_lens = out.get_shape().lens();
        if (out.get_shape().elements() == 0)
            return;
        const auto groups = convolution_groups(*this);
        const auto outputs = w_lens[1], channels = x_lens[1] / groups;
        const auto taps = backwards_product(w_lens, 2);
        const auto data_size = backwards_product(x_lens, 2);
        const auto out_size = backwards_product(out_lens, 2);
        const auto to = data_size == 0 ? std::vector<int64_t>{}
                                       : targets(windows({w_lens.begin() + 2, w_lens.end()}),
                                                 {x_lens.begin() + 2, x_lens.end()},
                                                 {out_lens.begin() + 2, out_lens.end()});
        const auto x = load<double>(in[0]), weights = load<double>(in[1]);
        const auto one = [&](std::size_t n, std::size_t g, std::size_t o) {
            std::vector<double> acc(out_size), kernels(taps * channels), products(taps * data_size);
            for (std::size_t t = 0; t < taps; ++t)
                for (std::size_t c = 0; c < channels; ++c)
                    kernels[t * channels + c] =
                        weights[((g * channels + c) * outputs + o) * taps + t];
            multiply_add(products.data(), data_size, kernels.data(), channels,
                         x.data() + (n * groups + g) * channels * data_size, data_size, taps,
                         data_size, channels);
            for (std::size_t i = 0; i < products.size(); ++i)
                if (to[i] >= 0)
                    acc[static_cast<std::size_t>(to[i])] += products[i];
            store(out, ((n * groups + g) * outputs + o) * out_size, out_size, acc.data());
        };
        parallel_for(static_cast<int64_t>(x_lens[0] * groups * outputs), 1,
                     [&](int64_t begin, int64_t end) {
                         for (auto i = static_cast<std::size_t>(begin);
                              i < static_cast<std::size_t>(end); ++i)
                             one(i / (groups * outputs), i / outputs % groups, i % outputs);
                     });
    }
};

const registered_op<convolution_backwards_op> convolution_backwards_registered;

} // namespace

} // namespace migraphx
