// SPDX-License-Identifier: MIT
// Images of few channels as images of eight, channels last: what matrix units and copies of 16 bytes
// want. Places without a channel or a neighbour are 0.
#pragma once
#include "conv.cuh"

namespace mgx {

template <int Fold, class From, class T>
MGX_DEVICE void fold_channels(const From* x, T* to, const conv_fold_params& p) {
    static_assert(sizeof(T) == 2, "eight elements are 16 bytes");
    constexpr int places = 8 / Fold;
    for (u32 i = global_thread<u32>(); i < p.pieces; i += global_threads<u32>()) {
        u32 rest = i;
        const int first = static_cast<int>(p.by_axis[conv_most_axes - 1].split(rest)) * Fold;
        i64 from = first * p.x.axis[conv_most_axes - 1];
#pragma unroll
        for (int d = conv_most_axes - 2; d >= 0; d--)
            from += p.by_axis[d].split(rest) * p.x.axis[d];
        from += rest * p.x.image;
        vec<T, 8> piece;
#pragma unroll
        for (int e = 0; e < 8; e++) {
            const int neighbour = e / places, channel = e % places;
            piece[e] = channel < p.channels && first + neighbour < p.length
                           ? stored<T>(converted<T>(
                                 value(x[from + neighbour * p.x.axis[conv_most_axes - 1] +
                                         channel * p.x.channel])))
                           : T{};
        }
        store<8>(to + static_cast<i64>(i) * 8, piece);
    }
}

} // namespace mgx
