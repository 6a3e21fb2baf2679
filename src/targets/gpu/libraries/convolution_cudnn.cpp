// SPDX-License-Identifier: MIT
// Convolutions by cuDNN: the steps run within the convolution's kernel.
#include "base/str.hpp"
#include "ir/artifacts.hpp"
#include "targets/gpu/compiler/code_cache.hpp"
#include "targets/gpu/compiler/source_text.hpp"
#include "targets/gpu/libraries/convolution_graph.hpp"

#include <cstring>
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
    cudnn_library(const functions& functions_, device& d) : f(functions_), on(d) {}
    std::string name() const override { return "cuDNN"; }

    using ways = std::vector<std::shared_ptr<const prepared_convolution>>;

    ways prepare(const convolution_desc& d, std::size_t most, artifact_store* kept,
                 std::string& reason) override {
        const auto key = str(most, ' ', to_string(d));
        const auto& facts = on.properties();
        const auto name =
            str("cudnn-", facts.architecture, "-",
                content_name(str(f.get_version(), ' ', facts.name, ' ', facts.multiprocessors, ' ',
                                 facts.driver, ' ', key)));
        {
            const std::lock_guard lock(m);
            if (const auto i = made.find(key); i != made.end()) {
                keep(kept, name, i->second.texts);
                return i->second.list;
            }
        }
        prepared p;
        try {
            const auto g = std::make_shared<const convolution_graph>(make_convolution_graph(f, d));
            const borrowed_handle h(f, on);
            auto plans = known_plans({h.get()}, kept, name);
            if (plans.empty()) {
                plans =
                    make_plans(f, {h.get()}, g->operations, convolution_wishes(d, most), reason);
                p.texts = texts_of(plans);
                if (auto* cache = code_cache::instance(); cache != nullptr and not p.texts.empty())
                    cache->store(name, p.texts);
            } else
                p.texts = texts_of(plans);
            keep(kept, name, p.texts);
            for (auto& plan : plans)
                p.list.push_back(
                    std::make_shared<cudnn_convolution>(f, on, g, std::move(plan), d.steps.size()));
        } catch (const refused& e) {
            reason = e.what();
        }
        if (p.list.empty())
            return {};
        const std::lock_guard lock(m);
        return made.emplace(key, std::move(p)).first->second.list;
    }

private:
    struct prepared {
        ways list;
        std::string texts; ///< for caches; empty when the library has none
    };
    const functions& f;
    device& on;
    std::mutex m;
    std::map<std::string, prepared> made;

    // Each with its size in 8 bytes before it.
    static std::string texts_of(const std::vector<built_plan>& plans) {
        std::string all;
        try {
            for (const auto& p : plans) {
                const auto text = to_text(p);
                const uint64_t size = text.size();
                all.append(reinterpret_cast<const char*>(&size), sizeof(size));
                all += text;
            }
        } catch (const refused&) {
            return {};
        }
        return all;
    }

    std::vector<built_plan> plans_of_texts(const plan_target& target,
                                           const std::string& all) const {
        std::vector<built_plan> plans;
        for (std::size_t at = 0; at < all.size();) {
            uint64_t size = 0;
            if (all.size() - at < sizeof(size))
                return {};
            std::memcpy(&size, all.data() + at, sizeof(size));
            at += sizeof(size);
            if (size > all.size() - at)
                return {};
            plans.push_back(plan_of_text(f, target, all.substr(at, size)));
            at += size;
        }
        return plans;
    }

    // Those that the program or the disk has; empty: they are to be made.
    std::vector<built_plan> known_plans(const plan_target& target, const artifact_store* kept,
                                        const std::string& name) const {
        try {
            if (kept != nullptr)
                if (const auto bytes = kept->find(name))
                    return plans_of_texts(
                        target, {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
            if (auto* cache = code_cache::instance())
                if (const auto text = cache->find(name))
                    return plans_of_texts(target, *text);
        } catch (const refused&) {
            // Of another build of the library: it makes them again.
        }
        return {};
    }

    static void keep(artifact_store* kept, const std::string& name, const std::string& texts) {
        if (kept != nullptr and not texts.empty())
            kept->put(name, value::binary{texts.data(), texts.size()});
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
