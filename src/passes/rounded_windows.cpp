// SPDX-License-Identifier: MIT
#include "passes/rounded_windows.hpp"

#include "base/parallel.hpp"
#include "ops/tensor.hpp"

#include <migraphx/bf16.hpp>
#include <migraphx/half.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace migraphx {

namespace {

// Positions of one window, the largest magnitudes (as floats) first; of equals the first.
void order_by_magnitude(const std::vector<double>& window, std::vector<std::int32_t>& keys,
                        std::vector<std::size_t>& order) {
    const auto n = window.size();
    for (std::size_t i = 0; i < n; i++)
        keys[i] = std::bit_cast<std::int32_t>(float(std::fabs(window[i]))); // ordered as numbers
    constexpr std::size_t few = 32;
    if (n > few) {
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return keys[a] > keys[b] or (keys[a] == keys[b] and a < b);
        });
        return;
    }
    // Counting who comes before needs no branches.
    for (std::size_t i = 0; i < n; i++) {
        std::int32_t before = 0;
        for (std::size_t k = 0; k < i; k++)
            before += keys[k] >= keys[i];
        for (std::size_t k = i + 1; k < n; k++)
            before += keys[k] > keys[i];
        order[std::size_t(before)] = i;
    }
}

template <class T, class X>
void round_windows(const X* from, T* to, int64_t windows, std::size_t taps) {
    parallel_for(windows, 1 + 4096 / int64_t(taps), [&](int64_t begin, int64_t end) {
        std::vector<double> window(taps);
        std::vector<std::int32_t> keys(taps);
        std::vector<std::size_t> order(taps);
        for (auto w = begin; w < end; w++) {
            const auto at = std::size_t(w) * taps;
            std::copy_n(from + at, taps, window.begin());
            order_by_magnitude(window, keys, order);
            double lost = 0;
            for (auto i : order) {
                const auto wanted = window[i] + lost;
                to[at + i] = T(float(wanted));
                lost = wanted - double(float(to[at + i]));
                if (not std::isfinite(lost)) // of infinities and NaN nothing is passed on
                    lost = 0;
            }
        }
    });
}

template <class T>
argument rounded_to(const argument& weights, shape::type_t t, std::size_t taps) {
    const auto& s = weights.get_shape();
    auto result = argument::uninitialized(shape{t, s.lens()});
    auto* const to = reinterpret_cast<T*>(result.data());
    const auto windows = int64_t(s.elements() / taps);
    if (s.type() == shape::float_type and s.standard()) {
        round_windows(reinterpret_cast<const float*>(weights.data()), to, windows, taps);
    } else {
        const auto values = load<double>(weights);
        round_windows(values.data(), to, windows, taps);
    }
    return result;
}

} // namespace

argument rounded_windows(const argument& weights, shape::type_t t) {
    const auto& lens = weights.get_shape().lens();
    std::size_t taps = 1;
    for (std::size_t i = 2; i < lens.size(); i++)
        taps *= lens[i];
    if (weights.get_shape().elements() == 0)
        return argument{shape{t, lens}};
    return t == shape::half_type ? rounded_to<half>(weights, t, taps)
                                 : rounded_to<bf16>(weights, t, taps);
}

} // namespace migraphx
