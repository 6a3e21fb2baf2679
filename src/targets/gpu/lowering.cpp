// SPDX-License-Identifier: MIT
#include "targets/gpu/lowering.hpp"

#include <migraphx/op_info.hpp>

#include "base/settings.hpp"
#include "runtime/implementation_table.hpp"
#include "runtime/walked_shape.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace migraphx::gpu {

namespace {

implementation_table<implementation>& table() {
    static auto* t = new implementation_table<implementation>;
    return *t;
}

std::shared_ptr<char> host_block(std::size_t bytes) {
    constexpr std::size_t line = 64;
    return {static_cast<char*>(::operator new (bytes == 0 ? 1 : bytes, std::align_val_t{line})),
            [](char* p) { ::operator delete (p, std::align_val_t{line}); }};
}

struct host_step : kernel {
    std::shared_ptr<device> on;
    std::unique_ptr<kernel> work;
    std::vector<shape> inputs, outputs;
    std::vector<bool> read;

    host_step(const device_problem& p, std::unique_ptr<kernel> k)
        : on(p.on), work(std::move(k)), outputs(leaves_of(p.output)) {
        for (std::size_t i = 0; i < p.inputs.size(); i++)
            for (auto& s : leaves_of(p.inputs[i])) {
                inputs.push_back(std::move(s));
                read.push_back(work->reads_input(i));
            }
    }

    void run(const kernel_args& args) const override {
        std::vector<std::shared_ptr<char>> memory;
        std::vector<char*> in(inputs.size()), out(outputs.size());
        const auto block = [&](std::size_t bytes) {
            memory.push_back(host_block(bytes));
            return memory.back().get();
        };
        for (std::size_t i = 0; i < inputs.size(); i++) {
            const auto bytes = span_bytes(inputs[i]);
            in[i] = block(bytes);
            if (read[i] and bytes > 0 and args.inputs[i] != nullptr)
                on->copy(in[i], args.inputs[i], bytes, copy_kind::to_host, args.queue);
            else if (args.inputs[i] == nullptr)
                in[i] = nullptr;
        }
        on->synchronize(args.queue);
        // An output that is an input's memory (written in place) stays so on the host.
        for (std::size_t o = 0; o < outputs.size(); o++) {
            out[o] = nullptr;
            for (std::size_t i = 0; i < inputs.size(); i++)
                if (args.inputs[i] == args.outputs[o] and in[i] != nullptr and
                    span_bytes(inputs[i]) == span_bytes(outputs[o]))
                    out[o] = in[i];
            if (out[o] == nullptr)
                out[o] = block(span_bytes(outputs[o]));
        }
        work->run({in.data(), out.data(), block(work->scratch_bytes())});
        for (std::size_t o = 0; o < outputs.size(); o++)
            write_back(args.outputs[o], out[o], outputs[o], args.queue);
        on->synchronize(args.queue);
    }

    // Only what the shape covers: a part of a larger buffer has others' values in between.
    void write_back(char* to, const char* from, const shape& s, stream q) const {
        if (s.elements() == 0)
            return;
        if (s.packed() or s.element_space() == s.elements()) {
            on->copy(to, from, span_bytes(s), copy_kind::to_device, q);
            return;
        }
        const auto size = s.type_size();
        for (std::size_t i = 0; i < s.elements(); i++) {
            const auto at = s.index(i) * size;
            on->copy(to + at, from + at, size, copy_kind::to_device, q);
        }
    }

    std::string name() const override { return "host " + work->name(); }
    bool reads_input(std::size_t i) const override { return work->reads_input(i); }
    void add_constants(held_constants& held) const override { work->add_constants(held); }
};

// Results without elements.
struct no_work : kernel {
    void run(const kernel_args&) const override {}
    std::string name() const override { return "nothing"; }
};

bool gives_nothing(const problem& p) {
    const auto results = leaves_of(p.output);
    return not p.op.info().has_side_effect and
           std::all_of(results.begin(), results.end(),
                       [](const auto& s) { return s.elements() == 0; });
}

} // namespace

implementations::implementations(std::initializer_list<const char*> operators,
                                 std::initializer_list<implementation> list) {
    table().add(operators, list);
}

const std::vector<implementation>& implementations_of(const std::string& op) {
    return table().of(op);
}

std::unique_ptr<kernel> on_host(const device_problem& p, std::unique_ptr<kernel> k) {
    return std::make_unique<host_step>(p, std::move(k));
}

bool runs_on_host(const kernel& k) {
    return dynamic_cast<const host_step*>(&k) != nullptr;
}

std::unique_ptr<kernel> lower(const device_problem& p) {
    const bool traced = trace_enabled("dispatch");
    if (auto result = first_that_takes(p, implementations_of(p.op.name()), traced))
        return std::move(result.k);
    if (gives_nothing(p))
        return std::make_unique<no_work>();
    if (traced)
        trace_dispatch(p, "reference on the host chosen");
    return on_host(p, make_reference_kernel(p));
}

} // namespace migraphx::gpu
