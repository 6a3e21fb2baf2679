// SPDX-License-Identifier: MIT
// A device over a driver's functions (driver_api.hpp): CUDA's and HIP's alike.
#include <migraphx/errors.hpp>

#include "targets/gpu/device/current_device.hpp"
#include "targets/gpu/device/driver_api.hpp"
#include "targets/gpu/device/driver_streams.hpp"
#include "targets/gpu/device/memory_pool.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>

namespace migraphx::gpu {

namespace {

constexpr std::size_t mega = std::size_t{1} << 20;
// What a block may have without asking.
constexpr std::size_t plain_shared = std::size_t{48} * 1024;

std::string byte_text(std::size_t bytes) {
    return bytes < 10 * mega ? std::to_string(bytes) + " bytes"
                             : std::to_string(bytes / mega) + " MiB";
}

struct driver_event : event {
    const current_device& of;
    void* handle = nullptr;

    explicit driver_event(const current_device& d) : of(d) {
        const auto now = of.enter();
        of.check(of.api.event_create(&handle, 0), "an event");
    }
    ~driver_event() override {
        const auto now = of.enter();
        of.api.event_destroy(handle);
    }
    void record(stream s) override {
        const auto now = of.enter();
        of.check(of.api.event_record(handle, s), "recording an event");
    }
    bool record_in_graph(stream s) override {
        const auto now = of.enter();
        return of.api.event_record_flags != nullptr and
               of.api.event_record_flags(handle, s, event_record_external) == driver_success;
    }
    void wait_for(stream s) override {
        const auto now = of.enter();
        of.check(of.api.stream_wait(s, handle, 0), "waiting for an event");
    }
    void synchronize() override {
        const auto now = of.enter();
        of.check(of.api.event_synchronise(handle), "waiting for an event");
    }
    float since(const event& start) const override {
        const auto now = of.enter();
        float ms = 0;
        of.check(of.api.event_elapsed(&ms, dynamic_cast<const driver_event&>(start).handle, handle),
                 "the time between events");
        return ms;
    }
};

struct driver_graph : recorded_graph {
    const current_device& of;
    driver_streams& streams;
    void* exec;

    driver_graph(const current_device& d, driver_streams& s, void* e)
        : of(d), streams(s), exec(e) {}
    ~driver_graph() override {
        const auto now = of.enter();
        of.api.graph_exec_destroy(exec);
    }
    void launch(stream s) override {
        const auto now = of.enter();
        streams.used(s);
        of.check(of.api.graph_launch(exec, s), "launching a graph");
    }
};

// What is known of a function, for launches and their errors.
class function_table {
public:
    void add(void* function, const std::string& entry) {
        std::lock_guard lock(mutex);
        functions.try_emplace(function, facts{entry, plain_shared});
    }
    void remove(void* function) {
        std::lock_guard lock(mutex);
        functions.erase(function);
    }
    std::string entry(void* function) {
        std::lock_guard lock(mutex);
        const auto it = functions.find(function);
        return it == functions.end() ? "a kernel" : it->second.entry;
    }
    /// Lets a launch have more shared memory than any may.
    void allow_shared(const current_device& of, void* function, std::size_t bytes) {
        std::lock_guard lock(mutex);
        auto& f = functions.try_emplace(function, facts{"a kernel", plain_shared}).first->second;
        if (bytes <= f.shared)
            return;
        of.check(of.api.function_attribute(function, function_dynamic_shared, int(bytes)),
                 byte_text(bytes) + " of shared memory for " + f.entry);
        f.shared = bytes;
    }

private:
    struct facts {
        std::string entry;
        std::size_t shared;
    };
    std::mutex mutex;
    std::unordered_map<void*, facts> functions;
};

struct driver_module : code_module {
    const current_device& of;
    function_table& functions;
    void* handle = nullptr;
    std::mutex mutex;
    std::unordered_map<std::string, void*> known;

