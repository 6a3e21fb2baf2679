// SPDX-License-Identifier: MIT
#include "ops/fourier.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace migraphx {

namespace {

constexpr std::size_t largest_factor = 13;

complex_number operator+(complex_number a, complex_number b) {
    return {a.re + b.re, a.im + b.im};
}
complex_number operator-(complex_number a, complex_number b) {
    return {a.re - b.re, a.im - b.im};
}
complex_number operator*(complex_number a, complex_number b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
complex_number conjugate(complex_number a) {
    return {a.re, -a.im};
}
// Times -i.
complex_number turned(complex_number a) {
    return {a.im, -a.re};
}

// exp(-2 pi i k / n)
complex_number root(std::size_t k, std::size_t n) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
    return {std::cos(angle), std::sin(angle)};
}

// Factors from 4 down, the fours first; empty when a prime factor is too large.
std::vector<std::size_t> small_factors(std::size_t n) {
    std::vector<std::size_t> result;
    for (; n % 4 == 0; n /= 4)
        result.push_back(4);
    for (std::size_t p = 2; p <= largest_factor; ++p)
        for (; n % p == 0; n /= p)
            result.push_back(p);
    if (n != 1)
        result.clear();
    return result;
}

} // namespace

fourier::fourier(std::size_t size) : length(size) {
    if (size <= 1)
        return;
    roots.resize(size);
    for (std::size_t k = 0; k < size; ++k)
        roots[k] = root(k, size);
    factors = small_factors(size);
    if (not factors.empty())
        return;
    // k n = (k^2 + n^2 - (k - n)^2) / 2 makes the sum a convolution with a chirp.
    std::size_t padded = 1;
    while (padded < 2 * size - 1)
        padded *= 2;
    power = std::make_unique<fourier>(padded);
    chirp.resize(size);
    std::size_t square = 0; // k * k modulo 2 * size
    for (std::size_t k = 0; k < size; ++k) {
        chirp[k] = root(square, 2 * size);
        square = (square + 2 * k + 1) % (2 * size);
    }
    std::vector<complex_number> kernel(padded);
    kernel[0] = conjugate(chirp[0]);
    for (std::size_t k = 1; k < size; ++k)
        kernel[k] = kernel[padded - k] = conjugate(chirp[k]);
    filter.resize(padded);
    power->transform(kernel.data(), filter.data());
}

void fourier::transform(const complex_number* x, complex_number* out) const {
    if (length <= 1)
        std::copy_n(x, length, out);
    else if (factors.empty())
        convolve(x, out);
    else
        split(x, 1, out, length, 0);
}

// The transform of x[0], x[stride], ... (n numbers) from those of its p interleaved parts.
void fourier::split(const complex_number* x, std::size_t stride, complex_number* out, std::size_t n,
                    std::size_t level) const {
    const auto p = factors[level], m = n / p;
    for (std::size_t q = 0; q < p; ++q) {
        if (m == 1)
            out[q] = x[q * stride];
        else
            split(x + q * stride, stride * p, out + q * m, m, level + 1);
    }
    const auto step = length / n;
    complex_number part[largest_factor];
    for (std::size_t k = 0; k < m; ++k) {
        part[0] = out[k];
        for (std::size_t q = 1; q < p; ++q)
            part[q] = out[q * m + k] * roots[q * k * step];
        if (p == 2) {
            out[k] = part[0] + part[1];
            out[m + k] = part[0] - part[1];
            continue;
        }
        if (p == 4) {
            const auto even = part[0] + part[2], odd = part[1] + part[3];
            const auto left = part[0] - part[2], right = turned(part[1] - part[3]);
            out[k] = even + odd;
            out[m + k] = left + right;
            out[2 * m + k] = even - odd;
            out[3 * m + k] = left - right;
            continue;
        }
        for (std::size_t r = 0; r < p; ++r) {
            auto sum = part[0];
            for (std::size_t q = 1; q < p; ++q)
                sum = sum + part[q] * roots[q * r % p * (length / p)];
            out[r * m + k] = sum;
        }
    }
}

void fourier::convolve(const complex_number* x, complex_number* out) const {
    const auto padded = power->size();
    std::vector<complex_number> a(padded), b(padded);
    for (std::size_t k = 0; k < length; ++k)
        a[k] = x[k] * chirp[k];
    power->transform(a.data(), b.data());
    // The inverse is the conjugate of the transform of the conjugate.
    for (std::size_t k = 0; k < padded; ++k)
        b[k] = conjugate(b[k] * filter[k]);
    power->transform(b.data(), a.data());
    const double scale = 1 / static_cast<double>(padded);
    for (std::size_t k = 0; k < length; ++k)
        out[k] = complex_number{a[k].re * scale, -a[k].im * scale} * chirp[k];
}

} // namespace migraphx
