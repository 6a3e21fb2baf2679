// SPDX-License-Identifier: MIT
// Layer, RMS, group and instance normalisation: mean, then squared distances, then the result, each
// over a row that is still in cache.
#include "targets/cpu/kernels/norm.hpp"
#include "targets/cpu/kernels/convert.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

template <elem_type T>
struct norm_row {
    const void* x;
    const void* residual;
    MIGRAPHX_VEC_INLINE vf at(int64_t i) const {
        const vf v = load_lanes<T>(x, i);
        return residual == nullptr ? v : v + load_lanes<T>(residual, i);
    }
    MIGRAPHX_VEC_INLINE vf tail(int64_t i, int64_t m) const {
        const vf v = load_lanes_first<T>(x, i, m);
        return residual == nullptr ? v : v + load_lanes_first<T>(residual, i, m);
    }
};

// Sum over the row of f(v), f(v) * f(v) when Square. Lanes past the end do not count.
template <elem_type T, bool Square>
double norm_sum(const norm_row<T>& r, int64_t n, float shift) {
    constexpr int wide = 4;
    const int64_t step = wide * lanes;
    const auto term = [&](vf v) {
        v -= shift;
        return Square ? v * v : v;
    };
    double total = 0;
    int64_t i = 0;
    while (n - i >= step) {
        vf a[wide] = {};
        const int64_t stop = n - i > 64 * step ? i + 64 * step : i + (n - i) / step * step;
        for (; i < stop; i += step)
            for (int k = 0; k < wide; ++k)
                a[k] += term(r.at(i + k * lanes));
        total += double(sum_of((a[0] + a[1]) + (a[2] + a[3])));
    }
    vf a{};
    for (; i + lanes <= n; i += lanes)
        a += term(r.at(i));
    if (i < n)
        a += iota() < int32_t(n - i) ? term(r.tail(i, n - i)) : vf{};
    return total + double(sum_of(a));
}

inline float inverse_root(double x) {
    return float(1 / __builtin_sqrt(x));
}

// y = (v - mean) * factor * gamma + beta
template <elem_type T, elem_type P>
void finish_row(const norm_params& p, const norm_row<T>& r, void* y, void* sum, float mean,
                float factor) {
    const int64_t n = p.n;
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const vf v = r.at(i);
        if (sum != nullptr)
            store_lanes<T>(sum, i, v);
        vf out = (v - mean) * factor;
        if (p.gamma != nullptr)
            out *= load_lanes<P>(p.gamma, i);
        if (p.beta != nullptr)
            out += load_lanes<P>(p.beta, i);
        store_lanes<T>(y, i, out);
    }
    if (i < n) {
        const int64_t m = n - i;
        const vf v = r.tail(i, m);
        if (sum != nullptr)
            store_lanes_first<T>(sum, i, v, m);
        vf out = (v - mean) * factor;
        if (p.gamma != nullptr)
            out *= load_lanes_first<P>(p.gamma, i, m);
        if (p.beta != nullptr)
            out += load_lanes_first<P>(p.beta, i, m);
        store_lanes_first<T>(y, i, out, m);
    }
}

template <elem_type T, elem_type P>
void norm_rows(const norm_params& p, int64_t begin, int64_t end) {
    const int64_t size = elem_size(T);
    for (int64_t row = begin; row < end; ++row) {
        const auto* x = static_cast<const char*>(p.x) + row * p.x_row * size;
        const char* residual = static_cast<const char*>(p.residual);
        if (residual != nullptr)
            residual += row * p.residual_row * size;
        char* sum = static_cast<char*>(p.sum);
        if (sum != nullptr)
            sum += row * p.sum_row * size;
        const norm_row<T> r{x, residual};
        const float mean = p.rms ? 0.0f : float(norm_sum<T, false>(r, p.n, 0) / double(p.n));
        const float factor =
            inverse_root(norm_sum<T, true>(r, p.n, mean) / double(p.n) + double(p.epsilon));
        finish_row<T, P>(p, r, static_cast<char*>(p.y) + row * p.y_row * size, sum, mean, factor);
    }
}

template <elem_type P>
inline float one_param(const void* base, int64_t i, float missing) {
    if (base == nullptr)
        return missing;
    float v;
    load_floats(&v, static_cast<const char*>(base) + i * elem_size(P), P, 1);
    return v;
}

template <elem_type T, elem_type P>
void norm_groups(const norm_params& p, int64_t begin, int64_t end) {
    const int64_t size = elem_size(T);
    const int64_t block = p.channels * p.n;
    for (int64_t unit = begin; unit < end; ++unit) {
        const norm_row<T> all{static_cast<const char*>(p.x) + unit * block * size, nullptr};
        const float mean = p.rms ? 0.0f : float(norm_sum<T, false>(all, block, 0) / double(block));
        const float factor =
            inverse_root(norm_sum<T, true>(all, block, mean) / double(block) + double(p.epsilon));
        for (int64_t c = 0; c < p.channels; ++c) {
            const int64_t channel = unit % p.units_per_image * p.channels + c;
            const float scale = factor * one_param<P>(p.gamma, channel, 1);
            const float shift = one_param<P>(p.beta, channel, 0) - mean * scale;
            const int64_t at = (unit * p.channels + c) * p.n;
            int64_t i = 0;
            for (; i + lanes <= p.n; i += lanes)
                store_lanes<T>(p.y, at + i, load_lanes<T>(p.x, at + i) * scale + shift);
            if (i < p.n)
                store_lanes_first<T>(p.y, at + i,
                                     load_lanes_first<T>(p.x, at + i, p.n - i) * scale + shift,
                                     p.n - i);
        }
    }
}

#define NORM_BY_TYPE(function)                                                                     \
    void function##_typed(const norm_params& p, int64_t begin, int64_t end) {                      \
        constexpr auto f32 = elem_type::f32, f16 = elem_type::f16, bf16 = elem_type::bf16;         \
        const bool wide_params = p.param_type == f32;                                              \
        if (p.type == f16)                                                                         \
            wide_params ? function<f16, f32>(p, begin, end) : function<f16, f16>(p, begin, end);   \
        else if (p.type == bf16)                                                                   \
            wide_params ? function<bf16, f32>(p, begin, end)                                       \
                        : function<bf16, bf16>(p, begin, end);                                     \
        else                                                                                       \
            function<f32, f32>(p, begin, end);                                                     \
    }
NORM_BY_TYPE(norm_rows)
NORM_BY_TYPE(norm_groups)
#undef NORM_BY_TYPE

} // namespace

void fill_norm(norm_kernels& table) {
    table.rows = norm_rows_typed;
    table.groups = norm_groups_typed;
}

} // namespace migraphx::cpu::KERNEL_ISA
