// SPDX-License-Identifier: MIT
#include "targets/gpu/compiler/compiler.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/tmp_dir.hpp>

#include "base/files.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "ir/artifacts.hpp"
#include "targets/gpu/compiler/code_cache.hpp"
#include "targets/gpu/compiler/compilers.hpp"
#include "targets/gpu/compiler/source_text.hpp"
#include "targets/gpu/device_code/headers.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace migraphx::gpu {

namespace {

const setting<std::string> dump_folder{"MIGRAPHX_GPU_DUMP_SRC", "",
                                       "folder that every generated gpu source is written to"};

const setting<std::string> also_for{
    "MIGRAPHX_GPU_ALSO_FOR", "",
    "architecture (sm_90) that the target null compiles its sources for as well, to check them"};

// Loaded code and what it was loaded from, for compiled programs.
struct ready_code {
    std::shared_ptr<code_module> loaded;
    std::shared_ptr<const object_code> object;
};

// The code of this process by name and device. What nobody uses any more is kept as long as it is
// among the last ones asked for.
class code_table {
public:
    template <class Make>
    ready_code get(const std::string& key, Make make) {
        std::promise<ready_code> mine;
        std::shared_future<ready_code> result;
        {
            const std::lock_guard lock(mutex);
            if (auto it = places.find(key); it != places.end()) {
                order.splice(order.begin(), order, it->second);
                result = order.front().code;
            } else {
                order.push_front({key, mine.get_future().share()});
                places[key] = order.begin();
                shrink();
            }
        }
        if (result.valid())
            return result.get(); // waits for who compiles it
        try {
            auto made = make();
            mine.set_value(made);
            return made;
        } catch (const exception& e) {
            // A text that does not compile never will; anything else may go better next time.
            if (e.category() != error_kind::internal)
                forget(key);
            mine.set_exception(std::current_exception());
            throw;
        } catch (...) {
            forget(key);
            mine.set_exception(std::current_exception());
            throw;
        }
    }

    static code_table& instance() {
        static auto* table = new code_table; // code may outlive the statics
        return *table;
    }

private:
    struct entry {
        std::string key;
        std::shared_future<ready_code> code;
    };

    void forget(const std::string& key) {
        const std::lock_guard lock(mutex);
        if (auto it = places.find(key); it != places.end()) {
            order.erase(it->second);
            places.erase(it);
        }
    }

    void shrink() {
        constexpr std::size_t most = 512;
        while (order.size() > most) {
            places.erase(order.back().key);
            order.pop_back();
        }
    }

    std::mutex mutex;
    std::list<entry> order; // the last one asked for first
    std::unordered_map<std::string, std::list<entry>::iterator> places;
};

void write_text(const fs::path& file, const std::string& text) {
    file_writer out(file);
    out.write(text);
    out.commit();
}

// One text, and the names of its code: in programs, where it serves whatever compiler another
// machine has, and on disk, where each version has its own.
struct source_names {
    std::string text, artifact, portable, cached;

