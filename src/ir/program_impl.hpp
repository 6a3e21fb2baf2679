// SPDX-License-Identifier: MIT
#pragma once

#include <migraphx/compile_options.hpp>
#include <migraphx/context.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>
#include <migraphx/target.hpp>

#include "ir/artifacts.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx {

struct program_impl {
    // Modules never move: instructions refer to them by address.
    std::map<std::string, module> modules;
    std::vector<context> contexts;
    std::vector<target> targets;
    std::vector<std::string> output_names;
    // The model's names of a parameter's dimensions, "" for one without. Dimensions of one name
    // have one size.
    std::map<std::string, std::vector<std::string>> dimension_names;
    // Reads the model again, with each size that it leaves open ranging from 1 to what it is in the
    // given program; none when that program is not what the model gives any more. Dropped by
    // compile.
    std::function<std::optional<program>(const program&)> read_with_ranges;
    compile_options options;
    // Made by the target while it compiles, saved with the program; never null once compiled.
    std::shared_ptr<artifact_store> artifacts;
    // What runs the program; belongs to runtime/. Immutable, shared by copies.
    std::shared_ptr<executable> exec;
};

/// Makes the executable of a compiled program that was read from a file; runtime/ sets it.
extern void (*restore_executable)(program&);

/// The parts of a program that runtime/ fills in.
struct program_access {
    static program_impl& impl(program& p);
    static const program_impl& impl(const program& p);
};

} // namespace migraphx
