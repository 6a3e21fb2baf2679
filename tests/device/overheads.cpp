// SPDX-License-Identifier: MIT
// What a run costs beside its kernels, on a gpu: each function of the device that a run calls, and
// whole runs. Prints microseconds; asked for by --gtest_also_run_disabled_tests.
#include <migraphx/gpu/hip.hpp>
#include <migraphx/register_target.hpp>

#include "device/devices.hpp"
#include "ir/text_parser.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

namespace device_test {
namespace {

double microseconds(const std::function<void()>& f, int repeats = 200) {
    using clock = std::chrono::steady_clock;
    std::vector<double> times;
    for (int i = 0; i < repeats; i++) {
        const auto start = clock::now();
        f();
        times.push_back(std::chrono::duration<double, std::micro>(clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

struct overheads : on_device {
    static void show(const char* what, const std::function<void()>& f) {
        std::printf("%8.2f us  %s\n", microseconds(f), what);
    }
};

TEST_P(overheads, DISABLED_functions_of_a_device) {
    const auto a = d->allocate(1 << 20), b = d->allocate(1 << 20);
    const auto pinned = d->allocate_pinned(1 << 20);
    std::vector<char> plain(1 << 20);
    const auto e = d->make_event();
    show("make_current", [&] { d->make_current(); });
    show("owns, device memory", [&] { d->owns(a.get()); });
    show("owns, host memory", [&] { d->owns(plain.data()); });
    show("record on the default stream", [&] { e->record(nullptr); });
    show("wait_for it", [&] { e->wait_for(s); });
    show("synchronize after that", [&] { d->synchronize(s); });
    show("synchronize, nothing queued", [&] { d->synchronize(s); });
    show("record and wait_for and synchronize", [&] {
        e->record(nullptr);
        e->wait_for(s);
        d->synchronize(s);
    });
    show("4 KiB on the device", [&] { d->copy(a.get(), b.get(), 4096, copy_kind::on_device, s); });
    show("... and synchronize", [&] {
        d->copy(a.get(), b.get(), 4096, copy_kind::on_device, s);
        d->synchronize(s);
    });
    show("4 KiB from pinned memory",
         [&] { d->copy(a.get(), pinned.get(), 4096, copy_kind::to_device, s); });
    show("... and synchronize", [&] {
        d->copy(a.get(), pinned.get(), 4096, copy_kind::to_device, s);
        d->synchronize(s);
    });
    show("1 MiB from pinned memory and synchronize", [&] {
        d->copy(a.get(), pinned.get(), 1 << 20, copy_kind::to_device, s);
        d->synchronize(s);
    });
    show("1 MiB from plain memory and synchronize", [&] {
        d->copy(a.get(), plain.data(), 1 << 20, copy_kind::to_device, s);
        d->synchronize(s);
    });
    show("allocate and let go, 4 KiB", [&] { d->allocate(4096); });
    show("make an event", [&] { d->make_event(); });
    for (const int n : {1, 10, 100}) {
        d->begin_recording(s);
        for (int i = 0; i < n; i++)
            d->fill(a.get() + 256 * i, 0, 64, s);
        const auto graph = d->end_recording(s);
        show(("graph of " + std::to_string(n) + " fills: launch").c_str(),
             [&] { graph->launch(s); });
        d->synchronize(s);
        show("... and synchronize", [&] {
            graph->launch(s);
            d->synchronize(s);
        });
    }
}

TEST_P(overheads, DISABLED_runs) {
    if (not is_gpu())
        GTEST_SKIP() << "what the host costs is known";
    using namespace migraphx;
    std::string text = "x0 = @param:x0 -> float_type, {128, 768}\n";
    constexpr int steps = 40;
    for (int i = 0; i < steps; i++)
        text += "x" + std::to_string(i + 1) + " = softmax[axis=1](x" + std::to_string(i) + ")\n";
    text += "@return(x" + std::to_string(steps) + ")\n";
    for (const bool offload : {false, true}) {
        auto p = parse_text(text);
        compile_options o;
        o.offload_copy = offload;
        p.compile(make_target("gpu"), o);
        const shape sh{shape::float_type, {128, 768}};
        parameter_map params{{"x0", argument{sh}}};
        if (not offload)
            params["x0"] = p.get_targets().front().copy_to(params["x0"]);
        for (int i = 0; i < 4; i++)
            p.eval(params);
        show(offload ? "40 steps, offload" : "40 steps, memory of the device",
             [&] { p.eval(params); });
        show("... dry run", [&] { p.dry_run(params); });
        if (offload)
            continue;
        std::vector<std::vector<argument>> kept;
        show("... other results each time", [&] { kept.push_back(p.eval(params)); });
        params["main:#output_0"] = p.get_targets().front().allocate(sh);
        for (int i = 0; i < 4; i++)
            p.eval(params);
        show("... results of the caller", [&] { p.eval(params); });
        execution_environment env;
        env.queue = any_ptr(s, "void");
        env.async = true;
        show("... on a queue, not waited for", [&] { p.eval(params, env); });
        d->synchronize(s);
        show("... and synchronize", [&] {
            p.eval(params, env);
            d->synchronize(s);
        });
    }
}

ON_EACH_DEVICE(overheads);

} // namespace
} // namespace device_test
