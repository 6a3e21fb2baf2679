// SPDX-License-Identifier: MIT
// What the library of attention does, on the host.
#include "targets/gpu/libraries/sdpa.hpp"

#include <migraphx/bf16.hpp>
#include <migraphx/half.hpp>

#include "targets/gpu/device/host.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx::gpu {

std::shared_ptr<const prepared_sdpa> prepare_host_sdpa(const sdpa_desc& d);

namespace {

template <class T>
void attend(const sdpa_desc& d, const sdpa_pointers& p) {
    const auto &q = d.q.lens(), &v = d.v.lens();
    const auto queries = q[2], keys = v[2], size = q[3], width = v[3], group = q[1] / v[1];
    const auto at = [](const void* base, const shape& s, std::size_t b, std::size_t h,
                       std::size_t row, std::size_t i) {
        return float(static_cast<const T*>(base)[s.index({b, h, row, i})]);
    };
    std::vector<double> score(keys);
    for (std::size_t b = 0; b < q[0]; b++)
        for (std::size_t h = 0; h < q[1]; h++)
            for (std::size_t s = 0; s < queries; s++) {
                double top = -std::numeric_limits<double>::infinity(), total = 0;
                for (std::size_t t = 0; t < keys; t++) {
                    double sum = 0;
                    for (std::size_t i = 0; i < size; i++)
                        sum += double(at(p.q, d.q, b, h, s, i)) * at(p.k, d.k, b, h / group, t, i);
                    score[t] = sum * double(d.scale);
                    top = std::max(top, score[t]);
                }
                for (std::size_t t = 0; t < keys; t++)
                    total += score[t] = std::exp(score[t] - top);
                for (std::size_t e = 0; e < width; e++) {
                    double sum = 0;
                    for (std::size_t t = 0; t < keys; t++)
                        sum += score[t] * at(p.v, d.v, b, h / group, t, e);
                    static_cast<T*>(p.y)[d.y.index({b, h, s, e})] = T(float(sum / total));
                }
            }
}

struct host_sdpa : prepared_sdpa {
    sdpa_desc d;
    explicit host_sdpa(sdpa_desc problem) : d(std::move(problem)) {}
    std::string name() const override { return "attention in loops"; }
    std::size_t workspace() const override { return 0; }
    void run(const sdpa_pointers& p, stream s) const override {
        host_put(s, [this, p] {
            if (d.q.type() == shape::half_type)
                attend<half>(d, p);
            else
                attend<bf16>(d, p);
        });
    }
};

} // namespace

std::shared_ptr<const prepared_sdpa> prepare_host_sdpa(const sdpa_desc& d) {
    return std::make_shared<host_sdpa>(d);
}

} // namespace migraphx::gpu
