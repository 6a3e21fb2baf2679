// SPDX-License-Identifier: MIT
// op, onnx, tf, passes, settings.
#include "driver/commands.hpp"

#include <migraphx/json.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/register_op.hpp>
#include <migraphx/tf.hpp>

#include "base/settings.hpp"
#include "driver/listing_json.hpp"
#include "passes/pass_registry.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace migraphx::driver {

namespace {

struct op_command : command {
    std::string op;
    bool list = false, json = false;
    std::string name() const override { return "op"; }
    std::string summary() const override {
        return "print an operator's attributes with their defaults";
    }
    void add_to(CLI::App& app) override {
        app.add_option("operator", op, "name of an operator");
        app.add_flag("--list,-l", list, "names of all operators");
        app.add_flag("--json", json, "all of them with their attributes, as JSON");
    }
    int run() override {
        if (json)
            std::cout << to_pretty_json_string(operator_table()) << '\n';
        else if (list)
            for (const auto& n : get_operators())
                std::cout << n << '\n';
        else if (op.empty())
            throw usage_error("op: an operator or --list was expected");
        else {
            const auto o = load_op(op);
            std::cout << op << ":\n" << to_pretty_json_string(o.to_value()) << '\n';
        }
        return 0;
    }
};

struct list_command : command {
    std::string title, text;
    std::vector<std::string> (*items)();
    bool list = false, json = false, needs_flag;
    value (*table)();
    list_command(std::string n, std::string s, std::vector<std::string> (*f)(), bool flag,
                 value (*t)() = nullptr)
        : title(std::move(n)), text(std::move(s)), items(f), needs_flag(flag), table(t) {}
    std::string name() const override { return title; }
    std::string summary() const override { return text; }
    void add_to(CLI::App& app) override {
        app.add_flag("--list,-l", list, "print the names");
        if (table != nullptr)
            app.add_flag("--json", json, "with domains and limits, as JSON");
    }
    int run() override {
        if (json) {
            std::cout << to_pretty_json_string(table()) << '\n';
            return 0;
        }
        if (needs_flag and not list)
            throw usage_error(title + ": --list was expected");
        for (const auto& x : items())
            std::cout << x << '\n';
        return 0;
    }
};

struct settings_command : command {
    std::string name() const override { return "settings"; }
    std::string summary() const override {
        return "environment variables, their defaults and meanings";
    }
    void add_to(CLI::App&) override {}
    int run() override {
        for (const auto& x : list_settings())
            std::cout << x.name
                      << (x.type.empty()
                              ? ""
                              : " (" + x.type + ", default " +
                                    (x.default_text.empty() ? "\"\"" : x.default_text) + ")")
                      << (x.help.empty() ? "" : ": " + x.help) << '\n';
        return 0;
    }
};

} // namespace

void add_listing_commands(command_list& list) {
    list.push_back(std::make_unique<op_command>());
    list.push_back(std::make_unique<list_command>(
        "onnx", "ONNX operators that can be read", [] { return get_onnx_operators(); }, true,
        onnx_table));
    list.push_back(std::make_unique<list_command>(
        "tf", "TensorFlow operators that can be read", [] { return get_tf_operators(); }, true,
        tf_table));
    list.push_back(std::make_unique<list_command>(
        "passes", "passes for --apply-pass", [] { return get_pass_names(); }, false));
    list.push_back(std::make_unique<settings_command>());
}

command_list make_commands() {
    command_list list;
    add_model_commands(list);
    add_report_command(list);
    add_timing_commands(list);
    add_verify_command(list);
    add_listing_commands(list);
    return list;
}

} // namespace migraphx::driver
