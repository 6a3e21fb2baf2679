// SPDX-License-Identifier: MIT
// Local response normalisation: vectors across pixels (planes) or across channels (pixels).
#include "targets/cpu/kernels/lrn.hpp"
#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

MIGRAPHX_VEC_INLINE vf normalized(const lrn_params& p, vf x, vf squares) {
    const vf base = squares * (p.alpha / float(p.size)) + p.bias;
    if (p.beta == 0.75f) {
        const vf root = vec::sqrt(base);
        return x / (root * vec::sqrt(root));
    }
    return x * vec::pow(base, splat(-p.beta));
}

void planes(const lrn_params& p, int64_t begin, int64_t end) {
    const int64_t blocks = (p.inner + lrn_params::block - 1) / lrn_params::block;
    const int64_t below = (p.size - 1) / 2, above = p.size / 2;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t at = unit / blocks * p.channels * p.inner;
        const int64_t first = unit % blocks * lrn_params::block;
        const int64_t last =
            p.inner - first < lrn_params::block ? p.inner : first + lrn_params::block;
        for (int64_t i = first; i < last; i += lanes) {
            const int64_t m = last - i < lanes ? last - i : lanes;
            for (int64_t c = 0; c < p.channels; ++c) {
                const int64_t from = c < below ? 0 : c - below;
                const int64_t to = c + above < p.channels ? c + above : p.channels - 1;
                vf squares{};
                for (int64_t k = from; k <= to; ++k) {
                    const vf v = load_first(p.x + at + k * p.inner + i, m);
                    squares += v * v;
                }
                const int64_t here = at + c * p.inner + i;
                store_first(p.y + here, normalized(p, load_first(p.x + here, m), squares), m);
            }
        }
    }
}

void pixels(const lrn_params& p, int64_t begin, int64_t end) {
    constexpr int64_t slack = 2 * lanes;
    float squared[lrn_params::max_channels + slack]; // of channels first .. with zeros around
    const int64_t below = (p.size - 1) / 2;
    const int64_t n = p.channels + p.size - 1; // with the windows' borders
    for (int64_t i = 0; i < n + slack; ++i)
        squared[i] = 0;
    for (int64_t pixel = begin; pixel < end; ++pixel) {
        const float* x = p.x + pixel * p.channels;
        float* y = p.y + pixel * p.channels;
        for (int64_t c = 0; c < p.channels; ++c)
            squared[below + c] = x[c] * x[c];
        for (int64_t c = 0; c < p.channels; c += lanes) {
            const int64_t m = p.channels - c < lanes ? p.channels - c : lanes;
            vf squares{};
            for (int64_t k = 0; k < p.size; ++k)
                squares += load(squared + c + k);
            store_first(y + c, normalized(p, load_first(x + c, m), squares), m);
        }
    }
}

} // namespace

void fill_lrn(lrn_kernels& table) {
    table.planes = planes;
    table.pixels = pixels;
}

} // namespace migraphx::cpu::KERNEL_ISA
