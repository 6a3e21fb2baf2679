// SPDX-License-Identifier: MIT
// What values of each channel become before they are multiplied.
#pragma once

#include <cstdint>
#include <limits>

namespace migraphx::cpu {

// x * scale, or max(x * scale + shift, least); without a scale x. NaN stays.
struct channel_map {
    const float* scale = nullptr; // of each channel, or null
    const float* shift = nullptr; // or null
    float least = -std::numeric_limits<float>::infinity();

    bool empty() const { return scale == nullptr; }
};

// The forms of a channel_map: they change x, one value or a vector of them that begins at channel
// k; load(p): as many values from p on. For kernel files.
struct unmapped {
    template <class V, class Load>
    void operator()(V&, int64_t, Load) const {}
};

struct scaled {
    const float* scale;
    template <class V, class Load>
    void operator()(V& x, int64_t k, Load load) const {
        x *= load(scale + k);
    }
};

struct shifted {
    const float *scale, *shift;
    float least;
    template <class V, class Load>
    void operator()(V& x, int64_t k, Load load) const {
        const V y = x * load(scale + k) + load(shift + k), low = V{} + least;
        x = y < low ? low : y;
    }
};

template <class F>
auto with_form(const channel_map& map, F f) {
    if (map.scale == nullptr)
        return f(unmapped{});
    if (map.shift == nullptr)
        return f(scaled{map.scale});
    return f(shifted{map.scale, map.shift, map.least});
}

} // namespace migraphx::cpu
