// SPDX-License-Identifier: MIT
// migraphx-driver COMMAND …: reads, compiles, runs, measures and checks models.
// Exit codes: 0 good, 1 differs or failed, 2 wrong usage.
#include "driver/commands.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/version.hpp>

#include "base/settings.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <map>

namespace {

using namespace migraphx;

void set_log_level(const std::string& level) {
    static const std::map<std::string, log::severity> names{
        {"none", log::severity::none},   {"0", log::severity::none},
        {"error", log::severity::error}, {"1", log::severity::error},
        {"warn", log::severity::warn},   {"2", log::severity::warn},
        {"info", log::severity::info},   {"3", log::severity::info},
        {"debug", log::severity::debug}, {"4", log::severity::debug},
        {"trace", log::severity::trace}, {"5", log::severity::trace}};
    auto it = names.find(level);
    if (it == names.end())
        throw driver::usage_error(
            "--log-level: none, error, warn, info, debug or trace was expected, got '" + level +
            "'");
    log::set_severity(it->second);
}

// The words after the program's name, last first, as CLI11 takes them. It would split a word in
// brackets at its commas; JSON may begin with a space, and is left alone then.
std::vector<std::string> words_of(int argc, char** argv) {
    std::vector<std::string> words;
    for (int i = argc - 1; i > 0; i--)
        words.push_back(argv[i][0] == '[' ? std::string(" ") + argv[i] : argv[i]);
    return words;
}

// Says at the end which variables of the environment were read and which nothing knows: settings of
// a target are known once its library is loaded.
class environment_report {
public:
    environment_report() = default;
    environment_report(const environment_report&) = delete;
    environment_report& operator=(const environment_report&) = delete;
    ~environment_report() {
        log_read_settings();
        warn_unknown_settings();
    }
};

int run(int argc, char** argv) {
    CLI::App app{"Reads, compiles, runs, measures and checks models", "migraphx-driver"};
    app.set_version_flag("--version,-v", std::string("MIGraphX Version: ") + MIGRAPHX_VERSION_TEXT);
    app.require_subcommand(0, 1);
    int code = 0;
    std::string level;
    std::vector<std::string> files;
    std::string line = "migraphx-driver";
    for (int i = 1; i < argc; i++)
        line += std::string(" ") + argv[i];
    auto commands = driver::make_commands();
    for (auto& c : commands) {
        auto* sub = app.add_subcommand(c->name(), c->summary());
        c->add_to(*sub);
        sub->add_option("--log-level", level, "none, error, warn, info, debug or trace");
        sub->add_option("--log-file", files, "files that get the log as well")->expected(1, -1);
        sub->callback([&, command = c.get()] {
            if (not level.empty())
                set_log_level(level);
            for (const auto& f : files)
                log::add_file_logger(f);
            const environment_report at_end;
            const auto start = std::chrono::steady_clock::now();
            log::info() << "Running [ MIGraphX Version: " << MIGRAPHX_VERSION_TEXT
                        << " ]: " << line;
            code = command->run();
            const std::chrono::duration<double> s = std::chrono::steady_clock::now() - start;
            log::info() << "[ MIGraphX Version: " << MIGRAPHX_VERSION_TEXT << " ] Complete("
                        << s.count() << "s): " << line;
        });
    }
    try {
        app.parse(words_of(argc, argv));
        if (argc == 1)
            std::cout << app.help();
    } catch (const CLI::ParseError& e) {
        return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    }
    return code;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const driver::usage_error& e) {
        std::cerr << "migraphx-driver: " << e.what() << '\n';
        return 2;
    } catch (const std::exception& e) {
        std::cerr << "migraphx-driver: " << e.what() << '\n';
        return 1;
    }
}
