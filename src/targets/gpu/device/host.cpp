// SPDX-License-Identifier: MIT
// The host in the place of a device: memory is memory, streams run at once, kernels are functions
// of shared objects whose blocks run as in host_blocks.hpp.
#include <migraphx/errors.hpp>
#include <migraphx/tmp_dir.hpp>

#include "base/files.hpp"
#include "base/rounding.hpp"
#include "base/str.hpp"
#include "targets/gpu/device/host.hpp"
#include "targets/gpu/device/host_blocks.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <utility>

namespace migraphx::gpu {

namespace {

// What a thread records: the work of one stream and of those that wait for its events.
struct recording {
    std::set<stream> streams;
    std::vector<std::function<void()>> steps;
};
thread_local std::unique_ptr<recording> current;

bool is_recorded(stream s) {
    return current != nullptr and current->streams.count(s) > 0;
}

struct host_graph : recorded_graph {
    std::vector<std::function<void()>> steps;
    void launch(stream) override {
        for (const auto& step : steps)
            step();
    }
};

struct host_event : event {
    std::chrono::steady_clock::time_point at;
    const recording* within = nullptr;

    void record(stream s) override {
        within = is_recorded(s) ? current.get() : nullptr;
        at = std::chrono::steady_clock::now();
    }
    bool record_in_graph(stream s) override {
        host_put(s, [this] { at = std::chrono::steady_clock::now(); });
        return true;
    }
    void wait_for(stream s) override {
        if (within != nullptr and within == current.get())
            current->streams.insert(s);
    }
    void synchronize() override {
        if (within != nullptr and within == current.get())
            fail(error_kind::internal, "host device: an event is being recorded; nobody can wait");
    }
    float since(const event& start) const override {
        const auto& from = dynamic_cast<const host_event&>(start).at;
        return std::chrono::duration<float, std::milli>(at - from).count();
    }
};

struct host_function {
    host_kernel kernel;
    std::vector<unsigned> sizes; // of the arguments
};

// Code gets a file of its own for as long as it takes to load it.
fs::path write_code(const std::string& image) {
    static const tmp_dir folder("migraphx-null");
    static std::atomic<unsigned> count = 0;
    auto file = folder.path / str("code", count++, ".so");
    file_writer out(file);
    out.write(image);
    out.commit();
    return file;
}

struct host_module : code_module {
    void* library = nullptr;
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<host_function>> functions;

    explicit host_module(const std::string& image) {
        const auto file = write_code(image);
        library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
        const char* const why = library == nullptr ? dlerror() : nullptr;
        const std::string reason = why == nullptr ? "" : why;
        std::error_code ignored;
        fs::remove(file, ignored);
        if (library == nullptr)
            fail(error_kind::io, "host device: generated code cannot be loaded: " + reason);
    }
    host_module(const host_module&) = delete;
    host_module& operator=(const host_module&) = delete;
    ~host_module() override { dlclose(library); }

    void* function(const std::string& entry) override {
        const std::lock_guard lock(mutex);
        auto& f = functions[entry];
        if (f == nullptr) {
            auto found = std::make_unique<host_function>();
            const auto sizes =
                reinterpret_cast<mgx::host_sizes>(dlsym(library, ("mgx_sizes_" + entry).c_str()));
            found->kernel.run =
                reinterpret_cast<mgx::host_entry>(dlsym(library, ("mgx_run_" + entry).c_str()));
            if (sizes == nullptr or found->kernel.run == nullptr)
                fail(error_kind::internal,
                     str("host device: generated code has no MGX_KERNEL named ", entry));
            for (const auto* size = sizes(); *size != 0; size++)
                found->sizes.push_back(*size);
            found->kernel.name = entry;
            f = std::move(found);
        }
        return f.get();
    }
};

// The arguments of a launch that comes later.
struct kept_arguments {
    std::vector<std::vector<std::max_align_t>> values;

    kept_arguments(const std::vector<unsigned>& sizes, void** args) {
        for (std::size_t i = 0; i < sizes.size(); i++) {
            constexpr auto unit = sizeof(std::max_align_t);
            auto& v = values.emplace_back((sizes[i] + unit - 1) / unit);
            std::memcpy(v.data(), args[i], sizes[i]);
        }
    }
    std::vector<void*> addresses() const {
        std::vector<void*> result;
        for (const auto& v : values)
            result.push_back(const_cast<std::max_align_t*>(v.data()));
        return result;
    }
};

// Memory that counts as the device's, by address.
class memory_list {
public:
    void add(const char* p, std::size_t bytes) {
        const std::lock_guard lock(mutex);
        blocks[p] = bytes;
    }
    void remove(const char* p) {
        const std::lock_guard lock(mutex);
        blocks.erase(p);
    }
    bool holds(const char* p) const {
        const std::lock_guard lock(mutex);
        auto next = blocks.upper_bound(p);
        if (next == blocks.begin())
            return false;
        --next;
        return p < next->first + next->second;
    }

private:
    mutable std::mutex mutex;
    std::map<const char*, std::size_t> blocks;
};

memory_list& device_memory() {
    static auto* list = new memory_list; // arenas may end after the statics
    return *list;
}

std::shared_ptr<char> aligned_memory(std::size_t bytes, bool of_device) {
    constexpr auto line = std::align_val_t{256};
    // Atomics on elements of 1 and 2 bytes change the aligned word that holds them.
    bytes = std::max<std::size_t>(round_up(bytes, 4), 4);
    auto* const p = static_cast<char*>(::operator new(bytes, line, std::nothrow));
    if (p == nullptr)
        fail(error_kind::io, str("host device: out of memory: ", bytes, " bytes were asked for"));
    if (not of_device)
        return {p, [](char* x) { ::operator delete(x, line); }};
    device_memory().add(p, bytes);
    return {p, [](char* x) {
                device_memory().remove(x);
                ::operator delete(x, line);
            }};
}

std::string text(extent3 e) {
    return str("(", e.x, ",", e.y, ",", e.z, ")");
}

struct host : device {
    device_properties facts;

