// SPDX-License-Identifier: MIT
// Products by loops on the host, in the place of a library: sums in double (integers modulo 2^64),
// rounded once when the result is stored.
#include "targets/gpu/libraries/gemm.hpp"

#include <migraphx/argument.hpp>

#include "base/parallel.hpp"
#include "ops/matrix_product.hpp"
#include "ops/tensor.hpp"
#include "targets/gpu/device/host.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace migraphx::gpu {

namespace {

constexpr int64_t rows_at_once = 16;

// `count` elements from `at` (in elements), `step` apart.
template <class T>
void gather(shape::type_t type, const void* from, int64_t at, int64_t step, int64_t count, T* to) {
    const auto size = int64_t(shape{type}.type_size());
    const argument row{shape{type, {std::size_t(count)}, {std::size_t(step)}},
                       const_cast<char*>(static_cast<const char*>(from)) + at * size};
    load(row, 0, std::size_t(count), to);
}

template <class T>
void scatter(shape::type_t type, void* into, int64_t at, int64_t step, int64_t count,
             const T* from) {
    const auto size = int64_t(shape{type}.type_size());
    const argument row{shape{type, {std::size_t(count)}, {std::size_t(step)}},
                       static_cast<char*>(into) + at * size};
    store(row, 0, std::size_t(count), from);
}

int64_t offset_of(const gemm_problem& p, const gemm_matrix& x, int64_t index) {
    int64_t at = 0;
    for (std::size_t i = p.batch.size(); i-- > 0;) {
        at += index % p.batch[i] * x.batch[i];
        index /= p.batch[i];
    }
    return at;
}

double activated(gemm_activation f, double x) {
    switch (f) {
    case gemm_activation::relu:
        return x > 0 or std::isnan(x) ? x : 0;
    case gemm_activation::gelu_tanh:
        return x / 2 * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case gemm_activation::none:
        break;
    }
    return x;
}

// T: double, or uint64_t for integers.
template <class T>
class rows_of_product {
public:
    rows_of_product(const gemm_problem& problem, const gemm_pointers& pointers)
        : p(problem), at(pointers) {
        if constexpr (std::is_same_v<T, double>) {
            factor = p.alpha;
            if (p.scaled)
                factor *= double(*static_cast<const float*>(at.scale_a)) *
                          double(*static_cast<const float*>(at.scale_b));
        }
    }
    // Rows [first, last) of one matrix of the batch.
    void compute(int64_t batch, int64_t first, int64_t last) const {
        const auto rows = last - first;
        std::vector<T> sums(std::size_t(rows * p.n)), a(std::size_t(rows * p.k));
        constexpr int64_t depth = 64;
        std::vector<T> b(std::size_t(std::min(depth, p.k) * p.n));
        const auto a0 = offset_of(p, p.a, batch), b0 = offset_of(p, p.b, batch);
        for (int64_t i = 0; i < rows; i++)
            gather(p.a.type, at.a, a0 + (first + i) * p.a.row, p.a.column, p.k, a.data() + i * p.k);
        for (int64_t k = 0; k < p.k; k += depth) {
            const auto deep = std::min(depth, p.k - k);
            for (int64_t i = 0; i < deep; i++)
                gather(p.b.type, at.b, b0 + (k + i) * p.b.row, p.b.column, p.n, b.data() + i * p.n);
            multiply_add(sums.data(), std::size_t(p.n), a.data() + k, std::size_t(p.k), b.data(),
                         std::size_t(p.n), std::size_t(rows), std::size_t(p.n), std::size_t(deep));
        }
        if constexpr (std::is_same_v<T, double>)
            finish(batch, first, rows, sums);
        const auto d0 = offset_of(p, p.d, batch);
        for (int64_t i = 0; i < rows; i++)
            scatter(p.d.type, at.d, d0 + (first + i) * p.d.row, p.d.column, p.n,
                    sums.data() + i * p.n);
    }

private:
    void finish(int64_t batch, int64_t first, int64_t rows, std::vector<double>& sums) const {
        std::vector<double> c(std::size_t(p.c ? p.n : 0)), bias;
        if (p.bias != gemm_bias::none) {
            bias.resize(std::size_t(p.bias == gemm_bias::along_n ? p.n : p.m));
            gather(p.bias_type, at.bias, 0, 1, int64_t(bias.size()), bias.data());
        }
        for (int64_t i = 0; i < rows; i++) {
            auto* row = sums.data() + i * p.n;
            if (p.c)
                gather(p.c->type, at.c, offset_of(p, *p.c, batch) + (first + i) * p.c->row,
                       p.c->column, p.n, c.data());
            for (int64_t j = 0; j < p.n; j++) {
                auto x = factor * row[j];
                if (p.c)
                    x += p.beta * c[std::size_t(j)];
                if (p.bias != gemm_bias::none)
                    x += bias[std::size_t(p.bias == gemm_bias::along_n ? j : first + i)];
                row[j] = activated(p.activation, x);
            }
        }
    }

    const gemm_problem& p;
    const gemm_pointers& at;
    double factor = 1;
};

template <class T>
void run_rows(const gemm_problem& p, const gemm_pointers& at) {
    const rows_of_product<T> product(p, at);
    const auto parts = (p.m + rows_at_once - 1) / rows_at_once;
    parallel_for(parts * p.batches(), 1, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++) {
            const auto first = i % parts * rows_at_once;
            product.compute(i / parts, first, std::min(p.m, first + rows_at_once));
        }
    });
}

struct host_gemm : prepared_gemm {
    gemm_problem p;
    explicit host_gemm(gemm_problem problem) : p(std::move(problem)) {}
    void run(const gemm_pointers& at) const override {
        if (p.m == 0 or p.n == 0 or p.batches() == 0)
            return;
        host_put(at.queue, [problem = p, at] {
            if (shape::is_integral(problem.d.type))
                run_rows<uint64_t>(problem, at);
            else
                run_rows<double>(problem, at);
        });
    }
    std::string name() const override { return "host_gemm"; }
};

struct host_library : gemm_library {
    std::string refusal(const gemm_problem& p) const override {
        if (shape::is_integral(p.d.type) and
            (p.c or p.bias != gemm_bias::none or p.activation != gemm_activation::none or
             p.alpha != 1 or p.scaled))
            return "an epilogue on integers";
        // What the device's library refuses, so that null takes the ways that a device does.
        return cublaslt_refusal(p);
    }
    std::unique_ptr<prepared_gemm> prepare(const gemm_problem& p, bool,
                                           std::string&) const override {
        return std::make_unique<host_gemm>(p);
    }
};

} // namespace

const gemm_library& host_gemm_library() {
    static const host_library library;
    return library;
}

} // namespace migraphx::gpu
