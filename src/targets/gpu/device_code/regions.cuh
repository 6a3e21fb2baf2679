// SPDX-License-Identifier: MIT
// Parts of images at positions that are values: roialign, roi_max_pool, deformable convolution.
#pragma once
#include "walk.cuh"

namespace mgx {

// Two neighbours along one dimension and the fraction between them.
template <class N, class I>
struct neighbours {
    bool inside;
    I low, high;
    N fraction;
};

// ---- roialign: an average or a maximum of samples of each bin

// Tensors: output, image (without the batch), regions, batch indices; then the bin's row and
// column.
template <int R, class I>
struct roialign_params {
    walk<R, 6, I> at;
    I batches, height, width;
    I image_step, row_step, column_step;
    I roi_step;
    I n;
    I bins_y, bins_x;
    I samples; // of a bin along each dimension; 0: by its size
    f32 scale;
    f32 offset; // of half an element
};

template <class N, class I>
MGX_DEVICE neighbours<N, I> neighbours_of(N v, I length) {
    const N size = static_cast<N>(length);
    if (!(v >= -1 && v <= size) || length == 0)
        return {false, 0, 0, 0};
    v = v > 0 ? v : 0;
    const I low = static_cast<I>(v) < length - 1 ? static_cast<I>(v) : length - 1;
    const I high = low + 1 < length ? low + 1 : low;
    return {true, low, high, low == high ? 0 : v - static_cast<N>(low)};
}

struct sample_line {
    f64 start, bin, count;
    template <class I>
    MGX_DEVICE static sample_line of(f64 from, f64 to, I bins, I samples, f64 scale, f64 offset) {
        const f64 start = from * scale - offset;
        f64 size = to * scale - offset - start;
        if (offset == 0)
            size = size > 1 ? size : 1;
        const f64 bin = size / static_cast<f64>(bins);
        f64 count = static_cast<f64>(samples);
        if (samples == 0) {
            count = bin - bin == 0 ? ceil(bin) : 1;
            count = count < 1 ? 1 : count > 65536 ? 65536 : count;
        }
        return {start, bin, count};
    }
    MGX_DEVICE f64 at(f64 b, f64 i) const { return start + b * bin + (i + 0.5) * bin / count; }
};

template <bool average, class T, class B, int R, class I>
MGX_DEVICE void roialign_elements(T* y, const T* x, const T* rois, const B* batch,
                                  const roialign_params<R, I>& p) {
    using number = compute<T>;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[6];
        p.at.offsets(i, at);
        const i64 image = static_cast<i64>(batch[at[3]]);
        if (image < 0 || image >= p.batches) {
            y[at[0]] = convert<T>(static_cast<number>(0));
            continue;
        }
        const T* data = x + at[1] + image * p.image_step;
        const auto side = [&](int k) { return convert<f64>(rois[at[2] + k * p.roi_step]); };
        const auto rows = sample_line::of(side(1), side(3), p.bins_y, p.samples, p.scale, p.offset);
        const auto columns =
            sample_line::of(side(0), side(2), p.bins_x, p.samples, p.scale, p.offset);
        number sum = 0, top = -infinity<number>();
        for (f64 r = 0; r < rows.count; r++) {
            const auto v = neighbours_of(static_cast<number>(rows.at(at[4], r)), p.height);
            for (f64 c = 0; c < columns.count; c++) {
                const auto h = neighbours_of(static_cast<number>(columns.at(at[5], c)), p.width);
                if (!v.inside || !h.inside) {
                    top = top > 0 ? top : 0;
                    continue;
                }
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    const number w = (k < 2 ? 1 - v.fraction : v.fraction) *
                                     (k % 2 == 0 ? 1 - h.fraction : h.fraction);
                    const number e =
                        w == 0 ? 0
                               : w * to_compute(
                                         data[(i64)(k < 2 ? v.low : v.high) * p.row_step +
                                              (i64)(k % 2 == 0 ? h.low : h.high) * p.column_step]);
                    sum += e;
                    top = top > e ? top : e;
                }
            }
        }
        y[at[0]] =
            convert<T>(average ? sum / static_cast<number>(rows.count * columns.count) : top);
    }
}

// ---- roi_max_pool: the maximum of each bin

// As above; a region begins with its image.
template <int R, class I>
struct roi_pool_params {
    walk<R, 5, I> at; // output, image (without the batch), regions, the bin's row and column
    I batches, height, width;
    I image_step, row_step, column_step;
    I roi_step;
    I n;
    I bins_y, bins_x;
    f32 scale;
};

template <class I>
struct bin_range {
    I first, last;
    static MGX_DEVICE I clipped(f64 v, I length) {
        return static_cast<I>(v < 0                          ? 0
                              : v > static_cast<f64>(length) ? static_cast<f64>(length)
                                                             : v);
    }
    static MGX_DEVICE bin_range of(f64 from, f64 to, I bin, I bins, I length) {
        const f64 start = round(from);
        const f64 size = round(to) - start + 1;
        const f64 step = (size > 1 ? size : 1) / static_cast<f64>(bins);
        return {clipped(start + floor(static_cast<f64>(bin) * step), length),
                clipped(start + ceil(static_cast<f64>(bin + 1) * step), length)};
    }
};