    source_names(source_compiler& with, const std::string& source, const device_properties& facts)
        : text(with_headers(source)) {
        const auto digest = content_name(str(with.form(), '\n', text));
        artifact = str("gpu-", facts.architecture, "-", digest);
        portable = str("gpu-portable-", digest);
        cached = str(artifact, "-", content_name(with.version()));
    }
};

std::string bytes_of(const value::binary& b) {
    return {reinterpret_cast<const char*>(b.data()), b.size()};
}

// On disk: the size of the image in 8 bytes, the image, what is portable.
std::string packed(const object_code& code) {
    const std::uint64_t size = code.image.size();
    std::string all(sizeof(size), '\0');
    std::memcpy(all.data(), &size, sizeof(size));
    return all + code.image + code.portable;
}

std::optional<object_code> unpacked(const std::optional<std::string>& all) {
    std::uint64_t size = 0;
    if (not all or all->size() < sizeof(size))
        return std::nullopt;
    std::memcpy(&size, all->data(), sizeof(size));
    if (size > all->size() - sizeof(size))
        return std::nullopt;
    return object_code{all->substr(sizeof(size), size), all->substr(sizeof(size) + size)};
}

// From the program, the cache on disk, the compiler, or, without one, what the program has for
// earlier architectures.
object_code find_or_compile(const source_names& names, const std::string& source,
                            source_compiler& with, const device_properties& facts,
                            const artifact_store* kept) {
    const auto find_kept = [&](const std::string& name) {
        return kept == nullptr ? std::nullopt : kept->find(name);
    };
    const auto portable = find_kept(names.portable);
    if (const auto image = find_kept(names.artifact))
        return {bytes_of(*image), portable ? bytes_of(*portable) : ""};
    if (with.version().empty() and portable)
        return {bytes_of(*portable), bytes_of(*portable)};
    auto* const cache = code_cache::instance();
    if (cache != nullptr)
        if (auto code = unpacked(cache->find(names.cached)))
            return std::move(*code);
    auto code = with.compile(names.text, source, facts);
    if (cache != nullptr)
        cache->store(names.cached, packed(code));
    return code;
}

void keep(artifact_store& kept, const source_names& names,
          const std::shared_ptr<const object_code>& code) {
    const auto put = [&](const std::string& name, const std::string& bytes) {
        if (not bytes.empty())
            kept.put(name, value::binary(code, bytes.data(), bytes.size()));
    };
    put(names.artifact, code->image);
    put(names.portable, code->portable);
}

// The source by itself, beside the headers that it includes: they compile by hand as they lie.
void dump(const std::string& source) {
    const fs::path folder = dump_folder.get();
    if (folder.empty())
        return;
    static std::once_flag once;
    std::call_once(once, [&] {
        fs::create_directories(folder);
        for (const auto& [name, text] : device_headers())
            write_text(folder / name, text);
    });
    write_text(folder / (content_name(source) + ".cu"), source);
}

struct source_listener {
    std::atomic<bool> present = false;
    std::mutex mutex;
    std::function<void(const std::string&)> seen;

    static source_listener& instance() {
        static auto* l = new source_listener;
        return *l;
    }
};

// What runs here must also compile for the devices that it is meant for. The cache keeps which
// sources did.
void check_for_cuda(const std::string& source) {
    const auto& architecture = also_for.get();
    if (nvrtc().version().empty()) {
        static std::once_flag once;
        std::call_once(once, [] {
            log::warn() << "MIGRAPHX_GPU_ALSO_FOR: sources are not checked, as there is no NVRTC";
        });
        return;
    }
    device_properties facts;
    facts.kind = platform::cuda;
    facts.architecture = architecture;
    facts.capability = std::atoi(architecture.c_str() + architecture.find('_') + 1);
    const source_names names(nvrtc(), source, facts);
    auto* const cache = code_cache::instance();
    const auto checked = str("checked-", names.cached);
    if (cache != nullptr and cache->find(checked))
        return;
    check_with_nvrtc(names.text, facts);
    if (cache != nullptr)
        cache->store(checked, "");
}

} // namespace

std::string keep_failed_source(const std::string& text) {
    const auto file = fs::temp_directory_path() /
                      str("migraphx-failed-", getpid(), "-", content_name(text), ".txt");
    try {
        write_text(file, text);
    } catch (const exception& e) {
        return str("(not written: ", e.message(), ")");
    }
    return file.native();
}

source_compiler& compiler_for(platform kind) {
    switch (kind) {
    case platform::cuda:
        return nvrtc();
    case platform::hip:
        return hiprtc();
    case platform::host:
        break;
    }
    return host_compiler();
}

void listen_to_sources(std::function<void(const std::string&)> seen) {
    auto& l = source_listener::instance();
    const std::lock_guard lock(l.mutex);
    l.present = seen != nullptr;
    l.seen = std::move(seen);
}

std::shared_ptr<code_module> compiled(device& on, const std::string& source, artifact_store* kept) {
    if (auto& l = source_listener::instance(); l.present) {
        const std::lock_guard lock(l.mutex);
        if (l.seen)
            l.seen(source);
    }
    const auto& facts = on.properties();
    auto& with = compiler_for(facts.kind);
    const source_names names(with, source, facts);
    const auto key = str(names.artifact, "@", facts.id);
    const auto code = code_table::instance().get(key, [&]() -> ready_code {
        dump(source);
        std::future<void> check; // beside the compiler, which is another process
        if (facts.kind == platform::host and not also_for.get().empty())
            check = std::async(std::launch::async, [&] { check_for_cuda(source); });
        auto object =
            std::make_shared<const object_code>(find_or_compile(names, source, with, facts, kept));
        if (check.valid())
            check.get();
        return {on.load(object->image), object};
    });
    if (kept != nullptr)
        keep(*kept, names, code.object);
    return code.loaded;
}

} // namespace migraphx::gpu
