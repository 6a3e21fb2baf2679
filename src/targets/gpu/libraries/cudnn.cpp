// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/cudnn.hpp"

#include "base/str.hpp"
#include "targets/gpu/libraries/open_library.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>

namespace migraphx::gpu::cudnn {

namespace {

constexpr std::size_t oldest_version = 90000;
constexpr std::size_t most_configs = 64; // looked at

struct opened {
    functions f;
    std::string reason; ///< why not
};

opened open() {
    opened r;
    const auto* lib = find_library(library::cudnn);
    if (lib == nullptr) {
        r.reason = missing_library(library::cudnn);
        return r;
    }
    auto& f = r.f;
    try {
        lib->find(f.get_version, "cudnnGetVersion");
        if (f.get_version() < oldest_version) {
            r.reason = str("cuDNN 9 or newer was expected, got version ", f.get_version(), " in ",
                           lib->file());
            return r;
        }
        lib->find(f.create, "cudnnCreate");
        lib->find(f.destroy, "cudnnDestroy");
        lib->find(f.set_stream, "cudnnSetStream");
        lib->find(f.get_error_string, "cudnnGetErrorString");
        lib->find(f.get_last_error_string, "cudnnGetLastErrorString");
        lib->find(f.create_descriptor, "cudnnBackendCreateDescriptor");
        lib->find(f.destroy_descriptor, "cudnnBackendDestroyDescriptor");
        lib->find(f.finalize, "cudnnBackendFinalize");
        lib->find(f.set_attribute, "cudnnBackendSetAttribute");
        lib->find(f.get_attribute, "cudnnBackendGetAttribute");
        lib->find(f.execute, "cudnnBackendExecute");
    } catch (const exception& e) {
        r.reason = e.what();
    }
    return r;
}

// Handles that nobody uses now, by device; they live as long as the process.
struct handle_pool {
    std::mutex m;
    std::map<int, std::vector<handle>> free;
};

handle_pool& handles() {
    static auto* pool = new handle_pool;
    return *pool;
}

} // namespace

const functions* find(std::string& reason) {
    static const auto* o = new opened(open());
    reason = o->reason;
    return o->reason.empty() ? &o->f : nullptr;
}

void check(const functions& f, int status, const char* what) {
    if (status == 0)
        return;
    std::array<char, 512> words{};
    f.get_last_error_string(words.data(), words.size());
    throw refused(str("cuDNN: ", what, ": ", f.get_error_string(status),
                      words.front() == '\0' ? "" : ": ", words.data()));
}

descriptor::descriptor(const functions& functions_, kind k) : f(&functions_) {
    check(*f, f->create_descriptor(int(k), &raw), "create");
}

descriptor::descriptor(descriptor&& other) noexcept
    : f(other.f), raw(std::exchange(other.raw, nullptr)) {}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
    std::swap(f, other.f);
    std::swap(raw, other.raw);
    return *this;
}

descriptor::~descriptor() {
    if (raw != nullptr)
        f->destroy_descriptor(raw);
}

void descriptor::set(attribute a, type t, int64_t count, const void* values) {
    check(*f, f->set_attribute(raw, int(a), int(t), count, values), "set");
}

void descriptor::finalize() {
    check(*f, f->finalize(raw), "finalize");
}

int64_t descriptor::get_int64(attribute a) const {
    int64_t v = 0;
    get(a, type::int64, 1, &v);
    return v;
}

int64_t descriptor::count(attribute a, type t) const {
    int64_t n = 0;
    check(*f, f->get_attribute(raw, int(a), int(t), 0, &n, nullptr), "count");
    return n;
}

int64_t descriptor::get(attribute a, type t, int64_t room, void* values) const {
    int64_t n = 0;
    check(*f, f->get_attribute(raw, int(a), int(t), room, &n, values), "get");
    return n;
}

borrowed_handle::borrowed_handle(const functions& functions_, device& on)
    : f(functions_), device_id(on.properties().id) {
    on.make_current();
    {
        auto& pool = handles();
        const std::lock_guard lock(pool.m);
        auto& free = pool.free[device_id];
        if (not free.empty()) {
            h = free.back();
            free.pop_back();
            return;
        }
    }
    check(f, f.create(&h), "a handle");
}

borrowed_handle::~borrowed_handle() {
    auto& pool = handles();
    const std::lock_guard lock(pool.m);
    pool.free[device_id].push_back(h);
}

descriptor make_tensor(const functions& f, const tensor_form& t) {
    descriptor d(f, kind::tensor);
    d.set_enum(attribute::tensor_type, type::data_type, t.type);
    d.set(attribute::tensor_dims, t.lens);
    d.set(attribute::tensor_strides, t.strides);
    d.set(attribute::tensor_id, t.id);
    d.set(attribute::tensor_alignment, t.alignment);
    if (t.virtual_)
        d.set(attribute::tensor_virtual, true);
    if (t.by_value)
        d.set(attribute::tensor_by_value, true);
    d.finalize();
    return d;
}

descriptor make_device(const functions& f, const std::string& json) {
    descriptor d(f, kind::device_properties);
    // With the 0 at its end.
    d.set(attribute::device_json, type::character, int64_t(json.size()) + 1, json.c_str());
    d.finalize();
    return d;
}