    driver_module(const current_device& d, function_table& f, const std::string& image)
        : of(d), functions(f) {
        const auto now = of.enter();
        std::array<char, 4096> log{};
        std::array<int, 2> keys{jit_error_log, jit_error_log_bytes};
        std::array<void*, 2> values{log.data(), reinterpret_cast<void*>(log.size())};
        const int result =
            of.api.module_load(&handle, image.c_str(), 2, keys.data(), values.data());
        log.back() = '\0';
        of.check(result, "loading " + byte_text(image.size()) + " of code" +
                             (log.front() != '\0' ? " (" + std::string(log.data()) + ")" : ""));
    }
    ~driver_module() override {
        for (const auto& f : known)
            functions.remove(f.second);
        const auto now = of.enter();
        of.api.module_unload(handle);
    }
    void* function(const std::string& entry) override {
        std::lock_guard lock(mutex);
        if (const auto it = known.find(entry); it != known.end())
            return it->second;
        const auto now = of.enter();
        void* f = nullptr;
        of.check(of.api.module_function(&f, handle, entry.c_str()), "the entry " + entry);
        functions.add(f, entry);
        known.emplace(entry, f);
        return f;
    }
};

// Memory of the device, or of the host where copies reach it.
struct driver_memory : memory_source {
    const current_device& of;
    driver_streams& streams;
    const bool on_host;
    const device_properties& facts;

    driver_memory(const current_device& d, driver_streams& s, bool host, const device_properties& f)
        : of(d), streams(s), on_host(host), facts(f) {}

    char* take(std::size_t bytes) override {
        const auto now = of.enter();
        void* p = nullptr;
        const int result = on_host ? of.api.allocate_host(&p, bytes, host_memory_portable)
                                   : of.api.allocate(&p, bytes);
        if (result == driver_out_of_memory)
            return nullptr;
        of.check(result, "allocating " + byte_text(bytes));
        return static_cast<char*>(p);
    }
    void give_back(char* p) noexcept override {
        const auto now = of.enter();
        if (on_host)
            of.api.release_host(p);
        else
            of.api.release(p);
    }
    std::unique_ptr<work_mark> mark() noexcept override { return streams.mark(); }
    bool wait() noexcept override {
        const auto now = of.enter();
        return streams.synchronize_device() == driver_success;
    }
    [[noreturn]] void full(std::size_t bytes) override {
        if (on_host)
            fail(error_kind::io, "gpu: " + byte_text(bytes) +
                                     " of pinned host memory were expected, got out of memory");
        const auto now = of.enter();
        std::size_t free = 0;
        std::size_t total = 0;
        of.api.memory_info(&free, &total);
        fail(error_kind::io, "gpu: " + byte_text(bytes) + " of memory were expected on device " +
                                 std::to_string(facts.id) + " (" + facts.name +
                                 "), got out of memory: " + byte_text(free) + " of " +
                                 byte_text(total) + " are free; " +
                                 remedy(of.api, driver_out_of_memory));
    }
};

device_properties read_properties(const driver_api& api, int id, int handle) {
    device_properties p;
    p.kind = api.kind;
    p.id = id;
    const auto attribute = [&](int which) {
        int value = 0;
        api.device_attribute(&value, which, handle);
        return value;
    };
    std::array<char, 256> name{};
    api.device_name(name.data(), int(name.size()) - 1, handle);
    p.name = name.data();
    const int major = attribute(api.attributes.major);
    const int minor = attribute(api.attributes.minor);
    p.capability = major * 10 + minor;
    p.architecture = api.kind == platform::cuda ? "sm_" + std::to_string(p.capability)
                                                : hip_architecture(api, handle);
    p.multiprocessors = attribute(api.attributes.multiprocessors);
    p.warp_size = attribute(api.attributes.warp_size);
    p.l2 = std::size_t(attribute(api.attributes.l2));
    p.shared = std::size_t(attribute(api.attributes.shared));
    api.device_memory(&p.memory, handle);
    api.driver_version(&p.driver);
    return p;
}

struct driver_device : device {
    device_properties facts;
    current_device of;
    driver_streams streams;
    function_table functions;
    driver_memory device_memory, pinned_memory;
    memory_pool pool, pinned_pool;

    driver_device(const driver_api& api, int id, int handle, void* context)
        : facts(read_properties(api, id, handle)), of(api, handle, context), streams(of),
          device_memory(of, streams, false, facts), pinned_memory(of, streams, true, facts),
          pool(device_memory, std::max(256 * mega, facts.memory / 64)),
          pinned_pool(pinned_memory, 256 * mega) {}

    const device_properties& properties() const override { return facts; }
    std::shared_ptr<char> allocate(std::size_t bytes) override { return pool.allocate(bytes); }
    std::shared_ptr<char> allocate_pinned(std::size_t bytes) override {
        return pinned_pool.allocate(bytes);
    }
    void trim() override {
        pool.trim();
        pinned_pool.trim();
    }
    void wait_for_device_of(const void* p) const {
        if (const auto id = device_of(p); id and *id != facts.id)
            open_device(std::size_t(*id))->synchronize(nullptr);
    }
    std::optional<int> device_of(const void* p) const override {
        const auto now = of.enter();
        int type = 0;
        int ordinal = -1;
        std::array<int, 2> which{pointer_memory_type, pointer_device_ordinal};
        std::array<void*, 2> values{&type, &ordinal};
        if (of.api.pointer_attributes(unsigned(which.size()), which.data(), values.data(),
                                      const_cast<void*>(p)) != driver_success or
            type != of.api.device_memory_type)
            return {};
        return ordinal;
    }
    std::size_t free_memory() const override {
        const auto now = of.enter();
        std::size_t free = 0;
        std::size_t total = 0;
        of.check(of.api.memory_info(&free, &total), "the free memory");
        return free + pool.unused();
    }

