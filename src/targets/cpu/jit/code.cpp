// SPDX-License-Identifier: MIT
// The cache of generated code, executable memory, and the library that compiles.

#include "targets/cpu/jit/code.hpp"

#include "base/settings.hpp"
#include "targets/cpu/jit/llvm/compile.hpp"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <iostream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

namespace migraphx::cpu {
namespace {

constexpr int64_t compile_nanoseconds = 4'000'000; // 3 to 6 ms here
constexpr int64_t call_nanoseconds = 50;           // what estimates leave out
constexpr int low_priority = 10;

// The library lies beside this one.
std::string compiler_path() {
    Dl_info self;
    if (dladdr(reinterpret_cast<const void*>(&compiler_path), &self) == 0)
        return "";
    std::string path = self.dli_fname;
    path.resize(path.find_last_of('/') + 1);
    return path + "libmigraphx_jit.so";
}

jit_compile_fn open_compiler() {
    void* library = dlopen(compiler_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        return nullptr;
    return reinterpret_cast<jit_compile_fn>(dlsym(library, jit_compile_name));
}

jit_compile_fn compiler() {
    static const jit_compile_fn fn = open_compiler();
    return fn;
}

// Memory for code, never given back: forms are few and live as long as the process. Pages are
// written first and made executable after.
const void* make_executable(const std::vector<char>& bytes) {
    const auto page = std::size_t(sysconf(_SC_PAGESIZE));
    const std::size_t size = (bytes.size() + page - 1) / page * page;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    std::memcpy(memory, bytes.data(), bytes.size());
    if (mprotect(memory, size, PROT_READ | PROT_EXEC) != 0) {
        munmap(memory, size);
        return nullptr;
    }
    return memory;
}

struct saved_header {
    uint64_t key_size, code_size, entry, sum;
};

uint64_t sum_of(const char* bytes, std::size_t size) { // FNV-1a
    uint64_t h = 0xcbf29ce484222325;
    for (std::size_t i = 0; i < size; ++i)
        h = (h ^ uint8_t(bytes[i])) * 0x100000001b3;
    return h;
}

struct code_cache {
    std::mutex guard;
    std::unordered_map<std::string, std::shared_ptr<jit_code>> codes;
};

code_cache& cache() {
    static code_cache c;
    return c;
}

void install_code(jit_code& code) {
    const void* memory = make_executable(code.bytes);
    if (memory == nullptr) {
        code.why = "no executable memory";
        return;
    }
    const char* entry = static_cast<const char*>(memory) + code.entry;
    code.kernel.store(reinterpret_cast<jit_kernel>(const_cast<char*>(entry)),
                      std::memory_order_release);
}

// Forms that wait, and the thread that compiles them; it ends when nothing waits.
class compile_queue {
public:
    void add(std::shared_ptr<jit_code> code) {
        const std::lock_guard lock(guard);
        waiting.push_back(std::move(code));
        if (running)
            return;
        if (worker.joinable())
            worker.join();
        running = true;
        worker = std::thread([this] { work(); });
    }
    void stop() {
        {
            const std::lock_guard lock(guard);
            waiting.clear();
        }
        if (worker.joinable())
            worker.join();
    }

private:
    std::mutex guard;
    std::deque<std::shared_ptr<jit_code>> waiting;
    std::thread worker;
    bool running = false;

    void work() {
        // Of this thread only. Where it is refused the work is just as right.
        (void)setpriority(PRIO_PROCESS, id_t(gettid()), low_priority);
        for (;;) {
            std::shared_ptr<jit_code> next;
            {
                const std::lock_guard lock(guard);
                if (waiting.empty()) {
                    running = false;
                    return;
                }
                next = std::move(waiting.front());
                waiting.pop_front();
            }
            compile_now(*next);
        }
    }
};

// Never destroyed, but stopped before objects that its thread works with are; LLVM's own never are.
compile_queue& queue() {
    static auto* const q = [] {
        std::atexit([] { queue().stop(); });
        return new compile_queue;
    }();
    return *q;
}

} // namespace

bool jit_available() {
    return compiler() != nullptr;
}

bool jit_installed() {
    static const bool there = access(compiler_path().c_str(), R_OK) == 0;
    return there;
}

std::shared_ptr<jit_code> code_of(jit_form form) {
    std::string key = form_key(form);
    code_cache& c = cache();
    const std::lock_guard lock(c.guard);
    auto& entry = c.codes[key];
    if (entry == nullptr) {
        entry = std::make_shared<jit_code>();
        entry->form = std::move(form);
        entry->key = std::move(key);
    }
    return entry;
}

jit_kernel compile_now(jit_code& code) {
    if (jit_kernel k = code.kernel.load(std::memory_order_acquire); k != nullptr)
        return k;
    const std::lock_guard lock(code.guard);
    if (code.tried)
        return code.kernel.load(std::memory_order_acquire);
    code.tried = true;
    if (compiler() == nullptr) {
        code.why = "libmigraphx_jit was not found";
        return nullptr;
    }
    const auto start = std::chrono::steady_clock::now();
    jit_object made;
    compiler()(code.form, false, made);
    code.bytes = std::move(made.code);
    code.entry = made.entry;
    code.why = std::move(made.why);
    if (not code.bytes.empty())
        install_code(code);
    if (trace_enabled("codegen")) {
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - start;
        std::cerr << "jit: " << code.form.graph.nodes.size() << " nodes, " << code.bytes.size()
                  << " bytes in " << took.count() << " ms"
                  << (code.why.empty() ? "" : ", none: " + code.why) << '\n';
    }
    return code.kernel.load(std::memory_order_acquire);
}

void count_towards_code(const std::shared_ptr<jit_code>& code, double nanoseconds) {
    const auto more = int64_t(nanoseconds) + call_nanoseconds;
    const auto before = code->spent.fetch_add(more, std::memory_order_relaxed);
    if (before >= compile_nanoseconds or before + more < compile_nanoseconds)
        return;
    queue().add(code);
}

std::string saved_name(const jit_code& code) {
    char hash[17];
    std::snprintf(hash, sizeof(hash), "%016" PRIx64, sum_of(code.key.data(), code.key.size()));
    return std::string("nest|") + to_string(code.form.level) + "|" + hash;
}

std::vector<char> saved_form(jit_code& code) {
    if (compile_now(code) == nullptr)
        return {};
    const std::lock_guard lock(code.guard);
    const saved_header h{code.key.size(), code.bytes.size(), code.entry,
                         sum_of(code.bytes.data(), code.bytes.size())};
    std::vector<char> out(sizeof(h));
    std::memcpy(out.data(), &h, sizeof(h));
    out.insert(out.end(), code.key.begin(), code.key.end());
    out.insert(out.end(), code.bytes.begin(), code.bytes.end());
    return out;
}

bool take_saved(jit_code& code, const char* bytes, std::size_t size) {
    saved_header h{};
    if (size < sizeof(h))
        return false;
    std::memcpy(&h, bytes, sizeof(h));
    const std::size_t rest = size - sizeof(h);
    if (h.key_size != code.key.size() or h.key_size > rest or h.code_size != rest - h.key_size or
        h.entry >= h.code_size)
        return false;
    const char* key = bytes + sizeof(h);
    const char* machine_code = key + h.key_size;
    if (code.key.compare(0, code.key.size(), key, h.key_size) != 0 or
        sum_of(machine_code, h.code_size) != h.sum)
        return false;
    const std::lock_guard lock(code.guard);
    if (code.tried)
        return code.kernel.load(std::memory_order_acquire) != nullptr;
    code.tried = true;
    code.bytes.assign(machine_code, machine_code + h.code_size);
    code.entry = h.entry;
    install_code(code);
    return code.kernel.load(std::memory_order_acquire) != nullptr;
}

std::string jit_text(const jit_form& form) {
    if (compiler() == nullptr)
        return "";
    jit_object made;
    compiler()(form, true, made);
    return made.text;
}

} // namespace migraphx::cpu
