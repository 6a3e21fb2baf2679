// SPDX-License-Identifier: MIT
// A device that counts what it is asked for, and a backend whose kernels only put work on it: plans
// are tested without generated code and without a GPU.
#pragma once

#include <migraphx/errors.hpp>
#include <migraphx/program.hpp>

#include "ir/text_parser.hpp"
#include "passes/pass_registry.hpp"
#include "runtime/backend.hpp"
#include "runtime/parameters.hpp"
#include "targets/gpu/backend.hpp"
#include "targets/gpu/device/host.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/plan/device_arguments.hpp"
#include "targets/gpu/plan/lanes.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace migraphx::gpu {

struct counters {
    std::atomic<std::size_t> live = 0; ///< bytes of the device and pinned
    std::atomic<std::size_t> limit = std::size_t(-1);
    std::atomic<int> copies[4] = {0, 0, 0, 0};            ///< by copy_kind
    std::atomic<int> recorded = 0, replayed = 0, run = 0; ///< graphs, launches of them, kernels
    std::atomic<int> waits = 0;
    std::atomic<int> streams = 0;
};

/// The host's device, counted.
struct counted_device : device {
    std::shared_ptr<device> inner = host_device();
    std::shared_ptr<counters> count = std::make_shared<counters>();
    static inline thread_local bool recording = false;

    const device_properties& properties() const override { return inner->properties(); }
    std::shared_ptr<char> counted(std::shared_ptr<char> p, std::size_t bytes) {
        if (count->live + bytes > count->limit)
            fail(error_kind::io, "device memory: bytes were expected, got none");
        count->live += bytes;
        char* at = p.get();
        return {at, [c = count, bytes, p](char*) mutable {
                    c->live -= bytes;
                    p = nullptr;
                }};
    }
    std::shared_ptr<char> allocate(std::size_t bytes) override {
        return counted(inner->allocate(bytes), bytes);
    }
    std::shared_ptr<char> allocate_pinned(std::size_t bytes) override {
        return counted(inner->allocate_pinned(bytes), bytes);
    }
    /// Waits for this stream are counted.
    std::atomic<stream> watched = nullptr;
    std::atomic<int> watched_waits = 0;
    /// Plays the memory of device 1.
    const void* elsewhere = nullptr;
    std::optional<int> device_of(const void* p) const override {
        return p != nullptr and p == elsewhere ? 1 : inner->device_of(p);
    }
    std::size_t free_memory() const override { return inner->free_memory(); }
    void copy(void* to, const void* from, std::size_t bytes, copy_kind kind, stream s) override {
        count->copies[int(kind)]++;
        EXPECT_EQ(device_of(from).has_value(), kind != copy_kind::to_device);
        EXPECT_EQ(device_of(to).has_value(), kind != copy_kind::to_host);
        EXPECT_EQ(kind == copy_kind::between_devices, from == elsewhere or to == elsewhere);
        inner->copy(to, from, bytes, kind, s);
    }
    void fill(void* to, int byte, std::size_t bytes, stream s) override {
        inner->fill(to, byte, bytes, s);
    }
    std::shared_ptr<void> make_stream() override {
        count->streams++;
        return inner->make_stream();
    }
    void synchronize(stream s) override {
        count->waits++;
        if (s != nullptr and s == watched)
            watched_waits++;
        inner->synchronize(s);
    }
    std::unique_ptr<event> make_event() override { return inner->make_event(); }
    void begin_recording(stream s) override {
        recording = true;
        inner->begin_recording(s);
    }
    std::unique_ptr<recorded_graph> end_recording(stream s) override {
        recording = false;
        struct counted_graph : recorded_graph {
            std::unique_ptr<recorded_graph> graph;
            std::shared_ptr<counters> count;
            void launch(stream q) override {
                count->replayed++;
                graph->launch(q);
            }
        };
        auto g = std::make_unique<counted_graph>();
        g->graph = inner->end_recording(s);
        g->count = count;
        count->recorded++;
        return g;
    }
    std::shared_ptr<code_module> load(const std::string& image) override {
        return inner->load(image);
    }
    void launch(void* f, extent3 grid, extent3 block, std::size_t shared, stream s,
                void** args) override {
        inner->launch(f, grid, block, shared, s, args);
    }
    void make_current() override {}
};

