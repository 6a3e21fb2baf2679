// SPDX-License-Identifier: MIT
// Attention as cuDNN's one operation for it, which versions from 9.13.1 on have.
#include "targets/gpu/libraries/sdpa.hpp"

#include "base/str.hpp"

#include <map>
#include <mutex>

namespace migraphx::gpu {

// libraries/sdpa_host.cpp
std::shared_ptr<const prepared_sdpa> prepare_host_sdpa(const sdpa_desc& d);

namespace {

using namespace cudnn;

data_type type_of(const shape& s) {
    if (s.type() == shape::half_type)
        return data_type::f16;
    if (s.type() == shape::bf16_type)
        return data_type::bf16;
    throw refused("cuDNN: attention of type " + s.type_string());
}

constexpr std::size_t first_version = 91301;

struct cudnn_sdpa : prepared_sdpa {
    const functions& f;
    device& on;
    sdpa_graph graph;
    built_plan plan;
    float scale;

    cudnn_sdpa(const functions& functions_, device& d, sdpa_graph g, built_plan p, float factor)
        : f(functions_), on(d), graph(std::move(g)), plan(std::move(p)), scale(factor) {}
    std::string name() const override { return str("cuDNN attention, engine ", plan.engine); }
    std::size_t workspace() const override { return plan.workspace; }
    void run(const sdpa_pointers& p, stream s) const override {
        const std::vector<void*> pointers{const_cast<void*>(p.q), const_cast<void*>(p.k),
                                          const_cast<void*>(p.v), p.y, const_cast<float*>(&scale)};
        execute(f, on, plan, graph.ids, pointers, p.workspace, s);
    }
};

std::string key_of(device& on, const sdpa_desc& d) {
    return str(on.properties().id, ' ', d.q, ' ', d.k, ' ', d.v, ' ', d.y, ' ', d.scale);
}

} // namespace

sdpa_graph make_sdpa_graph(const functions& f, const sdpa_desc& d) {
    if (f.get_version() < first_version)
        throw refused(
            str("cuDNN: attention needs version ", first_version, ", got ", f.get_version()));
    sdpa_graph g;
    const auto form = [&](const shape& s) {
        g.ids.push_back(int64_t(g.ids.size()) + 1);
        return tensor_form{g.ids.back(),
                           type_of(s),
                           {s.lens().begin(), s.lens().end()},
                           {s.strides().begin(), s.strides().end()}};
    };
    const auto q = make_tensor(f, form(d.q)), k = make_tensor(f, form(d.k)),
               v = make_tensor(f, form(d.v)), y = make_tensor(f, form(d.y));
    tensor_form number{int64_t(g.ids.size()) + 1, data_type::f32, {1, 1, 1, 1}, {1, 1, 1, 1}};
    number.by_value = true;
    g.ids.push_back(number.id);
    const auto scale = make_tensor(f, number);
    descriptor op(f, kind::attention_forward);
    op.set(attribute::attention_q, q);
    op.set(attribute::attention_k, k);
    op.set(attribute::attention_v, v);
    op.set(attribute::attention_y, y);
    op.set(attribute::attention_scale, scale);
    op.finalize();
    g.operations.push_back(std::move(op));
    return g;
}

std::shared_ptr<const prepared_sdpa> prepare_sdpa(device& on, const sdpa_desc& d,
                                                  std::string& reason) {
    const auto kind = on.properties().kind;
    if (kind == platform::host)
        return prepare_host_sdpa(d);
    if (kind != platform::cuda) {
        reason = "cuDNN is for CUDA";
        return nullptr;
    }
    const auto* f = find(reason);
    if (f == nullptr)
        return nullptr;
    static std::mutex m;
    static auto* made = new std::map<std::string, std::shared_ptr<const prepared_sdpa>>;
    const std::lock_guard lock(m);
    auto& kept = (*made)[key_of(on, d)];
    if (kept != nullptr)
        return kept;
    try {
        auto graph = make_sdpa_graph(*f, d);
        const borrowed_handle h(*f, on);
        auto plans = make_plans(*f, {h.get()}, graph.operations, {}, reason);
        if (not plans.empty())
            kept = std::make_shared<cudnn_sdpa>(*f, on, std::move(graph), std::move(plans[0]),
                                                d.scale);
    } catch (const refused& e) {
        reason = e.what();
    }
    return kept;
}

} // namespace migraphx::gpu
