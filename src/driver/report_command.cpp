// SPDX-License-Identifier: MIT
// report: what a model needs, without compiling it. Exit code 1 when something is not supported.
#include "driver/commands.hpp"

#include <migraphx/json.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

namespace migraphx::driver {

namespace {

struct report_command : command {
    loader model;
    bool json = false;
    std::string name() const override { return "report"; }
    std::string summary() const override {
        return "what a model needs, and what of it is not supported";
    }
    void add_to(CLI::App& app) override {
        app.add_option("file", model.file, "model: .onnx or .pb (TensorFlow)");
        model.add_reading_to(app);
        app.add_flag("--json", json, "as JSON");
    }
    int run() override {
        const auto report = model.report();
        std::cout << (json ? to_pretty_json_string(report) + '\n' : report_text(report));
        return report.at("supported").to<bool>() ? 0 : 1;
    }
};

} // namespace

void add_report_command(command_list& list) {
    list.push_back(std::make_unique<report_command>());
}

} // namespace migraphx::driver
