// SPDX-License-Identifier: MIT
#include "isolated.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <poll.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace fuzz {

namespace {

// A child and the end of the pipe that it writes to.
struct worker {
    pid_t pid = -1;
    int from = -1;
    std::string pending;    // bytes of a message that is not complete
    std::uint64_t next = 0; // seed that it works on
    std::chrono::steady_clock::time_point since;
};

void write_all(int to, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const auto n = write(to, bytes.data() + at, bytes.size() - at);
        if (n <= 0)
            _exit(3);
        at += std::size_t(n);
    }
}

// Starts f(descriptor to write to) in a child.
worker start(const std::function<void(int)>& f) {
    int ends[2];
    if (pipe(ends) != 0)
        throw std::runtime_error("pipe: a pair of descriptors was expected, got " +
                                 std::string(std::strerror(errno)));
    std::fflush(nullptr);
    worker w;
    w.since = std::chrono::steady_clock::now();
    w.pid = fork();
    if (w.pid < 0)
        throw std::runtime_error("fork: a process was expected, got " +
                                 std::string(std::strerror(errno)));
    if (w.pid == 0) {
        close(ends[0]);
        f(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    w.from = ends[0];
    return w;
}

// How the child ended; empty for a return.
std::string end_of(worker& w) {
    close(w.from);
    int status = 0;
    waitpid(w.pid, &status, 0);
    if (WIFSIGNALED(status))
        return "signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) +
               ")";
    return WEXITSTATUS(status) == 0 ? "" : "exit code " + std::to_string(WEXITSTATUS(status));
}

double age(const worker& w) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - w.since).count();
}

std::string safely(const std::function<std::string()>& f) {
    try {
        return f();
    } catch (const std::exception& e) {
        return std::string("exception: ") + e.what();
    }
}

} // namespace

outcome isolated(const std::function<std::string()>& f, double seconds) {
    auto w = start([&](int to) { write_all(to, safely(f)); });
    outcome result;
    char buffer[1 << 16];
    while (true) {
        pollfd ready{w.from, POLLIN, 0};
        if (poll(&ready, 1, 200) > 0) {
            const auto n = read(w.from, buffer, sizeof buffer);
            if (n <= 0)
                break;
            result.text.append(buffer, std::size_t(n));
        } else if (age(w) > seconds) {
            kill(w.pid, SIGKILL);
            end_of(w);
            result.fault = "took more than " + std::to_string(int(seconds)) + " s";
            return result;
        }
    }
    result.fault = end_of(w);
    return result;
}

void for_each_seed(std::uint64_t first, std::uint64_t count, unsigned jobs,
                   const std::function<std::string(std::uint64_t)>& f,
                   const std::function<void(std::uint64_t, const std::string&)>& failed,
                   double seconds) {
    const auto last = first + count;
    // Each seed ends with a line: its message, without line ends.
    const auto launch = [&](std::uint64_t from) {
        auto w = start([&, from](int to) {
            for (auto seed = from; seed < last; seed += jobs) {
                auto message = safely([&] { return f(seed); });
                std::replace(message.begin(), message.end(), '\n', ' ');
                write_all(to, message + "\n");
            }
        });
        w.next = from;
        return w;
    };
    std::vector<worker> workers;
    for (unsigned j = 0; j < jobs and first + j < last; ++j)
        workers.push_back(launch(first + j));
    const auto restart = [&](worker& w, const std::string& why) {
        failed(w.next, why);
        const auto next = w.next + jobs;
        if (next < last)
            w = launch(next);
        else
            w.pid = -1;
    };
    char buffer[1 << 14];
    while (
        std::any_of(workers.begin(), workers.end(), [](const worker& w) { return w.pid >= 0; })) {
        std::vector<pollfd> ready;
        for (const auto& w : workers)
            ready.push_back({w.pid >= 0 ? w.from : -1, POLLIN, 0});
        poll(ready.data(), nfds_t(ready.size()), 200);
        for (std::size_t i = 0; i < workers.size(); ++i) {
            auto& w = workers[i];
            if (w.pid < 0)
                continue;
            if (ready[i].revents == 0) {
                if (age(w) > seconds) {
                    kill(w.pid, SIGKILL);
                    end_of(w);
                    restart(w, "took more than " + std::to_string(int(seconds)) + " s");
                }
                continue;
            }
            const auto n = read(w.from, buffer, sizeof buffer);
            if (n <= 0) {
                const auto fault = end_of(w);
                if (w.next < last)
                    restart(w, fault.empty() ? "ended early" : fault);
                else
                    w.pid = -1;
                continue;
            }
            w.pending.append(buffer, std::size_t(n));
            for (auto end = w.pending.find('\n'); end != std::string::npos;
                 end = w.pending.find('\n')) {
                const auto message = w.pending.substr(0, end);
                w.pending.erase(0, end + 1);
                if (not message.empty())
                    failed(w.next, message);
                w.next += jobs;
                w.since = std::chrono::steady_clock::now();
            }
        }
    }
}

} // namespace fuzz