template <class T, int R, class I>
MGX_DEVICE void roi_pool_elements(T* y, const T* x, const T* rois, const roi_pool_params<R, I>& p) {
    using number = compute<T>;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[5];
        p.at.offsets(i, at);
        const auto side = [&](int k) {
            return convert<f64>(rois[at[2] + k * p.roi_step]) * (k == 0 ? 1 : p.scale);
        };
        number top = 0;
        const f64 image = side(0);
        if (image >= 0 && image < static_cast<f64>(p.batches)) {
            const auto rows = bin_range<I>::of(side(2), side(4), at[3], p.bins_y, p.height);
            const auto columns = bin_range<I>::of(side(1), side(3), at[4], p.bins_x, p.width);
            if (rows.first < rows.last && columns.first < columns.last)
                top = -infinity<number>();
            const T* data = x + at[1] + static_cast<i64>(image) * p.image_step;
            for (I r = rows.first; r < rows.last; r++)
                for (I c = columns.first; c < columns.last; c++) {
                    const number v = to_compute(data[(i64)r * p.row_step + (i64)c * p.column_step]);
                    top = top < v ? v : top;
                }
        }
        y[at[0]] = convert<T>(top);
    }
}

// ---- deformable convolution: every tap is moved by an offset and interpolated

template <class I>
struct deformable_axis {
    I stride, dilation, before, len, taps;
    I step;        // of the data
    I weight_step; // of the weights
    I place_step;  // of the offsets
};
// Tensors: output, data (image), weights (output channel), offsets and mask (image, place); then
// the output channel and the place along each axis.
template <int R, int S, class I>
struct deformable_params {
    walk<R, 6 + S, I> at;
    deformable_axis<I> axes[S];
    I channels; // of a group
    I outputs;  // of a group
    I channel_step, weight_channel_step;
    I offset_step;     // of the channels of the offsets
    I mask_step;       // of the channels of the mask
    I offset_channels; // data channels that share offsets
    I taps;
    I n;
};

template <class T, int R, int S, class I>
MGX_DEVICE void deformable_elements(T* y, const T* x, const T* weights, const T* offsets,
                                    const T* mask, const deformable_params<R, S, I>& p) {
    using number = compute<T>;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[6 + S];
        p.at.offsets(i, at);
        const I first = at[5] / p.outputs * p.channels;
        number sum = 0;
        for (I t = 0; t < p.taps; t++) {
            I rest = t, tap[S];
            i64 weight = at[2];
#pragma unroll
            for (int d = S - 1; d >= 0; d--) {
                tap[d] = rest % p.axes[d].taps;
                rest /= p.axes[d].taps;
                weight += (i64)tap[d] * p.axes[d].weight_step;
            }
            I group = -1;
            bool inside = false;
            I low[S];
            number fraction[S], scale = 1;
            for (I c = 0; c < p.channels; c++) {
                const I channel = first + c;
                if (channel / p.offset_channels != group) {
                    group = channel / p.offset_channels;
                    const i64 entry = (i64)group * p.taps + t;
                    inside = true;
#pragma unroll
                    for (int d = 0; d < S; d++) {
                        const auto& a = p.axes[d];
                        const number position =
                            static_cast<number>(at[6 + d] * a.stride + tap[d] * a.dilation -
                                                a.before) +
                            to_compute(offsets[at[3] + (entry * S + d) * p.offset_step]);
                        inside = inside && position > -1 && position < static_cast<number>(a.len);
                        const number whole = floor(position);
                        low[d] = inside ? static_cast<I>(whole) : 0;
                        fraction[d] = position - whole;
                    }
                    scale = mask == nullptr ? static_cast<number>(1)
                                            : to_compute(mask[at[4] + entry * p.mask_step]);
                }
                if (!inside)
                    continue;
                number v = 0;
#pragma unroll
                for (int corner = 0; corner < 1 << S; corner++) {
                    number w = scale;
                    i64 from = at[1] + (i64)channel * p.channel_step;
                    bool there = true;
#pragma unroll
                    for (int d = 0; d < S; d++) {
                        const int up = corner >> d & 1;
                        const I position = low[d] + up;
                        w *= up ? fraction[d] : 1 - fraction[d];
                        there = there && position >= 0 && position < p.axes[d].len;
                        from += (i64)position * p.axes[d].step;
                    }
                    if (there && w != 0)
                        v += w * to_compute(x[from]);
                }
                sum += v * to_compute(weights[weight + (i64)c * p.weight_channel_step]);
            }
        }
        y[at[0]] = convert<T>(sum);
    }
}

} // namespace mgx
