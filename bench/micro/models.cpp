// SPDX-License-Identifier: MIT
// Every ONNX file of a folder (bench/micro.py makes those of the study's table) as a benchmark on
// the cpu target, with the flops and bytes of its operators per second.
//   bench_micro FOLDER [Google Benchmark's arguments]
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "ops/cost.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace migraphx;

struct compiled {
    program prog;
    parameter_map parameters;
    cost work;
};

std::shared_ptr<const compiled> compile(const std::string& file, std::size_t threads) {
    auto c = std::make_shared<compiled>();
    c->prog = parse_onnx(file);
    const auto* m = c->prog.get_main_module();
    for (auto ins = m->begin(); ins != m->end(); ++ins)
        c->work += cost_of(ins);
    compile_options options;
    options.num_threads = threads;
    c->prog.compile(make_target("cpu"), options);
    for (const auto& [name, s] : c->prog.get_parameter_shapes())
        c->parameters[name] = generate_argument(s, 1, random_mode::random);
    return c;
}

void run_model(benchmark::State& state, const std::string& file, std::size_t threads) {
    const auto c = compile(file, threads);
    for (auto _ : state)
        benchmark::DoNotOptimize(c->prog.eval(c->parameters));
    const auto rate = benchmark::Counter::kIsIterationInvariantRate;
    state.counters["flops"] = benchmark::Counter(c->work.flops, rate);
    state.counters["bytes"] = benchmark::Counter(c->work.bytes, rate);
}

} // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (argc != 2) {
        std::cerr << "usage: bench_micro FOLDER-OF-ONNX-FILES [--benchmark_...]\n";
        return 2;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
        if (entry.path().extension() == ".onnx")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& f : files)
        for (std::size_t threads : {1, 2})
            benchmark::RegisterBenchmark(
                (f.stem().string() + "/threads:" + std::to_string(threads)).c_str(), run_model,
                f.string(), threads)
                ->UseRealTime()
                ->Unit(benchmark::kMicrosecond);
    benchmark::RunSpecifiedBenchmarks();
}
