// SPDX-License-Identifier: MIT
// Enumerations that several operators share.
#ifndef MIGRAPHX_OP_COMMON_HPP
#define MIGRAPHX_OP_COMMON_HPP

namespace migraphx {
namespace op {

/// default_: the paddings given; same_*: as many that the output is ceil(input / stride), the odd
/// one before (lower) or after (upper) the data.
enum padding_mode_t : int { default_, same_lower, same_upper };

enum class pooling_mode { average, max, lpnorm };

enum class rnn_direction { forward, reverse, bidirectional };

} // namespace op
} // namespace migraphx
#endif
