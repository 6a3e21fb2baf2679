// SPDX-License-Identifier: MIT
// inverse: of each matrix of the last two dimensions, by elimination with the largest pivot of a
// column. A matrix without one gives NaN.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

// `m` of n x n becomes the identity, `r` the inverse.
void invert(std::vector<double>& m, double* r, std::size_t n) {
    for (std::size_t i = 0; i < n * n; ++i)
        r[i] = i / n == i % n ? 1 : 0;
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        for (std::size_t i = c + 1; i < n; ++i)
            if (std::fabs(m[i * n + c]) > std::fabs(m[pivot * n + c]))
                pivot = i;
        if (m[pivot * n + c] == 0) {
            std::fill(r, r + n * n, std::numeric_limits<double>::quiet_NaN());
            return;
        }
        for (std::size_t j = 0; j < n; ++j) {
            std::swap(m[c * n + j], m[pivot * n + j]);
            std::swap(r[c * n + j], r[pivot * n + j]);
        }
        const double factor = 1 / m[c * n + c];
        for (std::size_t j = 0; j < n; ++j) {
            m[c * n + j] *= factor;
            r[c * n + j] *= factor;
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double multiple = m[i * n + c];
            if (i == c or multiple == 0)
                continue;
            for (std::size_t j = 0; j < n; ++j) {
                m[i * n + j] -= multiple * m[c * n + j];
                r[i * n + j] -= multiple * r[c * n + j];
            }
        }
    }
}

struct inverse_op {
    static constexpr auto name = "inverse";
    static constexpr auto summary = "The inverse of each matrix of the last two dimensions";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().floating().rank_at_least(2);
        const auto dims = dims_of(in[0]);
        const auto rows = dims[dims.size() - 2].get_interval(),
                   columns = dims.back().get_interval();
        if (rows.min > columns.max or columns.min > rows.max)
            fail_shape(str("square matrices were expected, got ", in[0]));
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        const auto n = lens.back(), size = n * n;
        const auto x = load<double>(in[0]);
        std::vector<double> y(x.size()), m(size);
        for (std::size_t at = 0; at < x.size(); at += size) {
            std::copy(x.begin() + static_cast<std::ptrdiff_t>(at),
                      x.begin() + static_cast<std::ptrdiff_t>(at + size), m.begin());
            invert(m, &y[at], n);
        }
        store(out, y);
    }
};

const registered_op<inverse_op> inverse_registered;

} // namespace

} // namespace migraphx
