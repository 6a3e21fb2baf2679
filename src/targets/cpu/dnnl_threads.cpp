// SPDX-License-Identifier: MIT
#include "targets/cpu/dnnl_threads.hpp"

#include "base/parallel.hpp"
#include "base/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <dlfcn.h>
#include <dnnl.h>
#include <link.h>
#include <optional>
#include <sched.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace migraphx::cpu {
namespace {

using member_function = void (*)(void*);

// One region of the library: all its threads run `work` on their common data.
struct team {
    member_function work;
    void* data;
    int size;
    std::atomic<int> arrived = 0;
    std::atomic<unsigned> barriers = 0; // passed
};

// What the calling thread is to the library: a member of a team, or alone.
struct place {
    team* in = nullptr;
    int number = 0;
};

// A loop whose iterations the members of a team share.
struct static_loop {
    long start = 0, end = 0, step = 1, chunk = 0;
    long taken = 0; // chunks
};

void run_member(void* context, int number);

struct open_region {
    open_region(member_function work, void* data, int size, thread_pool::order when)
        : members{work, data, size}, parts(run_member, &members, size, when) {}
    team members;
    thread_pool::region parts;
};

thread_local place here;
thread_local static_loop loop;
thread_local std::vector<place> outer;          // what this thread was around its open regions
thread_local std::optional<open_region> opened; // the one of them that has a team
thread_local bool any_order = false;

void run_member(void* context, int number) {
    auto& t = *static_cast<team*>(context);
    const auto before = std::exchange(here, place{&t, number});
    t.work(t.data);
    here = before;
}

// ---- what stands for the calls into the OpenMP run time

int thread_number() {
    return here.number;
}

int team_size() {
    return here.in == nullptr ? 1 : here.in->size;
}

int in_parallel() {
    return thread_pool::inside_region() ? 1 : 0;
}

// The calling thread runs `work` itself between start and end, as the first member.
void parallel_start(member_function work, void* data, unsigned threads) {
    outer.push_back(std::exchange(here, place{}));
    const int size = threads == 0 ? num_threads() : static_cast<int>(threads);
    if (size <= 1 or thread_pool::inside_region())
        return;
    opened.emplace(work, data, size,
                   any_order ? thread_pool::order::any : thread_pool::order::together);
    here = {&opened->members, 0};
}

void parallel_end() {
    if (here.in != nullptr)
        opened.reset();
    here = outer.back();
    outer.pop_back();
}

void parallel(member_function work, void* data, unsigned threads, unsigned) {
    parallel_start(work, data, threads);
    work(data);
    parallel_end();
}

void barrier() {
    auto* t = here.in;
    if (t == nullptr)
        return;
    const auto passed = t->barriers.load(std::memory_order_acquire);
    if (t->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == t->size) {
        t->arrived.store(0, std::memory_order_relaxed);
        t->barriers.store(passed + 1, std::memory_order_release);
        return;
    }
    for (int i = 0; t->barriers.load(std::memory_order_acquire) == passed; ++i)
        if (i > 1000)
            sched_yield();
}

// The next chunk of this thread; without a chunk size each member has one.
bool loop_next(long* first, long* last) {
    const long count = (loop.end - loop.start + loop.step - (loop.step > 0 ? 1 : -1)) / loop.step;
    const long members = team_size(), me = thread_number();
    long from = 0, to = 0;
    if (loop.chunk > 0) {
        from = (loop.taken * members + me) * loop.chunk;
        to = std::min(count, from + loop.chunk);
    } else if (loop.taken == 0) {
        const long each = count / members, more = count % members;
        from = me * each + std::min(me, more);
        to = from + each + (me < more ? 1 : 0);
    }
    ++loop.taken;
    if (from >= to)
        return false;
    *first = loop.start + from * loop.step;
    *last = loop.start + to * loop.step;
    return true;
}

bool loop_start(long start, long end, long step, long chunk, long* first, long* last) {
    loop = {start, end, step, chunk, 0};
    return loop_next(first, last);
}

void loop_end() {}

template <class R, class... Args>
std::uintptr_t address(R (*f)(Args...)) {
    return reinterpret_cast<std::uintptr_t>(f);
}

struct replacement {
    std::string_view name;
    std::uintptr_t function;
};

const replacement replacements[] = {
    {"omp_get_max_threads", address(num_threads)},
    {"omp_get_num_threads", address(team_size)},
    {"omp_get_thread_num", address(thread_number)},
    {"omp_in_parallel", address(in_parallel)},
    {"GOMP_parallel", address(parallel)},
    {"GOMP_parallel_start", address(parallel_start)},
    {"GOMP_parallel_end", address(parallel_end)},
    {"GOMP_barrier", address(barrier)},
    {"GOMP_loop_static_start", address(loop_start)},
    {"GOMP_loop_static_next", address(loop_next)},
    {"GOMP_loop_end_nowait", address(loop_end)},
};

// ---- redirecting the calls of one library

// Where a library keeps the address of a function of another one.
struct import_slot {
    std::uintptr_t* where;
    std::uintptr_t function; // instead
};

bool of_openmp(std::string_view name) {
    return name.starts_with("omp_") or name.starts_with("GOMP_") or name.starts_with("__kmpc_");
}

// The slots of all OpenMP functions; none if one of them has no replacement.
std::vector<import_slot> openmp_slots(const link_map& library) {
    const auto base = library.l_addr;
    const ElfW(Sym)* symbols = nullptr;
    const char* names = nullptr;
    std::pair<std::uintptr_t, std::size_t> tables[2] = {};
    for (const auto* d = library.l_ld; d->d_tag != DT_NULL; ++d) {
        const auto where = d->d_un.d_ptr < base ? d->d_un.d_ptr + base : d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_SYMTAB:
            symbols = reinterpret_cast<const ElfW(Sym)*>(where);
            break;
        case DT_STRTAB:
            names = reinterpret_cast<const char*>(where);
            break;
        case DT_JMPREL:
            tables[0].first = where;
            break;
        case DT_PLTRELSZ:
            tables[0].second = d->d_un.d_val;
            break;
        case DT_RELA:
            tables[1].first = where;
            break;
        case DT_RELASZ:
            tables[1].second = d->d_un.d_val;
            break;
        default:
            break;
        }
    }
    std::vector<import_slot> slots;
    if (symbols == nullptr or names == nullptr)
        return slots;
    for (const auto& [first, bytes] : tables) {
        const auto* table = reinterpret_cast<const ElfW(Rela)*>(first);
        for (std::size_t i = 0; i < bytes / sizeof(*table); ++i) {
            const auto& symbol = symbols[ELF64_R_SYM(table[i].r_info)];
            const std::string_view name = names + symbol.st_name;
            if (ELF64_R_SYM(table[i].r_info) == 0 or not of_openmp(name))
                continue;
            const auto* found = std::find_if(std::begin(replacements), std::end(replacements),
                                             [&](const replacement& r) { return r.name == name; });
            if (found == std::end(replacements) or table[i].r_addend != 0)
                return {};
            slots.push_back(
                {reinterpret_cast<std::uintptr_t*>(base + table[i].r_offset), found->function});
        }
    }
    return slots;
}