/// An operator's reference as work put on the device.
struct put_kernel : kernel {
    std::shared_ptr<kernel> work;
    std::size_t inputs = 0;
    std::shared_ptr<counters> count;
    bool refuses_recording = false;
    bool fails = false;

    void run(const kernel_args& args) const override {
        if (fails)
            fail(error_kind::io, "device: a launch was expected to succeed, got none");
        if (refuses_recording and counted_device::recording)
            fail(error_kind::unsupported, "a stream that is not recorded was expected");
        std::vector<char*> in(args.inputs, args.inputs + inputs), out{args.outputs[0]};
        host_put(args.queue, [in, out, w = work, c = count] {
            c->run++;
            w->run({in.data(), out.data(), nullptr});
        });
    }
    std::string name() const override { return "put " + work->name(); }
};

struct test_backend : backend {
    std::shared_ptr<counted_device> on = std::make_shared<counted_device>();
    std::shared_ptr<const backend> inner = make_backend(on);
    std::set<std::string> host_operators, unrecordable, failing;

    std::string name() const override { return "test"; }
    std::vector<pass> static_passes(const compile_options&) const override { return {}; }
    std::unique_ptr<kernel> lower(const problem& p) const override {
        auto reference = make_reference_kernel(p);
        if (host_operators.contains(p.op.name()) or p.output.type() == shape::tuple_type)
            return on_host(device_problem{p, on}, std::move(reference));
        auto k = std::make_unique<put_kernel>();
        k->work = std::move(reference);
        k->inputs = p.inputs.size();
        k->count = on->count;
        k->refuses_recording = unrecordable.contains(p.op.name());
        k->fails = failing.contains(p.op.name());
        return k;
    }
    std::size_t alignment() const override { return inner->alignment(); }
    std::shared_ptr<run_memory> make_memory() const override { return inner->make_memory(); }
    std::unique_ptr<plan_runner> make_runner(const plan_data& data, const compile_options& o,
                                             std::shared_ptr<run_memory> m) const override {
        return inner->make_runner(data, o, std::move(m));
    }
    std::unique_ptr<kernel> adopt(const problem& p, std::unique_ptr<kernel> k) const override {
        return inner->adopt(p, std::move(k));
    }
    bool parts_stay() const override { return inner->parts_stay(); }
    std::optional<argument> evaluate(const operation& op,
                                     const std::vector<argument>& in) const override {
        return inner->evaluate(op, in);
    }
    std::vector<argument> fetch(std::vector<argument> values) const override {
        return inner->fetch(std::move(values));
    }
    argument to_host(const argument& a) const override { return inner->to_host(a); }
    argument from_host(const argument& a) const override { return inner->from_host(a); }
};

/// A program made ready for the backend, as a target does it.
struct ready {
    std::shared_ptr<test_backend> back;
    std::shared_ptr<executable> exec;

    ready(const std::string& text, bool offload, std::shared_ptr<test_backend> b)
        : back(std::move(b)) {
        auto p = parse_text(text);
        compile_options o;
        o.offload_copy = offload;
        if (not offload and all_static(p))
            make_pass("add_output_parameters").apply(p);
        exec = make_planned_executable(p, back, o);
    }
    ready(const std::string& text, bool offload)
        : ready(text, offload, std::make_shared<test_backend>()) {}

    std::vector<argument> run(const parameter_map& params,
                              const execution_environment& env = {}) const {
        return exec->run(params, env);
    }
    argument device(const argument& a) const { return to_device(back->on, a); }
    counters& count() const { return *back->on->count; }
};

inline argument numbers(const shape& s, double first = 1) {
    argument a{s};
    a.visit([&](auto view) {
        double x = first;
        for (auto& v : view)
            v = static_cast<std::decay_t<decltype(v)>>(x++);
    });
    return a;
}

inline std::vector<float> values(const argument& a) {
    return a.to_vector<float>();
}

template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "no error";
}

} // namespace migraphx::gpu
