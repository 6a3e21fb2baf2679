// SPDX-License-Identifier: MIT
// det: determinants of the matrices in the last two dimensions, by elimination with row exchange.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

// Of the n x n matrix, which is overwritten.
double determinant(double* a, std::size_t n) {
    double result = 1;
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k]))
                pivot = i;
        const double top = a[pivot * n + k];
        if (top == 0)
            return 0;
        if (pivot != k) {
            std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
            result = -result;
        }
        result *= top;
        for (std::size_t i = k + 1; i < n; ++i) {
            const double factor = a[i * n + k] / top;
            for (std::size_t j = k + 1; j < n; ++j)
                a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return result;
}

struct det_op {
    static constexpr auto name = "det";
    static constexpr auto summary = "Determinants of matrices";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).floating().rank_at_least(2);
        auto dims = dims_of(in[0]);
        const auto columns = dims.back(), rows = dims[dims.size() - 2];
        if (rows.is_fixed() and columns.is_fixed() and
            rows.get_interval().min != columns.get_interval().min)
            fail_shape(str("square matrices were expected, got ", in[0]));
        dims.resize(dims.size() - 2);
        if (in[0].dynamic())
            return dims.empty() ? shape{in[0].type()} : dynamic_shape(in[0], in[0].type(), dims);
        const auto& lens = in[0].lens();
        return tensor_shape(in[0].type(), std::vector<std::size_t>(lens.begin(), lens.end() - 2));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        const auto n = lens.back();
        if (lens[lens.size() - 2] != n)
            fail_shape(str("square matrices were expected, got ", in[0].get_shape()));
        auto a = load<double>(in[0]);
        std::vector<double> result(out.get_shape().elements());
        parallel_for(static_cast<int64_t>(result.size()),
                     std::max<int64_t>(1, 4096 / static_cast<int64_t>(n * n * n + 1)),
                     [&](int64_t begin, int64_t end) {
                         for (auto i = static_cast<std::size_t>(begin);
                              i < static_cast<std::size_t>(end); ++i)
                             result[i] = determinant(a.data() + i * n * n, n);
                     });
        store(out, result);
    }
};

const registered_op<det_op> det_registered;

} // namespace

} // namespace migraphx
