// SPDX-License-Identifier: MIT
// The system's C++ compiler, for the host device: text to a shared object.
#include <migraphx/errors.hpp>
#include <migraphx/tmp_dir.hpp>

#include "base/files.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "targets/gpu/compiler/compilers.hpp"
#include "targets/gpu/compiler/source_text.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <vector>

extern char** environ; // NOLINT: its name is the system's

namespace migraphx::gpu {

namespace {

const setting<std::string> command{"MIGRAPHX_GPU_HOST_CXX", "g++",
                                   "C++ compiler of the target null, with its arguments"};

// Little work for the compiler; symbols stay inside, so that two pieces of code with functions of
// equal names do not meet. Signed integers wrap and memory has no type, as on a GPU.
const char* const options = "-x c++ -std=c++17 -O1 -w -shared -fPIC -fvisibility=hidden "
                            "-fno-gnu-unique -fno-exceptions -fno-rtti -fno-math-errno "
                            "-fno-trapping-math -fwrapv -fno-strict-aliasing -nostdlib";

std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> result;
    for (std::string word; in >> word;)
        result.push_back(word);
    return result;
}

// Runs it and waits; what it prints goes to `log`. The exit status, or -1 and errno.
int run_command(const std::vector<std::string>& words, const fs::path& log) {
    std::vector<char*> argv;
    for (const auto& w : words)
        argv.push_back(const_cast<char*>(w.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = 0;
    const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        errno = error;
        return -1;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Where the shell would find it.
fs::path find_program(const std::string& name) {
    if (name.find('/') != std::string::npos)
        return name;
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
    std::error_code error;
    for (std::string folder; std::getline(folders, folder, ':');)
        if (fs::exists(fs::path(folder) / name, error))
            return fs::path(folder) / name;
    return {};
}

struct host_cxx : source_compiler {
    std::string form() override {
#if defined(__x86_64__)
        return str("x86_64 ", options);
#elif defined(__aarch64__)
        return str("aarch64 ", options);
#else
        return str("other ", options);
#endif
    }

    // The program's file stands for its version.
    std::string version() override {
        static const std::string text = [] {
            const auto parts = words(command);
            const auto file = parts.empty() ? fs::path{} : find_program(parts.front());
            std::error_code error;
            const auto real = fs::canonical(file, error);
            if (error)
                return std::string{};
            const auto size = fs::file_size(real, error);
            const auto time = fs::last_write_time(real, error).time_since_epoch().count();
            return str(command.get(), " ", real.native(), " ", size, " ", time);
        }();
        return text;
    }

    object_code compile(const std::string& text, const std::string& source,
                        const device_properties&) override {
        const tmp_dir folder("migraphx-code");
        const auto in = folder.path / "kernel.cpp", out = folder.path / "kernel.so",
                   log = folder.path / "log";
        auto whole = text;
        for (const auto& entry : entries_of(source))
            whole += str("MGX_HOST_ENTRY(", entry, ")\n");
        file_writer writer(in);
        writer.write(whole);
        writer.commit();
        auto line = words(str(command.get(), " ", options));
        line.insert(line.end(), {in.native(), "-o", out.native(), "-lm", "-lgcc"});
        const int status = run_command(line, log);
        if (status < 0)
            fail(error_kind::unsupported,
                 str("target null: the C++ compiler ", command.get(),
                     " cannot be run: ", std::strerror(errno),
                     "; generated code needs one (MIGRAPHX_GPU_HOST_CXX names it)"));
        if (status != 0)
            fail(error_kind::internal,
                 str("generated code does not compile on the host; the source is kept in ",
                     keep_failed_source(whole), "\n", mapped_file(log).view()));
        return {std::string(mapped_file(out).view()), {}};
    }
};

} // namespace

source_compiler& host_compiler() {
    static host_cxx c;
    return c;
}

} // namespace migraphx::gpu
