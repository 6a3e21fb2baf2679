// SPDX-License-Identifier: MIT
// read, params, compile, run.
#include "driver/commands.hpp"

#include <migraphx/logger.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

namespace migraphx::driver {

namespace {

struct read_command : command {
    loader model;
    writer out;
    std::string name() const override { return "read"; }
    std::string summary() const override { return "read a model and write it as a program"; }
    void add_to(CLI::App& app) override {
        model.add_to(app);
        out.add_to(app);
    }
    int run() override {
        out.write(model.load());
        return 0;
    }
};

struct params_command : command {
    loader model;
    std::string name() const override { return "params"; }
    std::string summary() const override { return "print a model's inputs and their shapes"; }
    void add_to(CLI::App& app) override { model.add_to(app); }
    int run() override {
        const auto p = model.load();
        for (const auto& n : p.get_parameter_names())
            std::cout << n << ": " << p.get_parameter_shape(n) << '\n';
        return 0;
    }
};

struct compile_command : command {
    loader model;
    writer out;
    filler fill;
    compiler how;
    std::string name() const override { return "compile"; }
    std::string summary() const override { return "compile a model and write the result"; }
    void add_to(CLI::App& app) override {
        model.add_to(app);
        out.add_to(app);
        fill.add_to(app);
        how.add_to(app);
    }
    program compiled() {
        auto p = model.load();
        how.quantize(p, [&] { return fill.fill(p, model); });
        if (p.is_compiled())
            return p;
        how.compile(p);
        out.write(p);
        return p;
    }
    int run() override {
        compiled();
        return 0;
    }
};

struct run_command : compile_command {
    std::string name() const override { return "run"; }
    std::string summary() const override { return "compile a model and run it once"; }
    int run() override {
        auto p = compiled();
        log::info() << "Allocating params ... ";
        const auto params = for_target(p, fill.fill(p, model));
        log::info() << "Running ... ";
        p.eval(params);
        std::cout << p << std::endl;
        return 0;
    }
};

} // namespace

void add_model_commands(command_list& list) {
    list.push_back(std::make_unique<read_command>());
    list.push_back(std::make_unique<params_command>());
    list.push_back(std::make_unique<compile_command>());
    list.push_back(std::make_unique<run_command>());
}

} // namespace migraphx::driver
