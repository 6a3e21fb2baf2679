// SPDX-License-Identifier: MIT
// pairwise_probabilities(r (N, k (k - 1) / 2)): r of classes i < j, in the order (0, 1), (0, 2) ...
// (1, 2) ..., is the probability of i when it is one of both; the result (N, k) are the
// probabilities of all classes that fit best: p minimises the sum over i and j of (r_ji p_i - r_ij
// p_j)^2 with r_ji = 1 - r_ij (Wu, Lin and Weng, 2004, second method, by coordinate descent).
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct pairwise_probabilities_op {
    int64_t classes = 2;

    static constexpr auto name = "pairwise_probabilities";
    static constexpr auto summary = "Probabilities of classes from those of pairs of classes";
    static void fields(field_list<pairwise_probabilities_op>& f) {
        f.add("classes", &pairwise_probabilities_op::classes, "number of classes");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).floating().rank(2);
        if (classes < 2 or classes > 65536)
            fail_shape(str("2 classes or more were expected, got ", classes));
        const auto k = static_cast<std::size_t>(classes);
        auto dims = dims_of(in[0]);
        const auto pairs = dims[1].get_interval();
        if (pairs.min > k * (k - 1) / 2 or pairs.max < k * (k - 1) / 2)
            fail_shape(str(k * (k - 1) / 2, " pairs were expected, got ", dims[1]));
        if (not in[0].dynamic())
            return {in[0].type(), {in[0].lens()[0], k}};
        dims[1] = {k, k};
        return {in[0].type(), in[0].symbolic() ? dims_of(shape{in[0].type(), dims}, true) : dims};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> r(in[0]);
        numbers<double> y(out.get_shape().lens());
        const auto k = y.lens[1], pairs = r.lens[1];
        for (std::size_t row = 0; row < r.lens[0]; ++row)
            fit(r.data.data() + row * pairs, y.data.data() + row * k, k);
        store(out, y.data);
    }

private:
    static void fit(const double* pairs, double* p, std::size_t k) {
        // p' q p is the sum to be minimised.
        std::vector<double> r(k * k), q(k * k), qp(k);
        for (std::size_t i = 0; i < k; ++i)
            for (std::size_t j = i + 1; j < k; ++j) {
                r[i * k + j] = *pairs++;
                r[j * k + i] = 1 - r[i * k + j];
            }
        for (std::size_t i = 0; i < k; ++i)
            for (std::size_t j = 0; j < k; ++j)
                if (i != j) {
                    q[i * k + i] += r[j * k + i] * r[j * k + i];
                    q[i * k + j] = -r[j * k + i] * r[i * k + j];
                }
        const auto count = static_cast<double>(k);
        std::fill(p, p + k, 1 / count);
        for (std::size_t round = 0; round < std::max<std::size_t>(100, k); ++round) {
            double all = 0;
            for (std::size_t i = 0; i < k; ++i) {
                qp[i] = 0;
                for (std::size_t j = 0; j < k; ++j)
                    qp[i] += q[i * k + j] * p[j];
                all += p[i] * qp[i];
            }
            double error = 0;
            for (auto v : qp)
                error = std::max(error, std::fabs(v - all));
            if (not(error >= 0.005 / count))
                break;
            for (std::size_t i = 0; i < k; ++i) {
                if (q[i * k + i] == 0)
                    continue;
                const double step = (all - qp[i]) / q[i * k + i];
                p[i] += step;
                all = (all + step * (step * q[i * k + i] + 2 * qp[i])) / (1 + step) / (1 + step);
                for (std::size_t j = 0; j < k; ++j) {
                    qp[j] = (qp[j] + step * q[i * k + j]) / (1 + step);
                    p[j] /= 1 + step;
                }
            }
        }
    }
};

const registered_op<pairwise_probabilities_op> pairwise_probabilities_registered;

} // namespace

} // namespace migraphx
