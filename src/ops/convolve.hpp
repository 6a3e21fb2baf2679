// SPDX-License-Identifier: MIT
// What the convolutions share: shape rule and reference evaluation, over any number of spatial
// dimensions.
#pragma once

#include "ops/enum_field.hpp"
#include "ops/matrix_product.hpp"
#include "ops/op.hpp"
#include "ops/window.hpp"

#include <migraphx/op/convolution.hpp>

namespace migraphx {

/// The attributes, listed for a type that derives from op::convolution.
template <class T>
void convolution_fields(field_list<T>& f, normalize_kind padding) {
    using c = op::convolution;
    f.normalized("padding", &c::padding, "elements around the data, per spatial dimension",
                 padding);
    f.add("stride", &c::stride, "step between positions, per spatial dimension");
    f.add("dilation", &c::dilation, "step between taps, per spatial dimension");
    f.add("group", &c::group, "channels are split in so many independent convolutions");
    enum_field(f, "padding_mode", &c::padding_mode,
               "0: `padding`; 1, 2: so that ceil(in / stride) fit", padding_mode_words());
}

/// Output of x (N, C, spatial...) with weights (O, C / group, kernel...).
shape convolution_shape(const shape& x, const shape& w, const op::convolution& attributes,
                        shape::type_t t);

/// out[n, o, p...] = sum over the group's channels c and taps t of
/// x[n, c, p * stride - before + t * dilation] * w[o, c, t]; x and w come from their loaders.
void convolve(const argument& out, const std::vector<std::size_t>& x_lens,
              const matrix_loader<double>& x, const std::vector<std::size_t>& w_lens,
              const matrix_loader<double>& w, const op::convolution& attributes);

/// Groups as a number; throws unless it is positive.
std::size_t convolution_groups(const op::convolution& attributes);

} // namespace migraphx
