// SPDX-License-Identifier: MIT
// Resize row by row: planes blend two input rows and then along the row; pixels of many channels
// blend as vectors.
#include "targets/cpu/kernels/resize.hpp"
#include "targets/cpu/kernels/convert.hpp"
#include "targets/cpu/kernels/walk.hpp"

#include <cstring>

namespace migraphx::cpu::KERNEL_ISA {
namespace {

template <class T>
void nearest_plane_row(const resize_params& p, const T* x, T* y) {
    if (p.doubles_w) {
        for (int64_t i = 0; i < p.out_w / 2; ++i)
            y[2 * i] = y[2 * i + 1] = x[i];
        if (p.out_w % 2 != 0)
            y[p.out_w - 1] = x[p.out_w / 2];
        return;
    }
    for (int64_t i = 0; i < p.out_w; ++i)
        y[i] = x[p.w.low[i]];
}

void nearest_row(const resize_params& p, const char* x, char* y) {
    const int64_t size = elem_size(p.type);
    if (p.channels == 1) {
        switch (size) {
        case 1:
            nearest_plane_row(p, reinterpret_cast<const uint8_t*>(x),
                              reinterpret_cast<uint8_t*>(y));
            break;
        case 2:
            nearest_plane_row(p, reinterpret_cast<const uint16_t*>(x),
                              reinterpret_cast<uint16_t*>(y));
            break;
        case 4:
            nearest_plane_row(p, reinterpret_cast<const uint32_t*>(x),
                              reinterpret_cast<uint32_t*>(y));
            break;
        default:
            nearest_plane_row(p, reinterpret_cast<const uint64_t*>(x),
                              reinterpret_cast<uint64_t*>(y));
            break;
        }
        return;
    }
    const int64_t bytes = p.channels * size;
    for (int64_t i = 0; i < p.out_w; ++i)
        std::memcpy(y + i * bytes, x + p.w.low[i] * bytes, size_t(bytes));
}

void nearest(const resize_params& p, int64_t begin, int64_t end) {
    const int64_t size = elem_size(p.type);
    walker<2> w{p.rank, p.lens, {p.x_steps, p.y_steps}, {}, {}};
    w.seek(begin / p.out_h);
    int64_t row = begin % p.out_h;
    const char* above = nullptr; // the output row before this one, when it is of the same plane
    for (int64_t unit = begin; unit < end; ++unit) {
        char* y = p.y + (w.at[1] + row * p.y_row) * size;
        if (above != nullptr && p.h.low[row] == p.h.low[row - 1])
            std::memcpy(y, above, size_t(p.out_w * p.channels * size));
        else
            nearest_row(p, p.x + (w.at[0] + p.h.low[row] * p.x_row) * size, y);
        above = y;
        if (++row == p.out_h) {
            row = 0;
            above = nullptr;
            w.next();
        }
    }
}

MIGRAPHX_VEC_INLINE vf blend(vf a, vf b, float weight) {
    return fma(b - a, splat(weight), a);
}

MIGRAPHX_VEC_INLINE vi load_ints(const int32_t* p) {
    vi v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

// Outputs k .. k + lanes - 1 of a row. Taps that lie within two vectors are picked by shuffles.
MIGRAPHX_VEC_INLINE vf linear_taps(const resize_params& p, const float* row, int64_t k) {
    const int32_t base = p.w.low[k];
    const vf weight = load(p.w.weight + k);
    vf low, high;
    if (p.w.high[k + lanes - 1] - base < 2 * lanes) {
        const vf a = load(row + base), b = load(row + base + lanes);
        low = __builtin_shuffle(a, b, load_ints(p.w.low + k) - base);
        high = __builtin_shuffle(a, b, load_ints(p.w.high + k) - base);
    } else
        for (int l = 0; l < lanes; ++l) {
            low[l] = row[p.w.low[k + l]];
            high[l] = row[p.w.high[k + l]];
        }
    return fma(high - low, weight, low);
}

template <elem_type T>
void linear_plane_row(const resize_params& p, const char* top, const char* bottom, float weight,
                      char* y) {
    float row[resize_params::max_width + 2 * lanes]; // linear_taps reads past the end
    int64_t i = 0;
    for (; i + lanes <= p.in_w; i += lanes)
        store(row + i, blend(load_lanes<T>(top, i), load_lanes<T>(bottom, i), weight));
    if (i < p.in_w) {
        const int64_t m = p.in_w - i;
        store_first(
            row + i,
            blend(load_lanes_first<T>(top, i, m), load_lanes_first<T>(bottom, i, m), weight), m);
    }
    store(row + p.in_w, vf{});
    store(row + p.in_w + lanes, vf{});
    int64_t k = 0;
    for (; k + lanes <= p.out_w; k += lanes)
        store_lanes<T>(y, k, linear_taps(p, row, k));
    for (; k < p.out_w; ++k) {
        const float a = row[p.w.low[k]];
        const float v = a + (row[p.w.high[k]] - a) * p.w.weight[k];
        store_floats(y + k * elem_size(T), &v, T, 1);
    }
}

template <elem_type T>
void linear_pixel_row(const resize_params& p, const char* top, const char* bottom, float weight,
                      char* y) {
    const int64_t n = p.channels;
    for (int64_t i = 0; i < p.out_w; ++i) {
        const int64_t a = p.w.low[i] * n, b = p.w.high[i] * n, to = i * n;
        const float across = p.w.weight[i];
        int64_t c = 0;
        for (; c + lanes <= n; c += lanes)
            store_lanes<T>(
                y, to + c,
                blend(blend(load_lanes<T>(top, a + c), load_lanes<T>(bottom, a + c), weight),
                      blend(load_lanes<T>(top, b + c), load_lanes<T>(bottom, b + c), weight),
                      across));
        if (c < n) {
            const int64_t m = n - c;
            const auto at = [&](const char* r, int64_t q) {
                return load_lanes_first<T>(r, q + c, m);
            };
            store_lanes_first<T>(y, to + c,
                                 blend(blend(at(top, a), at(bottom, a), weight),
                                       blend(at(top, b), at(bottom, b), weight), across),
                                 m);
        }
    }
}

template <elem_type T>
void linear_of(const resize_params& p, int64_t begin, int64_t end) {
    const int64_t size = elem_size(T);
    walker<2> w{p.rank, p.lens, {p.x_steps, p.y_steps}, {}, {}};
    w.seek(begin / p.out_h);
    int64_t row = begin % p.out_h;
    for (int64_t unit = begin; unit < end; ++unit) {
        const char* top = p.x + (w.at[0] + p.h.low[row] * p.x_row) * size;
        const char* bottom = p.x + (w.at[0] + p.h.high[row] * p.x_row) * size;
        char* y = p.y + (w.at[1] + row * p.y_row) * size;
        if (p.channels == 1)
            linear_plane_row<T>(p, top, bottom, p.h.weight[row], y);
        else
            linear_pixel_row<T>(p, top, bottom, p.h.weight[row], y);
        if (++row == p.out_h) {
            row = 0;
            w.next();
        }
    }
}

void linear(const resize_params& p, int64_t begin, int64_t end) {
    switch (p.type) {
    case elem_type::f16:
        linear_of<elem_type::f16>(p, begin, end);
        break;
    case elem_type::bf16:
        linear_of<elem_type::bf16>(p, begin, end);
        break;
    default:
        linear_of<elem_type::f32>(p, begin, end);
        break;
    }
}

} // namespace

void fill_resize(resize_kernels& table) {
    table.nearest = nearest;
    table.linear = linear;
}

} // namespace migraphx::cpu::KERNEL_ISA
