// SPDX-License-Identifier: MIT
#include "runtime/trace_eval.hpp"

#include <migraphx/instruction.hpp>

#include "base/settings.hpp"
#include "ops/tensor.hpp"

#include <chrono>
#include <cmath>
#include <iostream>

namespace migraphx {

namespace {

const setting<int> trace_eval{
    "MIGRAPHX_TRACE_EVAL", 0,
    "print each instruction as it runs: 1 times, 2 statistics, 3 full outputs"};

void print_statistics(const argument& a, int level) {
    const auto values = load<double>(a);
    if (level >= 3) {
        std::cerr << "Output: {" << a.to_string() << "}\n";
        return;
    }
    double lo = INFINITY, hi = -INFINITY, sum = 0;
    std::size_t nans = 0, infs = 0;
    for (auto v : values) {
        if (std::isnan(v))
            nans++;
        else if (std::isinf(v))
            infs++;
        else {
            lo = std::min(lo, v);
            hi = std::max(hi, v);
            sum += v;
        }
    }
    std::cerr << "Output has " << values.size() << " elements, min " << lo << ", max " << hi
              << ", mean " << (values.empty() ? 0 : sum / double(values.size())) << ", " << nans
              << " NaN, " << infs << " Inf; first";
    for (std::size_t i = 0; i < values.size() and i < 5; i++)
        std::cerr << ' ' << values[i];
    std::cerr << '\n';
}

} // namespace

int trace_eval_level() {
    return trace_eval;
}

void traced_step(instruction_ref ins, const execution_environment& env,
                 const std::function<argument()>& work) {
    const int level = trace_eval_level();
    if (level > 0)
        std::cerr << "Run instruction: " << ins->get_operator() << " -> " << ins->get_shape()
                  << '\n';
    const auto start = std::chrono::steady_clock::now();
    const auto result = work();
    const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
    if (level > 0)
        std::cerr << "Time: " << ms.count() << "ms, " << ms.count() << "ms\n";
    if (level > 1 and not result.empty() and result.get_shape().computable())
        print_statistics(result, level);
    if (env.trace)
        env.trace(ins, result);
}

} // namespace migraphx
