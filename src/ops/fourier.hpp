// SPDX-License-Identifier: MIT
// Discrete Fourier transforms of any length in O(n log n).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace migraphx {

struct complex_number {
    double re = 0;
    double im = 0;
};

/// out[k] = sum over n of x[n] * exp(-2 pi i k n / size): twiddle factors computed once, used by
/// any number of threads. Lengths of small prime factors are split by them (Cooley-Tukey); others
/// become a convolution of a power of two (Bluestein).
class fourier {
public:
    explicit fourier(std::size_t size);
    /// `x` and `out` hold `size` numbers and do not overlap.
    void transform(const complex_number* x, complex_number* out) const;
    std::size_t size() const { return length; }

private:
    void split(const complex_number* x, std::size_t stride, complex_number* out, std::size_t n,
               std::size_t level) const;
    void convolve(const complex_number* x, complex_number* out) const;

    std::size_t length;
    std::vector<complex_number> roots;  // exp(-2 pi i k / length)
    std::vector<std::size_t> factors;   // of `length`; empty: Bluestein
    std::vector<complex_number> chirp;  // exp(-pi i k k / length)
    std::vector<complex_number> filter; // transform of the conjugate chirp
    std::unique_ptr<fourier> power;     // of two, at least 2 * length - 1
};

} // namespace migraphx