    host() {
        facts.name = facts.architecture = "host";
        // As of the GPUs that matter, so that what is chosen for them is what runs here.
        facts.capability = 90;
        facts.multiprocessors = 8;
        facts.memory = std::size_t{1} << 36;
        facts.l2 = std::size_t{50} << 20;
        facts.shared = std::size_t{227} << 10;
    }

    const device_properties& properties() const override { return facts; }
    std::shared_ptr<char> allocate(std::size_t bytes) override {
        return aligned_memory(bytes, true);
    }
    std::shared_ptr<char> allocate_pinned(std::size_t bytes) override {
        return aligned_memory(bytes, false);
    }
    std::optional<int> device_of(const void* p) const override {
        if (device_memory().holds(static_cast<const char*>(p)))
            return facts.id;
        return {};
    }
    std::size_t free_memory() const override { return facts.memory; }

    void copy(void* to, const void* from, std::size_t bytes, copy_kind, stream s) override {
        if (bytes > 0)
            host_put(s, [=] { std::memmove(to, from, bytes); });
    }
    void fill(void* to, int byte, std::size_t bytes, stream s) override {
        if (bytes > 0)
            host_put(s, [=] { std::memset(to, byte, bytes); });
    }
    std::shared_ptr<void> make_stream() override { return std::make_shared<int>(0); }
    void synchronize(stream s) override {
        if (is_recorded(s))
            fail(error_kind::internal, "host device: a stream that records cannot be waited for");
    }
    std::unique_ptr<event> make_event() override { return std::make_unique<host_event>(); }

    void begin_recording(stream s) override {
        if (current != nullptr)
            fail(error_kind::internal, "host device: this thread records already");
        current = std::make_unique<recording>();
        current->streams.insert(s);
    }
    std::unique_ptr<recorded_graph> end_recording(stream s) override {
        if (not is_recorded(s))
            fail(error_kind::internal, "host device: this stream does not record");
        auto g = std::make_unique<host_graph>();
        g->steps = std::move(current->steps);
        current = nullptr;
        return g;
    }

    std::shared_ptr<code_module> load(const std::string& image) override {
        return std::make_shared<host_module>(image);
    }
    void launch(void* function, extent3 grid, extent3 block, std::size_t shared, stream s,
                void** args) override {
        const auto& f = *static_cast<const host_function*>(function);
        check(f, grid, block, shared);
        if (not is_recorded(s))
            return run_blocks(f.kernel, grid, block, shared, args);
        host_put(s, [&f, grid, block, shared, kept = kept_arguments(f.sizes, args)] {
            auto addresses = kept.addresses();
            run_blocks(f.kernel, grid, block, shared, addresses.data());
        });
    }
    // The limits that CUDA has.
    void check(const host_function& f, extent3 grid, extent3 block, std::size_t shared) const {
        constexpr uint32_t most_threads = 1024, most_z = 64, most_grid_x = 0x7fffffff,
                           most_grid = 65535;
        const auto threads = std::size_t{block.x} * block.y * block.z;
        const auto blocks = std::size_t{grid.x} * grid.y * grid.z;
        if (threads == 0 or threads > most_threads or block.z > most_z)
            fail(error_kind::internal, str("host device: kernel ", f.kernel.name,
                                           ": a block of 1 to 1024 threads (64 in z) was "
                                           "expected, got ",
                                           text(block)));
        if (blocks == 0 or grid.x > most_grid_x or grid.y > most_grid or grid.z > most_grid)
            fail(error_kind::internal, str("host device: kernel ", f.kernel.name,
                                           ": a grid of 1 to (2147483647,65535,65535) blocks was "
                                           "expected, got ",
                                           text(grid)));
        if (shared > facts.shared)
            fail(error_kind::internal,
                 str("host device: kernel ", f.kernel.name, ": at most ", facts.shared,
                     " bytes of shared memory were expected, got ", shared));
    }
    void make_current() override {}
};

} // namespace

void host_put(stream s, std::function<void()> work) {
    if (is_recorded(s))
        current->steps.push_back(std::move(work));
    else
        work();
}

std::shared_ptr<device> host_device() {
    static const auto d = std::make_shared<host>();
    return d;
}

} // namespace migraphx::gpu
