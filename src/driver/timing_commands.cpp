// SPDX-License-Identifier: MIT
// perf, time.
#include "driver/commands.hpp"

#include <migraphx/logger.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>

namespace migraphx::driver {

namespace {

struct timed_command : command {
    loader model;
    writer out;
    filler fill;
    compiler how;
    std::size_t iterations = 100;
    void add_to(CLI::App& app) override {
        model.add_to(app);
        out.add_to(app);
        fill.add_to(app);
        how.add_to(app);
        app.add_option("--iterations,-n", iterations, "runs that are timed")
            ->check(CLI::PositiveNumber);
    }
    program compiled() {
        auto p = model.load();
        how.quantize(p, [&] { return fill.fill(p, model); });
        if (not p.is_compiled()) {
            how.compile(p);
            out.write(p);
        }
        return p;
    }
};

struct perf_command : timed_command {
    bool detailed = false;
    std::string name() const override { return "perf"; }
    std::string summary() const override { return "time a model and each of its instructions"; }
    void add_to(CLI::App& app) override {
        timed_command::add_to(app);
        app.add_flag("--detailed,-d", detailed, "group the summary by operator and output");
    }
    int run() override {
        auto p = compiled();
        log::info() << "Allocating params ... ";
        const auto params = for_target(p, fill.fill(p, model));
        log::info() << "Running performance report ... ";
        p.perf_report(std::cout, iterations, params, model.batch, detailed);
        return 0;
    }
};

struct time_command : timed_command {
    std::string name() const override { return "time"; }
    std::string summary() const override { return "mean time of one run"; }
    int run() override {
        auto p = compiled();
        const auto params = for_target(p, fill.fill(p, model));
        for (int i = 0; i < 2; i++) // a target may record its second run to replay it
            p.eval(params);
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < iterations; i++)
            p.eval(params);
        p.finish();
        const std::chrono::duration<double, std::milli> ms =
            std::chrono::steady_clock::now() - start;
        std::cout << "Total time: " << ms.count() / double(iterations) << "ms" << std::endl;
        return 0;
    }
};

} // namespace

void add_timing_commands(command_list& list) {
    list.push_back(std::make_unique<perf_command>());
    list.push_back(std::make_unique<time_command>());
}

} // namespace migraphx::driver
