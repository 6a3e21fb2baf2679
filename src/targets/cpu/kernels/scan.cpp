// SPDX-License-Identifier: MIT
// Running sums: up to 64 lines advance together.
#include "targets/cpu/kernels/scan.hpp"
#include "targets/cpu/kernels/convert.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

template <class T>
struct same_number {
    using stored = T;
    static T widen(T v) { return v; }
    template <class Sum>
    static T narrow(Sum v) {
        return T(v);
    }
};

struct half_number {
    using stored = uint16_t;
    static float widen(uint16_t v) { return half_to_float(v); }
    static uint16_t narrow(double v) { return float_to_half(float(v)); }
};

struct bf16_number {
    using stored = uint16_t;
    static float widen(uint16_t v) { return bf16_to_float(v); }
    static uint16_t narrow(double v) { return float_to_bf16(float(v)); }
};

template <class N, class Sum>
void scan_lines(const scan_params& p, int64_t begin, int64_t end) {
    using T = typename N::stored;
    const int64_t blocks = (p.inner + scan_params::block - 1) / scan_params::block;
    walker<2> w{p.rank, p.lens, {p.x_steps, p.y_steps}, {}, {}};
    w.seek(begin / blocks);
    int64_t part = begin % blocks;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = part * scan_params::block;
        const int64_t m =
            p.inner - first < scan_params::block ? p.inner - first : scan_params::block;
        const T* x = static_cast<const T*>(p.x) + w.at[0] + first * p.x_inner;
        T* y = static_cast<T*>(p.y) + w.at[1] + first * p.y_inner;
        Sum total[scan_params::block] = {};
        for (int64_t k = 0; k < p.n; ++k) {
            const int64_t i = p.reverse ? p.n - 1 - k : k;
            for (int64_t j = 0; j < m; ++j) {
                const Sum before = total[j];
                total[j] += Sum(N::widen(x[i * p.x_n + j * p.x_inner]));
                y[i * p.y_n + j * p.y_inner] = N::narrow(p.exclusive ? before : total[j]);
            }
        }
        if (++part == blocks) {
            part = 0;
            w.next();
        }
    }
}

void sum(const scan_params& p, int64_t begin, int64_t end) {
    switch (p.type) {
    case elem_type::f32:
        scan_lines<same_number<float>, double>(p, begin, end);
        break;
    case elem_type::f64:
        scan_lines<same_number<double>, double>(p, begin, end);
        break;
    case elem_type::f16:
        scan_lines<half_number, double>(p, begin, end);
        break;
    case elem_type::bf16:
        scan_lines<bf16_number, double>(p, begin, end);
        break;
    case elem_type::i8:
    case elem_type::u8:
    case elem_type::boolean:
        scan_lines<same_number<uint8_t>, uint64_t>(p, begin, end);
        break;
    case elem_type::i16:
    case elem_type::u16:
        scan_lines<same_number<uint16_t>, uint64_t>(p, begin, end);
        break;
    case elem_type::i32:
    case elem_type::u32:
        scan_lines<same_number<uint32_t>, uint64_t>(p, begin, end);
        break;
    case elem_type::i64:
    case elem_type::u64:
        scan_lines<same_number<uint64_t>, uint64_t>(p, begin, end);
        break;
    }
}

} // namespace

void fill_scan(scan_kernels& table) {
    table.sum = sum;
}

} // namespace migraphx::cpu::KERNEL_ISA
