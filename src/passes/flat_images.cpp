// SPDX-License-Identifier: MIT
#include "passes/flat_images.hpp"

#include "base/parallel.hpp"
#include "ops/pointwise_table.hpp"
#include "ops/tensor.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op/pooling.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace migraphx {

namespace {

bool is_float(const shape& s) {
    return s.type() == shape::float_type or s.type() == shape::half_type or
           s.type() == shape::bf16_type or s.type() == shape::double_type;
}

std::optional<std::size_t> channels_of(const shape& s) {
    if (s.type() == shape::tuple_type or s.ndim() < 2 or s.min_lens()[1] != s.max_lens()[1])
        return std::nullopt;
    return s.min_lens()[1];
}

bool is_finite(const flat_image& x) {
    return std::all_of(x.begin(), x.end(), [](auto v) { return std::isfinite(v); });
}

bool is_zero(const flat_image& x) {
    return std::all_of(x.begin(), x.end(), [](auto v) { return v == 0; });
}

template <class T>
double row_sum(const T* w, const double* x, std::size_t channels, std::size_t taps) {
    double sum[4] = {};
    if (taps == 1) {
        std::size_t c = 0;
        for (; c + 4 <= channels; c += 4)
            for (std::size_t k = 0; k < 4; k++)
                sum[k] += double(w[c + k]) * x[c + k];
        for (; c < channels; c++)
            sum[0] += double(w[c]) * x[c];
    } else
        for (std::size_t c = 0; c < channels; c++, w += taps) {
            double window = 0;
            for (std::size_t t = 0; t < taps; t++)
                window += double(w[t]);
            sum[c % 4] += window * x[c];
        }
    return sum[0] + sum[1] + sum[2] + sum[3];
}

class flat_runner {
public:
    explicit flat_runner(const module& mod) : m(mod) {}

    std::unordered_map<instruction_ref, flat_image> run() {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            if (not is_float(ins->get_shape()))
                continue;
            const auto channels = channels_of(ins->get_shape());
            auto x = channels ? value_of(ins, *channels) : std::nullopt;
            if (x and x->size() == *channels and is_finite(*x))
                known.emplace(ins, std::move(*x));
        }
        return std::move(known);
    }

private:
    const flat_image* find(instruction_ref x) const {
        const auto found = known.find(x);
        return found == known.end() ? nullptr : &found->second;
    }

    std::optional<flat_image> value_of(instruction_ref ins, std::size_t channels) const {
        if (ins->name() == "@param")
            return ins->get_shape().ndim() > 2 ? std::optional(flat_image(channels)) : std::nullopt;
        if (ins->inputs().empty() or ins->can_eval())
            return std::nullopt;
        if (find_pointwise_row(ins->name()) != nullptr)
            return pointwise(ins, channels);
        if (ins->name() == "concat")
            return joined(ins);
        const auto* x = find(ins->inputs().front());
        if (x == nullptr)
            return std::nullopt;
        if (ins->name() == "convolution" or ins->name() == "convolution_backwards")
            return convolved(ins, *x);
        return keeps_flat(ins) ? std::optional(*x) : std::nullopt;
    }

    // Gives of equal numbers the same.
    static bool keeps_flat(instruction_ref ins) {
        const auto& name = ins->name();
        const auto& op = ins->get_operator();
        if (name == "pooling") {
            const auto mode = op::pooling_mode(op.get<int>("mode"));
            return mode == op::pooling_mode::average or mode == op::pooling_mode::max;
        }
        if (name == "reduce_mean" or name == "reduce_max") {
            const auto axes = op.get_vector<int64_t>("axes");
            return std::all_of(axes.begin(), axes.end(), [](auto a) { return a > 1; });
        }
        const bool same_rank = ins->get_shape().ndim() == ins->inputs().front()->get_shape().ndim();
        return same_rank and (name == "convert" or name == "contiguous" or name == "layout" or
                              name == "resize" or name == "multibroadcast" or name == "identity");
    }

    std::optional<flat_image> convolved(instruction_ref ins, const flat_image& x) const {
        const auto w = ins->inputs()[1];
        const auto groups = ins->get_operator().get<std::size_t>("group");
        if (ins->name() != "convolution" or not w->can_eval() or ins->inputs().size() != 2)
            return std::nullopt;
        return flat_sums(w->eval(), groups, x);
    }

    std::optional<flat_image> joined(instruction_ref ins) const {
        if (ins->get_operator().get<int64_t>("axis") != 1)
            return std::nullopt;
        flat_image all;
        for (auto in : ins->inputs()) {
            const auto* x = find(in);
            if (x == nullptr)
                return std::nullopt;
            all.insert(all.end(), x->begin(), x->end());
        }
        return all;
    }

    std::optional<flat_image> pointwise(instruction_ref ins, std::size_t channels) const {
        std::vector<channel_list> operands;
        for (auto x : ins->inputs()) {
            auto numbers = find(x) != nullptr         ? std::optional(*find(x))
                           : is_float(x->get_shape()) ? channel_numbers(x)
                                                      : std::nullopt;
            if (not numbers)
                return std::nullopt;
            operands.push_back(std::move(*numbers));
        }
        return computed_numbers(ins->get_operator(), channels, std::move(operands));
    }

    const module& m;
    std::unordered_map<instruction_ref, flat_image> known;
};

} // namespace

std::unordered_map<instruction_ref, flat_image> flat_images(const module& m) {
    return flat_runner{m}.run();
}

flat_image flat_sums(const argument& weights, std::size_t groups, const flat_image& x) {
    const auto& s = weights.get_shape();
    const auto& lens = s.lens();
    flat_image y(lens[0]);
    if (s.elements() == 0 or groups == 0 or x.size() != groups * lens[1] or is_zero(x))
        return y;
    const auto taps = s.elements() / (lens[0] * lens[1]);
    const auto outputs = lens[0] / groups, row = lens[1] * taps;
    const auto* floats = s.type() == shape::float_type and s.standard()
                             ? reinterpret_cast<const float*>(weights.data())
                             : nullptr;
    parallel_for(int64_t(lens[0]), 1 + 65536 / int64_t(row), [&](int64_t begin, int64_t end) {
        std::vector<double> read(floats != nullptr ? 0 : row);
        for (auto o = std::size_t(begin); o < std::size_t(end); o++) {
            const auto* in = x.data() + o / outputs * lens[1];
            if (floats != nullptr) {
                y[o] = row_sum(floats + o * row, in, lens[1], taps);
                continue;
            }
            load(weights, o * row, row, read.data());
            y[o] = row_sum(read.data(), in, lens[1], taps);
        }
    });
    return y;
}

flat_image lost_by_rounding(const argument& weights, const argument& rounded, std::size_t groups,
                            const flat_image& x) {
    auto lost = flat_sums(weights, groups, x);
    const auto left = flat_sums(rounded, groups, x);
    std::transform(lost.begin(), lost.end(), left.begin(), lost.begin(), std::minus<>{});
    return lost;
}

} // namespace migraphx
