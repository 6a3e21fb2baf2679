// SPDX-License-Identifier: MIT
#include "targets/gpu/compiler/compiler.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/tmp_dir.hpp>

#include "base/files.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "ir/artifacts.hpp"
#include "targets/gpu/compiler/backends.hpp"
#include "targets/gpu/compiler/code_cache.hpp"
#include "targets/gpu/compiler/source_text.hpp"

#include <exception>
#include <future>
#include <list>
#include <mutex>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace migraphx::gpu {

namespace {

const setting<std::string> dump_folder{"MIGRAPHX_GPU_DUMP_SRC", "",
                                       "folder that every generated gpu source is written to"};

compiler_backend& backend_for(platform kind) {
    switch (kind) {
    case platform::host:
        return host_compiler();
    case platform::cuda:
    case platform::hip:
        break;
    }
    fail(error_kind::unsupported, "gpu: there is no compiler for this device");
}

// Loaded code and what it was loaded from, for compiled programs.
struct ready_code {
    std::shared_ptr<code_module> loaded;
    std::shared_ptr<const std::string> image;
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
        } catch (...) {
            {
                const std::lock_guard lock(mutex);
                if (auto it = places.find(key); it != places.end()) {
                    order.erase(it->second);
                    places.erase(it);
                }
            }
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

// From the program, the cache on disk, or the compiler.
std::string image_of(const std::string& name, const std::string& text, const std::string& source,
                     const device_properties& facts, artifact_store* kept) {
    if (kept != nullptr)
        if (auto bytes = kept->find(name))
            return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
    auto* const cache = code_cache::instance();
    if (cache != nullptr)
        if (auto code = cache->find(name))
            return std::move(*code);
    auto code = backend_for(facts.kind).compile(text, source, facts);
    if (cache != nullptr)
        cache->store(name, code);
    return code;
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

std::shared_ptr<code_module> compiled(device& on, const std::string& source, artifact_store* kept) {
    const auto& facts = on.properties();
    const auto text = with_headers(source);
    const auto name = str("gpu-", facts.architecture, "-",
                          content_name(str(backend_for(facts.kind).identity(), '\n', text)));
    const auto code = code_table::instance().get(str(name, "@", facts.id), [&]() -> ready_code {
        if (not dump_folder.get().empty()) {
            fs::create_directories(dump_folder.get());
            write_text(fs::path(dump_folder.get()) / (content_name(text) + ".cu"), text);
        }
        auto image = std::make_shared<const std::string>(image_of(name, text, source, facts, kept));
        return {on.load(*image), image};
    });
    if (kept != nullptr)
        kept->put(name, {code.image, code.image->data(), code.image->size()});
    return code.loaded;
}

} // namespace migraphx::gpu
