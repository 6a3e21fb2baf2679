// SPDX-License-Identifier: MIT
// Convolutions by cuDNN: the steps run within the convolution's kernel.
#include "base/str.hpp"
#include "targets/gpu/libraries/convolution_graph.hpp"

#include <map>
#include <mutex>

namespace migraphx::gpu {

namespace {

using namespace cudnn;

struct cudnn_convolution : prepared_convolution {
    const functions& f;
    device& on;
    std::shared_ptr<const convolution_graph> graph;
    built_plan plan;
    std::size_t steps;

    cudnn_convolution(const functions& functions_, device& d,
                      std::shared_ptr<const convolution_graph> g, built_plan p, std::size_t n)
        : f(functions_), on(d), graph(std::move(g)), plan(std::move(p)), steps(n) {}

    std::string name() const override {
        return str("cuDNN convolution, engine ", plan.engine, steps == 0 ? "" : " and steps");
    }
    std::size_t workspace() const override { return plan.workspace; }
    void run(const convolution_pointers& p, stream s) const override {
        std::vector<void*> pointers{const_cast<void*>(p.x), const_cast<void*>(p.w)};
        for (std::size_t i = 0; i < graph->operands; i++)
            pointers.push_back(const_cast<void*>(p.operands[i]));
        pointers.push_back(p.y);
        for (const auto& v : graph->numbers)
            pointers.push_back(const_cast<float*>(&v));
        execute(f, on, plan, graph->ids, pointers, p.workspace, s);
    }
};

struct cudnn_library : convolution_library {
    const functions& f;
    device& on;
    std::mutex m;
    std::map<std::string, std::vector<std::shared_ptr<const prepared_convolution>>> made;

    cudnn_library(const functions& functions_, device& d) : f(functions_), on(d) {}
    std::string name() const override { return "cuDNN"; }

    std::vector<std::shared_ptr<const prepared_convolution>>
    prepare(const convolution_desc& d, std::size_t most, std::string& reason) override {
        const auto key = str(most, ' ', to_string(d));
        {
            const std::lock_guard lock(m);
            if (const auto i = made.find(key); i != made.end())
                return i->second;
        }
        auto result = plans_of(d, most, reason);
        if (result.empty())
            return result;
        const std::lock_guard lock(m);
        return made.emplace(key, std::move(result)).first->second;
    }

    std::vector<std::shared_ptr<const prepared_convolution>>
    plans_of(const convolution_desc& d, std::size_t most, std::string& reason) {
        std::vector<std::shared_ptr<const prepared_convolution>> result;
        try {
            const auto g = std::make_shared<const convolution_graph>(make_convolution_graph(f, d));
            const borrowed_handle h(f, on);
            for (auto& p :
                 make_plans(f, {h.get()}, g->operations, convolution_wishes(d, most), reason))
                result.push_back(
                    std::make_shared<cudnn_convolution>(f, on, g, std::move(p), d.steps.size()));
        } catch (const refused& e) {
            reason = e.what();
        }
        return result;
    }
};

} // namespace

convolution_library* convolutions_of(device& on, std::string& reason) {
    if (on.properties().kind == platform::host)
        return &host_convolutions(on);
    if (on.properties().kind != platform::cuda) {
        reason = "cuDNN is for CUDA";
        return nullptr;
    }
    const auto* f = find(reason);
    if (f == nullptr)
        return nullptr;
    static std::mutex m;
    static auto* libraries = new std::map<int, std::unique_ptr<cudnn_library>>;
    const std::lock_guard lock(m);
    auto& lib = (*libraries)[on.properties().id];
    if (lib == nullptr)
        lib = std::make_unique<cudnn_library>(*f, on);
    return lib.get();
}

} // namespace migraphx::gpu
