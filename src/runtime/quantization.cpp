// SPDX-License-Identifier: MIT
// quantize_*: passes over a program, with calibration runs where ranges are needed.
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/quantization.hpp>
#include <migraphx/quantize_8bits.hpp>
#include <migraphx/quantize_int4.hpp>
#include <migraphx/truncate_float.hpp>

#include "base/settings.hpp"
#include "base/str.hpp"
#include "ir/number_kinds.hpp"
#include "ops/tensor.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <mutex>

namespace migraphx {

namespace {

const setting<bool> trace_parameters{"MIGRAPHX_8BITS_QUANTIZATION_PARAMS", false,
                                     "print the scales of calibration, to stderr"};

void expect_uncompiled(const program& p, const char* name) {
    if (p.is_compiled())
        fail(error_kind::invalid_argument,
             std::string(name) +
                 ": a program that is not compiled was expected, got a compiled one");
}

void quantize_float(program& p, const std::vector<std::string>& names, shape::type_t t,
                    const char* who) {
    expect_uncompiled(p, who);
    // Batch normalizations move into the weights first, which are then rounded once. Where sizes
    // are open, images are seen to be read as they are.
    run_passes(p, {make_pass("normalize_ops"), make_pass("drop_broadcasts"),
                   make_pass("fold_convolution"), make_pass("drop_broadcasts"),
                   truncate_float_pass{names, t}});
}

// The largest finite magnitude of an argument.
double largest_magnitude(const argument& a) {
    double result = 0;
    for (auto x : load<double>(a))
        if (std::isfinite(x))
            result = std::max(result, std::fabs(x));
    return result;
}

struct eight_bits {
    shape::type_t precision;
    float factor; ///< of activations without calibration
    std::unordered_set<std::string> names;
};

void quantize_8bits(program& p, const target& t, const std::vector<parameter_map>& calibration,
                    const eight_bits& how) {
    std::mutex mutex;
    std::vector<double> largest;
    std::size_t count = 0;
    const auto see = [&](std::size_t i, const std::vector<argument>& in) {
        const auto x = largest_magnitude(in.front());
        const std::lock_guard lock(mutex);
        largest.at(i) = std::max(largest.at(i), x);
    };
    run_passes(p, {make_pass("normalize_ops"), capture_arguments_pass{how.names, see, &count}});
    largest.assign(count, 0);
    if (count > 0 and not calibration.empty()) {
        auto running = p;
        compile_options host_memory; // what the calibration data lie in
        host_memory.offload_copy = true;
        running.compile(t, host_memory);
        for (const auto& parameters : calibration)
            (void)running.eval(parameters);
    }
    const auto top = number_limits(how.precision).second;
    std::vector<std::pair<float, float>> params;
    for (auto x : largest) {
        // A value that was 0 or never seen needs no scale.
        const auto factor = calibration.empty() ? double{how.factor} : x > 0 ? top / x : 1.0;
        params.emplace_back(static_cast<float>(factor), 0.0f);
        if (trace_parameters.get())
            std::cerr << "quantisation: value " << params.size() - 1 << ": largest " << x
                      << ", factor " << factor << '\n';
    }
    run_passes(p, {quantize_8bits_pass{how.precision, params, how.names}});
}

} // namespace

void quantize_fp16(program& prog, const std::vector<std::string>& ins_names) {
    quantize_float(prog, ins_names, shape::half_type, "quantize_fp16");
}

void quantize_bf16(program& prog, const std::vector<std::string>& ins_names) {
    quantize_float(prog, ins_names, shape::bf16_type, "quantize_bf16");
}

void quantize_int8(program& prog, const target& t, const std::vector<parameter_map>& calibration,
                   const std::unordered_set<std::string>& ins_names) {
    expect_uncompiled(prog, "quantize_int8");
    for (const auto& name : ins_names)
        if (name != "dot" and name != "convolution")
            fail(error_kind::invalid_argument,
                 "quantize_int8: operators among dot and convolution were expected, got '" + name +
                     "'");
    quantize_8bits(prog, t, calibration, {shape::int8_type, 64, ins_names});
}

void quantize_fp8(program& prog, const target& t, const std::vector<parameter_map>& calibration) {
    expect_uncompiled(prog, "quantize_fp8");
    quantize_8bits(prog, t, calibration, {shape::fp8e4m3fn_type, 1, {"dot", "convolution"}});
}

void quantize_int4_weights(program& prog) {
    expect_uncompiled(prog, "quantize_int4_weights");
    run_passes(prog, {make_pass("normalize_ops"), quantize_int4_pass{}});
}

} // namespace migraphx
