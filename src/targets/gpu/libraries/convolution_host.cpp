// SPDX-License-Identifier: MIT
// Convolutions of the host device: the operator's reference in double, then the steps.
#include "base/parallel.hpp"
#include "base/str.hpp"
#include "ops/tensor.hpp"
#include "targets/gpu/device/host.hpp"
#include "targets/gpu/libraries/convolution.hpp"

#include <migraphx/argument.hpp>
#include <migraphx/make_op.hpp>

#include <algorithm>
#include <cmath>

namespace migraphx::gpu {

namespace {

double between(double x, double lo, double hi) {
    return std::min(std::max(x, lo), hi);
}

double apply_step(const post_operation& op, double u, double v) {
    const double a = op.alpha, b = op.beta;
    switch (op.algorithm) {
    case post_algorithm::linear:
        return a * u + b;
    case post_algorithm::relu:
        return u > 0 ? u : a * u;
    case post_algorithm::clip:
        return between(u, a, b);
    case post_algorithm::elu:
        return u > 0 ? u : a * std::expm1(u);
    case post_algorithm::sigmoid:
        return 1 / (1 + std::exp(-u));
    case post_algorithm::tanh:
        return std::tanh(u);
    case post_algorithm::sqrt:
        return std::sqrt(u);
    case post_algorithm::exp:
        return std::exp(u);
    case post_algorithm::abs:
        return std::fabs(u);
    case post_algorithm::swish:
        return u / (1 + std::exp(-a * u));
    case post_algorithm::hardswish:
        return u * between(a * u + b, 0, 1);
    case post_algorithm::hardsigmoid:
        return between(a * u + b, 0, 1);
    case post_algorithm::gelu_erf:
        return u / 2 * (1 + std::erf(u * std::sqrt(0.5)));
    case post_algorithm::gelu_tanh:
        return u / 2 *
               (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (u + 0.044715 * u * u * u)));
    case post_algorithm::add:
        return u + v;
    case post_algorithm::sub:
        return u - v;
    case post_algorithm::mul:
        return u * v;
    case post_algorithm::div:
        return u / v;
    case post_algorithm::max:
        return std::max(u, v);
    case post_algorithm::min:
        return std::min(u, v);
    }
    return u;
}

std::vector<std::size_t> sizes(const std::vector<int64_t>& v) {
    return {v.begin(), v.end()};
}

struct host_convolution : prepared_convolution {
    convolution_desc d;
    operation sums;
    device& on;

    host_convolution(convolution_desc given, device& host) : d(std::move(given)), on(host) {
        auto padding = sizes(d.before);
        for (auto n : d.after)
            padding.push_back(std::size_t(n));
        sums = make_op(d.transposed ? "convolution_backwards" : "convolution",
                       {{"padding", padding},
                        {"stride", sizes(d.stride)},
                        {"dilation", sizes(d.dilation)},
                        {"group", d.group}});
    }

    std::string name() const override { return "host convolution"; }

    void compute(const convolution_pointers& p, const std::vector<const void*>& operands) const {
        const auto seen = [](const shape& s, const void* data) {
            return argument{s, static_cast<char*>(const_cast<void*>(data))};
        };
        const auto y =
            sums.compute(shape{shape::double_type, d.y.lens()}, {seen(d.x, p.x), seen(d.w, p.w)});
        auto* values = reinterpret_cast<double*>(y.data());
        const auto count = d.y.elements();
        std::size_t used = 0;
        for (const auto& step : d.steps) {
            std::vector<double> other;
            if (step.what.is_binary())
                other = load<double>(seen(step.operand, operands[used++]));
            for (std::size_t i = 0; i < count; i++)
                values[i] = apply_step(step.what, values[i], other.empty() ? 0 : other[i]);
        }
        store(seen(d.y, p.y), 0, count, values);
    }

    void run(const convolution_pointers& given, stream s) const override {
        std::vector<const void*> operands;
        for (const auto& step : d.steps)
            if (step.what.is_binary())
                operands.push_back(given.operands[operands.size()]);
        host_put(s, [this, given, operands] { compute(given, operands); });
    }
};

struct host_library : convolution_library {
    device& on;
    explicit host_library(device& host) : on(host) {}
    std::string name() const override { return "host"; }
    std::vector<std::shared_ptr<const prepared_convolution>>
    prepare(const convolution_desc& d, std::size_t most, artifact_store*, std::string&) override {
        std::vector<std::shared_ptr<const prepared_convolution>> result;
        if (most > 0)
            result.push_back(std::make_shared<host_convolution>(d, on));
        return result;
    }
};

} // namespace

convolution_library& host_convolutions(device& host) {
    static host_library library(host);
    return library;
}

} // namespace migraphx::gpu