namespace {

std::vector<descriptor> configs_of(const functions& f, const plan_target& target,
                                   const descriptor& graph, search mode) {
    descriptor heuristics(f, kind::heuristics);
    if (target.device != nullptr)
        heuristics.set(attribute::heuristics_device, *target.device);
    heuristics.set(attribute::heuristics_graph, graph);
    heuristics.set_enum(attribute::heuristics_mode, type::heuristics_mode, mode);
    heuristics.finalize();
    const auto n = std::min<int64_t>(
        int64_t(most_configs), heuristics.count(attribute::heuristics_results, type::descriptor));
    std::vector<descriptor> result;
    std::vector<void*> raw;
    for (int64_t i = 0; i < n; i++) {
        result.emplace_back(f, kind::engine_config);
        raw.push_back(result.back().get());
    }
    const auto filled =
        heuristics.get(attribute::heuristics_results, type::descriptor, n, raw.data());
    while (int64_t(result.size()) > filled)
        result.pop_back();
    return result;
}

struct engine_facts {
    int64_t index = 0;
    std::vector<note> notes_of = {};
};

engine_facts facts_of(const functions& f, const descriptor& config) {
    descriptor engine(f, kind::engine);
    void* raw = engine.get();
    config.get(attribute::config_engine, type::descriptor, 1, &raw);
    engine_facts r;
    r.index = engine.get_int64(attribute::engine_index);
    r.notes_of.resize(notes);
    r.notes_of.resize(std::size_t(engine.get(attribute::engine_numerical_notes,
                                             type::numerical_note, notes, r.notes_of.data())));
    return r;
}

} // namespace

std::vector<built_plan> make_plans(const functions& f, const plan_target& target,
                                   const std::vector<descriptor>& operations,
                                   const plan_wishes& wishes, std::string& reason) {
    std::vector<built_plan> result;
    reason = "cuDNN: no engine takes it";
    try {
        descriptor graph(f, kind::operation_graph);
        std::vector<void*> raw;
        for (const auto& op : operations)
            raw.push_back(op.get());
        graph.set(attribute::graph_operations, type::descriptor, int64_t(raw.size()), raw.data());
        if (target.device == nullptr)
            graph.set(attribute::graph_handle, target.h);
        graph.finalize();
        for (const auto mode : {search::a, search::fallback}) {
            std::vector<descriptor> configs;
            try {
                configs = configs_of(f, target, graph, mode);
            } catch (const refused& e) {
                reason = e.what();
                continue;
            }
            for (const auto& config : configs) {
                if (result.size() >= wishes.most)
                    return result;
                try {
                    const auto facts = facts_of(f, config);
                    if (std::any_of(facts.notes_of.begin(), facts.notes_of.end(), [&](auto n) {
                            return std::find(wishes.without.begin(), wishes.without.end(), n) !=
                                   wishes.without.end();
                        }))
                        continue;
                    descriptor plan(f, kind::plan);
                    if (target.device != nullptr)
                        plan.set(attribute::plan_device, *target.device);
                    else
                        plan.set(attribute::plan_handle, target.h);
                    plan.set(attribute::plan_config, config);
                    plan.finalize();
                    const auto bytes = std::size_t(plan.get_int64(attribute::plan_workspace));
                    if (bytes > wishes.workspace) {
                        reason = str("cuDNN: ", bytes, " bytes of workspace");
                        continue;
                    }
                    result.push_back({std::move(plan), bytes, facts.index});
                } catch (const refused& e) {
                    reason = e.what();
                }
            }
            if (not result.empty())
                return result;
        }
    } catch (const refused& e) {
        reason = e.what();
    }
    return result;
}

std::string to_text(const built_plan& p) {
    const auto size = p.plan.count(attribute::plan_json, type::character);
    std::string json(std::size_t(size), '\0');
    p.plan.get(attribute::plan_json, type::character, size, json.data());
    return str(p.engine, ' ', json);
}

built_plan plan_of_text(const functions& f, const plan_target& target, const std::string& text) {
    const auto space = text.find(' ');
    if (space == std::string::npos)
        throw refused("cuDNN: no plan in this text");
    descriptor plan(f, kind::plan);
    plan.set(attribute::plan_json, type::character, int64_t(text.size() - space - 1),
             text.data() + space + 1);
    if (target.device != nullptr)
        plan.set(attribute::plan_device, *target.device);
    else
        plan.set(attribute::plan_handle, target.h);
    plan.finalize();
    built_plan p{std::move(plan), 0, std::atoll(text.c_str())};
    p.workspace = std::size_t(p.plan.get_int64(attribute::plan_workspace));
    return p;
}

void execute(const functions& f, device& on, const built_plan& p, const std::vector<int64_t>& ids,
             const std::vector<void*>& pointers, void* workspace, stream s) {
    try {
        const borrowed_handle h(f, on);
        check(f, f.set_stream(h.get(), s), "set the stream");
        descriptor pack(f, kind::variant_pack);
        pack.set(attribute::pack_ids, ids);
        pack.set(attribute::pack_pointers, type::pointer, int64_t(pointers.size()),
                 pointers.data());
        pack.set(attribute::pack_workspace, type::pointer, 1, &workspace);
        pack.finalize();
        check(f, f.execute(h.get(), p.plan.get(), pack.get()), "execute");
    } catch (const refused& e) {
        fail(error_kind::internal, e.what());
    }
}

} // namespace migraphx::gpu::cudnn
