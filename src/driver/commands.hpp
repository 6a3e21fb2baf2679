// SPDX-License-Identifier: MIT
#pragma once

#include "driver/options.hpp"

#include <memory>
#include <string>
#include <vector>

namespace migraphx::driver {

struct command {
    virtual ~command() = default;
    virtual std::string name() const = 0;
    virtual std::string summary() const = 0;
    virtual void add_to(CLI::App& app) = 0;
    virtual int run() = 0; ///< exit code
};

using command_list = std::vector<std::unique_ptr<command>>;

void add_model_commands(command_list& list);  ///< read params compile run
void add_timing_commands(command_list& list); ///< perf time
void add_verify_command(command_list& list);
void add_report_command(command_list& list);
void add_listing_commands(command_list& list); ///< op onnx tf passes settings

command_list make_commands();

} // namespace migraphx::driver