    void copy(void* to, const void* from, std::size_t bytes, copy_kind kind, stream s) override {
        if (bytes == 0)
            return;
        if (kind == copy_kind::between_devices) {
            wait_for_device_of(to);
            wait_for_device_of(from);
        }
        const auto now = of.enter();
        streams.used(s);
        auto* source = const_cast<void*>(from);
        switch (kind) {
        case copy_kind::to_device:
            of.check(of.api.copy_to_device(to, from, bytes, s), "a copy to the device");
            break;
        case copy_kind::to_host:
            of.check(of.api.copy_to_host(to, source, bytes, s), "a copy to the host");
            break;
        case copy_kind::on_device:
            of.check(of.api.copy_on_device(to, source, bytes, s), "a copy on the device");
            break;
        case copy_kind::between_devices: // one address space: the driver sees whose memory it is
            of.check(of.api.copy_on_device(to, source, bytes, s), "a copy between devices");
            break;
        }
    }
    void fill(void* to, int byte, std::size_t bytes, stream s) override {
        if (bytes == 0)
            return;
        const auto now = of.enter();
        streams.used(s);
        of.check(of.api.fill(to, static_cast<unsigned char>(byte), bytes, s), "filling memory");
    }

    std::shared_ptr<void> make_stream() override { return streams.make(); }
    void synchronize(stream s) override {
        const auto now = of.enter();
        of.check(s == nullptr ? streams.synchronize_device() : of.api.stream_synchronise(s),
                 "the end of the device's work");
    }
    std::unique_ptr<event> make_event() override { return std::make_unique<driver_event>(of); }

    void begin_recording(stream s) override {
        const auto now = of.enter();
        streams.begin_recording(s);
    }
    std::unique_ptr<recorded_graph> end_recording(stream s) override {
        const auto now = of.enter();
        void* graph = streams.end_recording(s);
        void* exec = nullptr;
        const int result = of.api.graph_instantiate(&exec, graph, 0);
        of.api.graph_destroy(graph);
        of.check(result, "making a graph of the recorded work");
        auto made = std::make_unique<driver_graph>(of, streams, exec);
        if (of.api.graph_upload != nullptr)
            of.check(of.api.graph_upload(exec, s), "putting a graph on the device");
        return made;
    }

    std::shared_ptr<code_module> load(const std::string& image) override {
        return std::make_shared<driver_module>(of, functions, image);
    }
    void launch(void* function, extent3 grid, extent3 block, std::size_t shared, stream s,
                void** args) override {
        const auto now = of.enter();
        streams.used(s);
        if (shared > plain_shared and of.api.function_attribute != nullptr)
            functions.allow_shared(of, function, shared);
        const int result = of.api.launch(function, grid.x, grid.y, grid.z, block.x, block.y,
                                         block.z, unsigned(shared), s, args, nullptr);
        if (result != driver_success)
            of.check(result, "a launch of " + functions.entry(function) + " with " +
                                 std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " +
                                 std::to_string(grid.z) + " blocks of " + std::to_string(block.x) +
                                 " x " + std::to_string(block.y) + " x " + std::to_string(block.z) +
                                 " threads and " + byte_text(shared) + " of shared memory");
    }
    void make_current() override { of.set(); }
};

} // namespace

std::shared_ptr<device> make_driver_device(const driver_api& api, int id) {
    const auto check = [&](int result, const std::string& what) {
        if (result == driver_success)
            return;
        const auto help = remedy(api, result);
        fail(error_kind::io, "gpu: " + what + " was expected, got " + error_text(api, result) +
                                 (help.empty() ? "" : "; " + help));
    };
    int handle = 0;
    check(api.device_get(&handle, id), "device " + std::to_string(id));
    void* context = nullptr;
    if (api.context_retain != nullptr)
        check(api.context_retain(&context, handle), "a context on device " + std::to_string(id));
    return std::make_shared<driver_device>(api, id, handle, context);
}

} // namespace migraphx::gpu
