// SPDX-License-Identifier: MIT
#include "passes/rounded_windows.hpp"

#include "base/parallel.hpp"
#include "ops/tensor.hpp"

#include <migraphx/bf16.hpp>
#include <migraphx/half.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace migraphx {

namespace {

template <class T>
void round_window(double* window, std::size_t taps, std::vector<std::size_t>& order) {
    order.resize(taps);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return std::fabs(window[a]) > std::fabs(window[b]); });
    double lost = 0;
    for (auto i : order) {
        const auto wanted = window[i] + lost;
        window[i] = double(float(T(wanted)));
        lost = wanted - window[i];
        if (not std::isfinite(lost)) // of infinities and NaN nothing is passed on
            lost = 0;
    }
}

template <class T>
void round_windows(std::vector<double>& values, std::size_t taps) {
    const auto windows = int64_t(values.size() / taps);
    parallel_for(windows, 1 + 4096 / int64_t(taps), [&](int64_t begin, int64_t end) {
        std::vector<std::size_t> order;
        for (auto w = begin; w < end; w++)
            round_window<T>(values.data() + std::size_t(w) * taps, taps, order);
    });
}

} // namespace

argument rounded_windows(const argument& weights, shape::type_t t) {
    const auto& lens = weights.get_shape().lens();
    auto values = load<double>(weights);
    std::size_t taps = 1;
    for (std::size_t i = 2; i < lens.size(); i++)
        taps *= lens[i];
    if (taps > 1 and not values.empty()) {
        if (t == shape::half_type)
            round_windows<half>(values, taps);
        else
            round_windows<bf16>(values, taps);
    }
    argument result{shape{t, lens}};
    store(result, values);
    return result;
}

} // namespace migraphx
