// SPDX-License-Identifier: MIT
#include "targets/gpu/generated.hpp"

#include "runtime/walked_shape.hpp"
#include "targets/gpu/compiler/compiler.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

namespace {

struct stage {
    generated what;
    std::shared_ptr<code_module> code;
    void* function = nullptr;
    std::shared_ptr<char> table = nullptr;
};

std::shared_ptr<char> uploaded(device& on, const std::vector<char>& bytes) {
    if (bytes.empty())
        return nullptr;
    auto memory = on.allocate(bytes.size());
    on.copy(memory.get(), bytes.data(), bytes.size(), copy_kind::to_device, nullptr);
    on.synchronize(nullptr);
    return memory;
}

struct generated_kernel : kernel {
    std::shared_ptr<device> on;
    std::vector<stage> stages;
    std::size_t inputs = 0, outputs = 0, scratch = 0;

    generated_kernel(const device_problem& p, std::vector<generated> parts) : on(p.on) {
        inputs = leaves_of(p.inputs).size();
        outputs = leaves_of(p.output).size();
        for (auto& g : parts) {
            stage s;
            s.code = compiled(*on, g.source, p.artifacts);
            s.function = s.code->function(g.entry);
            scratch = std::max(scratch, g.scratch);
            s.table = uploaded(*on, g.table);
            s.what = std::move(g);
            s.what.source.clear();
            s.what.table.clear();
            stages.push_back(std::move(s));
        }
    }

    void run(const kernel_args& args) const override {
        // Drivers take the addresses of the arguments' values.
        constexpr std::size_t most = 64;
        void* few[most];
        std::vector<void*> many;
        void** list = few;
        if (inputs + outputs + 3 > most) {
            many.resize(inputs + outputs + 3);
            list = many.data();
        }
        char* scratch_memory = args.scratch;
        for (const auto& s : stages) {
            const auto& g = s.what;
            if (g.needless and g.needless(args))
                continue;
            std::size_t n = 0;
            char* table = s.table.get();
            if (g.takes_inputs and g.inputs.empty())
                for (std::size_t i = 0; i < inputs; i++)
                    list[n++] = const_cast<char**>(args.inputs + i);
            else if (g.takes_inputs)
                for (auto i : g.inputs)
                    list[n++] = const_cast<char**>(args.inputs + i);
            for (std::size_t i = 0; i < outputs; i++)
                list[n++] = const_cast<char**>(args.outputs + i);
            if (g.scratch > 0)
                list[n++] = &scratch_memory;
            if (table != nullptr)
                list[n++] = &table;
            if (not g.params.empty())
                list[n++] = const_cast<char*>(g.params.data());
            const auto& at = g.launch;
            if (at.grid.x > 0 and at.grid.y > 0 and at.grid.z > 0)
                on->launch(s.function, at.grid, at.block, at.shared, args.queue, list);
        }
    }

    std::size_t scratch_bytes() const override { return scratch; }
    std::string name() const override { return stages.front().what.name; }
    bool can_write_over(std::size_t) const override {
        return std::all_of(stages.begin(), stages.end(),
                           [](const stage& s) { return s.what.writes_over; });
    }
};

} // namespace

std::unique_ptr<kernel> make_generated(const device_problem& p, std::vector<generated> stages) {
    return std::make_unique<generated_kernel>(p, std::move(stages));
}

std::unique_ptr<kernel> make_generated(const device_problem& p, generated g) {
    std::vector<generated> one;
    one.push_back(std::move(g));
    return make_generated(p, std::move(one));
}

} // namespace migraphx::gpu
