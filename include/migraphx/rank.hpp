// SPDX-License-Identifier: MIT
// rank<N>: orders overloads; the one that takes the highest rank is tried first.
#ifndef MIGRAPHX_GUARD_RANK_HPP
#define MIGRAPHX_GUARD_RANK_HPP

namespace migraphx {
template <int N>
struct rank : rank<N - 1> {};
template <>
struct rank<0> {};
} // namespace migraphx
#endif