// Was the page made read-only after the library was linked?
bool is_read_only(const link_map& library, std::uintptr_t page) {
    struct question {
        std::uintptr_t base, page;
        bool answer;
    } q{library.l_addr, page, false};
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            auto& asked = *static_cast<question*>(data);
            if (info->dlpi_addr != asked.base)
                return 0;
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto& h = info->dlpi_phdr[i];
                const auto first = info->dlpi_addr + h.p_vaddr;
                if (h.p_type == PT_GNU_RELRO and asked.page >= first and
                    asked.page < first + h.p_memsz)
                    asked.answer = true;
            }
            return 1;
        },
        &q);
    return q.answer;
}

bool redirect(const link_map& library, const import_slot& slot) {
    const auto page_size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto page = reinterpret_cast<std::uintptr_t>(slot.where) & ~(page_size - 1);
    auto* const start = reinterpret_cast<void*>(page);
    const bool read_only = is_read_only(library, page);
    if (read_only and mprotect(start, page_size, PROT_READ | PROT_WRITE) != 0)
        return false;
    std::atomic_ref<std::uintptr_t>(*slot.where).store(slot.function, std::memory_order_relaxed);
    if (read_only)
        mprotect(start, page_size, PROT_READ);
    return true;
}

bool redirect_all() {
    Dl_info info{};
    link_map* library = nullptr;
    const auto known = reinterpret_cast<void*>(address(dnnl_version));
    if (dladdr1(known, &info, reinterpret_cast<void**>(&library), RTLD_DL_LINKMAP) == 0 or
        library == nullptr)
        return false;
    const auto slots = openmp_slots(*library);
    if (not slots.empty() and std::all_of(slots.begin(), slots.end(),
                                          [&](const auto& s) { return redirect(*library, s); }))
        return true;
    if (void* handle = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD))
        if (void* set = dlsym(handle, "omp_set_num_threads"))
            follow_thread_count(reinterpret_cast<void (*)(int)>(set));
    return false;
}

} // namespace

bool share_threads_with_dnnl() {
    static const bool shared = redirect_all();
    return shared;
}

parts_in_any_order::parts_in_any_order(bool allowed) : before(std::exchange(any_order, allowed)) {}

parts_in_any_order::~parts_in_any_order() {
    any_order = before;
}

} // namespace migraphx::cpu
