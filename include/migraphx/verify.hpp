// SPDX-License-Identifier: MIT
// Comparison of ranges of numbers. RMS error: sqrt(sum (a - b)^2) / (sqrt(n) * max(|a|, |b|)).
#ifndef MIGRAPHX_GUARD_VERIFY_HPP
#define MIGRAPHX_GUARD_VERIFY_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>

namespace migraphx {
namespace verify {

template <class R>
using range_value =
    std::remove_cv_t<std::remove_reference_t<decltype(*std::declval<R&>().begin())>>;

// Bounds of a comparison: of the RMS error, and of |a - b| <= atol + rtol * |b|.
struct tolerance {
    double rms_tol = 0.001;
    double atol = 0.001;
    double rtol = 0.001;
};

// Marks the right result. Refers to `input`, which must outlive it.
template <class T>
class expected {
public:
    explicit expected(const T& input) : x(&input) {}
    const T& data() const { return *x; }

private:
    const T* x;
};
template <class T>
expected(const T&) -> expected<T>;

template <class R>
std::size_t range_distance(const R& r) {
    return static_cast<std::size_t>(std::distance(r.begin(), r.end()));
}

template <class R>
bool range_empty(const R& r) {
    return r.begin() == r.end();
}

template <class R>
bool range_zero(const R& r) {
    return std::all_of(r.begin(), r.end(),
                       [](const auto& x) { return static_cast<double>(x) == 0.0; });
}

template <class R1, class R2>
double max_diff(const R1& r1, const R2& r2) {
    double result = 0;
    auto j = r2.begin();
    for (auto i = r1.begin(); i != r1.end() and j != r2.end(); ++i, ++j)
        result = std::fmax(result, std::fabs(static_cast<double>(*i) - static_cast<double>(*j)));
    return result;
}

// The number of leading items for which pred(a, b) holds.
template <class R1, class R2, class Predicate>
std::size_t mismatch_idx(const R1& r1, const R2& r2, Predicate pred) {
    const auto p = std::mismatch(r1.begin(), r1.end(), r2.begin(), r2.end(), pred);
    return static_cast<std::size_t>(std::distance(r1.begin(), p.first));
}

// The number of items before the first that satisfies pred, or -1.
template <class R, class Predicate>
std::int64_t find_idx(const R& r, Predicate pred) {
    const auto it = std::find_if(r.begin(), r.end(), pred);
    return it == r.end() ? -1 : static_cast<std::int64_t>(std::distance(r.begin(), it));
}

// The largest double when the lengths differ; NaN when an item has no finite difference, except for
// pairs of equal infinities or of NaN, which differ by zero.
template <class R1, class R2>
double rms_range(const R1& r1, const R2& r2) {
    const std::size_t n = range_distance(r1);
    if (n != range_distance(r2))
        return std::numeric_limits<double>::max();
    if (n == 0)
        return 0;
    double squares = 0;
    double top = std::numeric_limits<double>::min();
    bool bad = false;
    auto j = r2.begin();
    for (auto i = r1.begin(); i != r1.end(); ++i, ++j) {
        const double a = static_cast<double>(*i);
        const double b = static_cast<double>(*j);
        if (not std::isfinite(a) or not std::isfinite(b)) {
            bad = bad or not(a == b or (std::isnan(a) and std::isnan(b)));
            continue;
        }
        squares += (a - b) * (a - b);
        top = std::fmax(top, std::fmax(std::fabs(a), std::fabs(b)));
    }
    if (bad)
        return std::numeric_limits<double>::quiet_NaN();
    return std::sqrt(squares) / (std::sqrt(static_cast<double>(n)) * top);
}

template <class R>
double get_rms_tol(const R&, std::size_t tolerance = 80) {
    return static_cast<double>(std::numeric_limits<range_value<R>>::epsilon()) *
           static_cast<double>(tolerance);
}

template <class R1, class R2>
bool verify_rms_range(const R1& r1, const R2& r2, std::size_t tolerance = 80,
                      double* out_rms_error = nullptr) {
    const double error = rms_range(r1, r2);
    if (out_rms_error != nullptr)
        *out_rms_error = error;
    return error <= get_rms_tol(r1, tolerance);
}

template <class R1, class R2>
bool allclose(const R1& r1, const R2& r2, tolerance tols) {
    if (range_distance(r1) != range_distance(r2))
        return false;
    return mismatch_idx(r1, r2, [&](const auto& x, const auto& y) {
               const double a = static_cast<double>(x);
               const double b = static_cast<double>(y);
               if (not std::isfinite(a) or not std::isfinite(b))
                   return a == b or (std::isnan(a) and std::isnan(b));
               return std::fabs(a - b) <= tols.atol + tols.rtol * std::fabs(b);
           }) == range_distance(r1);
}

// Whether MIGRAPHX_VERIFY_ENABLE_ALLCLOSE is on.
bool allclose_enabled();

template <class R1, class R2>
bool verify_range_with_tolerance(const R1& r1, const expected<R2>& r2, tolerance tols = tolerance{},
                                 double* out_rms_error = nullptr) {
    const double error = rms_range(r1, r2.data());
    if (out_rms_error != nullptr)
        *out_rms_error = error;
    if (not(error <= tols.rms_tol))
        return false;
    return not allclose_enabled() or allclose(r1, r2.data(), tols);
}

} // namespace verify
} // namespace migraphx
#endif
