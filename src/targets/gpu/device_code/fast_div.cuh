// SPDX-License-Identifier: MIT
// Division by a number that is known before the launch: a multiplication and a shift. The engine
// makes these and puts them into a kernel's parameters; the same text is read by both.
// Granlund and Montgomery, "Division by invariant integers using multiplication" (1994), fig. 4.1,
// for dividends below half of the range, where its last step cannot overflow.
#pragma once

#if defined(__CUDACC__) || defined(__HIPCC__) || defined(__CUDACC_RTC__) || defined(__HIPCC_RTC__)
#define MGX_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define MGX_HOST_DEVICE inline
#endif

namespace mgx {

// Dividends below 2^31; divisor from 1 to 2^31.
struct fast_div {
    unsigned divisor, magic, shift;

    MGX_HOST_DEVICE unsigned div(unsigned n) const {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
        return (__umulhi(n, magic) + n) >> shift;
#else
        return (unsigned(((unsigned long long)n * magic) >> 32) + n) >> shift;
#endif
    }
    MGX_HOST_DEVICE unsigned mod(unsigned n) const { return n - div(n) * divisor; }
    // n becomes the quotient, the remainder is returned: the usual step of splitting an index.
    MGX_HOST_DEVICE unsigned split(unsigned& n) const {
        const unsigned q = div(n), r = n - q * divisor;
        n = q;
        return r;
    }
};

// Dividends below 2^63; divisor from 1 to 2^63.
struct fast_div64 {
    unsigned long long divisor, magic;
    unsigned shift, unused;

    MGX_HOST_DEVICE unsigned long long div(unsigned long long n) const {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
        return (__umul64hi(n, magic) + n) >> shift;
#else
        return ((unsigned long long)(((unsigned __int128)n * magic) >> 64) + n) >> shift;
#endif
    }
    MGX_HOST_DEVICE unsigned long long mod(unsigned long long n) const {
        return n - div(n) * divisor;
    }
    MGX_HOST_DEVICE unsigned long long split(unsigned long long& n) const {
        const unsigned long long q = div(n), r = n - q * divisor;
        n = q;
        return r;
    }
};

// By the type of the index.
template <class Index>
struct divider_of;
template <>
struct divider_of<unsigned> {
    using type = fast_div;
};
template <>
struct divider_of<unsigned long long> {
    using type = fast_div64;
};
template <class Index>
using divider = typename divider_of<Index>::type;

#if !defined(__CUDACC_RTC__) && !defined(__HIPCC_RTC__) && !defined(MGX_DEVICE_CODE)

inline fast_div make_fast_div(unsigned long long divisor) {
    unsigned shift = 0;
    while ((1ull << shift) < divisor)
        shift++;
    const auto magic =
        (((unsigned __int128)1 << 32) * ((1ull << shift) - divisor)) / divisor + 1;
    return {(unsigned)divisor, divisor == 1 ? 0u : (unsigned)magic, shift};
}

inline fast_div64 make_fast_div64(unsigned long long divisor) {
    unsigned shift = 0;
    while (shift < 63 && (1ull << shift) < divisor)
        shift++;
    const auto magic =
        (((unsigned __int128)1 << 64) * ((1ull << shift) - divisor)) / divisor + 1;
    return {divisor, divisor == 1 ? 0ull : (unsigned long long)magic, shift, 0};
}

#endif

} // namespace mgx
